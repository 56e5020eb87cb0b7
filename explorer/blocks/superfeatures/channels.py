"""The superfeatures page for convolutional nets: their superfeatures are groups of channels, made by the architecture."""

from __future__ import annotations

import dataclasses

import numpy as np
import streamlit as st

from explorer import cache
from explorer.blocks import controls
from explorer.blocks.superfeatures import graph as graph_panels
from explorer.blocks.superfeatures import pictures
from explorer.blocks.superfeatures.graph import View
from explorer.components.plot import plot
from explorer.pictures import graphs, maps, theme
from explorer.state import session
from explorer.words import explain
from ked.communities.superfeatures import modularity
from ked.nets.cnn.channels import group_links
from ked.store import Run

_ROW = 4  # superfeatures side by side on a wide screen
_CLASSES = 10  # shown of a data set's classes: more would be too small to see
_PICTURES = 5  # a row of them
_LETTERS = 11  # of a class's name have room above its picture


def look_at(run: Run) -> View:
    """The view of a run whose groups are given: only how W is averaged can be chosen."""
    reduce = session.get("reduce")
    W, given = cache.dependency(run, reduce, None), run.superfeatures()
    found = dataclasses.replace(given, modularity=modularity(W, given.labels()))
    return View(run, cache.dataset_of(run), W, found, reduce, None, None, channels=True)


def why() -> None:
    """Why the controls of other runs are not here."""
    st.caption(
        "These nets are convolutional: their architecture cuts the channels into groups and gives each a branch of its own, so "
        "there is no number, grouping or unit to choose. What remains to be asked is whether the groups are independent."
    )


def answer(view: View) -> None:
    """Whether the groups are independent, in a sentence made from the numbers."""
    links = group_links(view.W, view.groups)
    st.markdown(explain.independence(links.inside, links.chance, len(view.groups)))


def graph(view: View) -> None:
    """Channels as nodes, near each other where they are linked; a click lights up a channel."""
    st.subheader("The dependency graph of the channels", anchor=False)
    figure = graphs.dependency_graph(
        view.W, view.groups, (len(view.W),), edges=session.get("edges"),
        positions=cache.positions(view.run, view.reduce, None), names=view.names, selected=view.node,
        lit=view.selected, labelled=False,
    )  # fmt: skip
    alt = f"Graph of {len(view.W)} channels in {len(view.groups)} groups, with the {session.get('edges')} strongest links."
    clicked = plot(figure, "graph", alt=alt)
    controls.slider("edges")
    st.caption("Channels that are linked strongly lie near each other, whatever their group. Click or choose one for its own links.")
    if clicked and clicked.get("customdata") is not None:
        graph_panels.light_up(view, int(np.ravel(clicked["customdata"])[0]))


def between(view: View) -> None:
    """How strongly the groups are linked inside and with each other; the strongest links."""
    st.subheader("Inside and between groups", anchor=False)
    means = group_links(view.W, view.groups).means
    plot(maps.group_links(means), "groups", alt="Mean link strength inside and between groups, against chance.", select=())
    st.caption(
        "Mean strength of a link, as a multiple of the mean over all pairs of channels: 1× is chance. Branches meet in the "
        "softmax alone, so a link between two says that both decide between the same classes."
    )
    pictures.links_table(view)


def looks(view: View) -> None:
    """For each superfeature, the classes' average pictures under where its branch finds what speaks for the class."""
    pictures, seen = cache.class_maps(view.run, _CLASSES)
    classes, limit = view.dataset.classes[: len(pictures)], float(np.nanmax(seen, initial=0.0)) or 1.0
    st.subheader("What each superfeature looks at", anchor=False)
    for first in range(0, len(view.groups), _ROW):
        places = st.columns(_ROW, gap="medium")
        for place, m in zip(places, range(first, min(first + _ROW, len(view.groups))), strict=False):
            cells = [
                maps.Cell(picture, values[m], (_short(name),), f"superfeature {m + 1} for {name}")
                for picture, values, name in zip(pictures, seen, classes, strict=True)
            ]
            with place:
                _looks_of(view, m, cells, limit)
    total = view.dataset.class_count
    shown = "each class" if len(classes) == total else f"the first {len(classes)} of {total} classes"
    st.caption(
        f"The average test picture of {shown}, under the average Grad-CAM of the explaining teacher's branch for that class: "
        "the stronger the colour, the more the branch's channels there speak for the class. One scale for all."
    )


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"


def _looks_of(view: View, m: int, cells: list[maps.Cell], limit: float) -> None:
    colour = theme.superfeature_colour(m)
    head = theme.key(colour, f"<b>{m + 1}</b> {explain.channels(view.groups[m])}")
    figure = maps.sheet(cells, view.dataset.shape, colour, limit=limit, columns=_PICTURES, width=290, head=head)
    plot(figure, f"looks-{m + 1}", alt=f"Where superfeature {m + 1} looks for each class, on average.", select=())
