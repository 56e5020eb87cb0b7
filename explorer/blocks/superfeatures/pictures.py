"""The superfeatures on pictures: one alone on a sample, all of them as a mask, and the strongest links to read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from explorer import cache
from explorer.blocks.superfeatures.graph import View, light_up
from explorer.components.plot import plot
from explorer.components.table import table
from explorer.pictures import graphs, links, overlays
from explorer.state import session


def lit(view: View) -> None:
    """One superfeature alone, its pixels on a test sample: the chosen one, else the first."""
    m = view.selected or 0
    st.subheader(f"Superfeature {m + 1} of {len(view.groups)}", anchor=False)
    x, _ = view.dataset.part("test")
    sample = min(session.get("sample"), len(x) - 1)
    figure = cache.figure(overlays.lit_picture, view.groups, view.dataset.shape, x[sample].numpy(), m, height=300)
    clicked = plot(figure, "lit", alt=f"The pixels of superfeature {m + 1} on test sample {sample}.")
    told = "together they change the teacher's answer. Click a pixel to see its group."
    st.caption(f"Its {view.found.sizes[m]} pixels on test sample {sample}: {told}")
    if clicked:
        session.put(selected=view.owner(_pixel(view, clicked)) + 1, node=-1)
        st.rerun()


def chosen(view: View) -> None:
    """The mask over an average image; with a lit feature, its row of W."""
    whole = "Superfeature mask" if view.dataset.is_image else "Link strength of each feature"
    st.subheader(whole if view.node is None else f"Links of {view.dataset.features[view.node]}", anchor=False)
    mean, _ = cache.mean_image(view.run)
    if view.node is not None and view.dataset.is_image:
        clicked = plot(
            cache.figure(graphs.row_image, view.W, view.node, view.dataset.shape, view.groups, height=300),
            "row",
            alt="How strongly each pixel depends on the chosen one.",
        )
    else:
        strength = view.W.sum(1) if view.node is None else view.W[view.node]
        shown = mean if view.dataset.is_image else strength
        mask = cache.figure(
            overlays.superfeature_mask, view.groups, view.dataset.shape, image=shown, names=view.dataset.features,
            selected=view.selected, height=300,
        )  # fmt: skip
        clicked = plot(mask, "mask", alt=f"{whole} in the colours of {len(view.groups)} superfeatures.")
    if view.dataset.is_image:
        st.caption(_SCATTERED if view.node is None else "How strongly each pixel depends on the chosen one, which is framed.")
    if clicked:
        _answer_pixel(view, clicked)


_SCATTERED = (
    "A superfeature need not be in one piece: pixels that lie far apart may mean something together. Colours are strong where the "
    "average picture is."
)


def links_table(view: View) -> None:
    """The strongest links, to read."""
    st.subheader("The strongest links", anchor=False)
    look = {
        "strength": st.column_config.NumberColumn(
            format="%.3g", width=70, help="W: how strongly the two features depend on each other."
        ),
        "groups": st.column_config.TextColumn(width=60, help="The superfeatures of the two features."),
    }
    table(strongest_links(view), "links", height="content", columns=look)


def _answer_pixel(view: View, clicked: dict[str, Any]) -> None:
    if view.dataset.is_image:
        light_up(view, _pixel(view, clicked))
    else:  # a bar of the table's features, which stand in the matrix's order
        light_up(view, int(graphs.matrix_order(view.groups)[int(np.ravel(clicked["point"])[0])]))


def _pixel(view: View, clicked: dict[str, Any]) -> int:
    return int(view.dataset.shape[-1]) * round(float(clicked["y"])) + round(float(clicked["x"]))


def strongest_links(view: View) -> pd.DataFrame:
    """The strongest links of the lit feature, or of the whole graph, as a table."""
    if view.node is None:
        pairs = links.strongest_edges(view.W, 12)
    else:
        order = np.argsort(-view.W[view.node])[:12]
        pairs = np.stack([np.full(len(order), view.node), order], axis=1)
    names, labels = view.names, view.found.labels().numpy()
    rows = [
        {"from": names[i], "to": names[j], "strength": view.W[i, j], "groups": f"{labels[i] + 1} – {labels[j] + 1}"}
        for i, j in pairs
    ]
    return pd.DataFrame(rows, columns=["from", "to", "strength", "groups"])
