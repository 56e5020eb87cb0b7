"""Superfeatures while they form: the mask and the strongest links of one state of a teacher, for every moment alike.

Nodes stay where they are and communities keep their colours (`ked.forming` numbers them), so what moves is what changed. No
streamlit here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer import overlays, theme
from explorer.graphs import edge_traces


def forming_picture(
    labels: np.ndarray,
    edges: np.ndarray,
    shape: Sequence[int],
    *,
    places: np.ndarray,
    background: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    height: int = 340,
) -> go.Figure:
    """The superfeatures of one state over the mean image, with the strongest links; of a table, its features as nodes.

    `labels`: (D,) the superfeature of each feature. `edges`: (E, 2) features, strongest first. `places`: (D, 2) x and y of each.
    `background`: (D,) the mean image. `names`: of the features, for tables.
    """
    links = edge_traces(edges.astype(int), labels, places, dimmed=False)
    if len(shape) < 2:
        return _nodes(labels, links, places, names, height)
    groups = [np.flatnonzero(labels == m).tolist() for m in range(int(labels.max()) + 1)]
    drawing = overlays.superfeature_mask(groups, shape, image=background, height=height)
    drawing.add_traces(links)
    return drawing


def _nodes(
    labels: np.ndarray, links: Sequence[go.Scatter], places: np.ndarray, names: Sequence[str] | None, height: int
) -> go.Figure:
    drawing = theme.figure(height)
    drawing.add_traces(list(links))
    colours = [theme.superfeature_colour(m) for m in labels.tolist()]
    texts = list(names) if names is not None else [f"feature {d}" for d in range(len(labels))]
    drawing.add_scatter(
        x=places[:, 0], y=places[:, 1], mode="markers", name="features", marker={"size": 13, "color": colours},
        customdata=[[text, m + 1] for text, m in zip(texts, labels.tolist(), strict=True)],
        hovertemplate="%{customdata[0]}<br>superfeature %{customdata[1]}<extra></extra>",
    )  # fmt: skip
    drawing.update_xaxes(visible=False)
    drawing.update_yaxes(visible=False)
    return drawing


def modularities(states: Mapping[int, Mapping[str, Any]], *, epochs: int, at: int, height: int = 130) -> go.Figure:
    """Modularity of each state against the teacher's epochs, with a dot at epoch `at`."""
    told = sorted(states)
    values = [states[epoch]["modularity"] for epoch in told]
    drawing = theme.figure(height)
    line = {"color": theme.MUTED, "width": 2}
    drawing.add_scatter(
        x=told, y=values, mode="lines", line=line, name="modularity", hovertemplate="epoch %{x}: %{y:.3f}<extra></extra>"
    )
    here = max((epoch for epoch in told if epoch <= at), default=told[0])
    dot = {"color": theme.ACCENT, "size": 10, "line": {"color": theme.PAPER, "width": 2}}
    value = states[here]["modularity"]
    drawing.add_scatter(x=[here], y=[value], mode="markers", marker=dot, name="here", hoverinfo="skip")
    place = {"x": 0, "xref": "paper", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": 2}
    sizes = " · ".join(str(size) for size in states[here]["sizes"])
    drawing.add_annotation(text=f"modularity <b>{value:.3f}</b>, sizes {sizes}", **place)
    low, high = min(values), max(values)
    pad = max(0.12 * (high - low), 0.01)
    drawing.update_xaxes(title_text="teacher's epoch", range=[1, max(epochs, 2)], showgrid=False)
    drawing.update_yaxes(range=[low - pad, high + pad], nticks=3)
    drawing.update_layout(margin={"t": 26})
    return drawing
