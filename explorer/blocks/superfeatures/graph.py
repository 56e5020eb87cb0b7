"""The blocks of the superfeatures page: each draws one thing and answers a click on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer import cache, navigation, study_results
from explorer.blocks import controls, nothing_yet
from explorer.blocks.what_it_means import what_it_means
from explorer.components.plot import plot
from explorer.pictures import charts, graphs, theme
from explorer.state import session
from explorer.state.settings import SETTINGS
from explorer.words import explain
from explorer.words.meaning import told_by
from explorer.words.results import LABELS
from ked.communities.groups import Superfeatures
from ked.data import Dataset
from ked.nets.cnn.channels import group_links
from ked.shares import in_percent
from ked.store import Run

SPAN = 8.0  # the staircase covers resolutions from 1/8 to 8


@dataclass(frozen=True)
class View:
    """What the page shows: a run's teacher, its W and the superfeatures that the controls ask for."""

    run: Run
    dataset: Dataset
    W: np.ndarray
    found: Superfeatures
    reduce: str
    scale: str | None
    engine: str | None
    channels: bool = False

    @property
    def unit(self) -> str:
        """What superfeatures are made of."""
        return "channels" if self.channels else "pixels" if self.dataset.is_image else "features"

    @property
    def names(self) -> Sequence[str]:
        """What the rows of W are called, D of them."""
        return [f"channel {number}" for number in range(1, len(self.W) + 1)] if self.channels else self.dataset.features

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """M tuples of feature indices."""
        return self.found.groups

    @property
    def node(self) -> int | None:
        """The lit feature, if any."""
        node = session.get("node")
        return node if 0 <= node < len(self.W) else None

    @property
    def selected(self) -> int | None:
        """The lit superfeature, counted from 0, if any."""
        m = session.get("selected") - 1
        return m if 0 <= m < len(self.groups) else None

    def owner(self, feature: int) -> int:
        """The superfeature that a feature belongs to, counted from 0."""
        return next(m for m, group in enumerate(self.groups) if feature in group)


def look_at(run: Run) -> View:
    """The view of a run under the present settings."""
    reduce, scale, engine = session.get("reduce"), session.get("scale") or None, session.get("engine") or None
    W = cache.dependency(run, reduce, scale)
    data = cache.dataset_of(run)
    M = min(session.get("superfeatures"), len(W) if cache.convolutional(run) else data.group_count)
    found = cache.superfeatures(run, reduce, scale, M, session.get("grouping"), engine)
    return View(run, data, W, found, reduce, scale, engine)


def light_up(view: View, feature: int) -> None:
    """Select a feature and its superfeature; the same feature again lets go."""
    same = feature == session.get("node")
    session.put(node=-1 if same else feature, selected=0 if same else view.owner(feature) + 1)
    st.rerun()


def headline(view: View) -> None:
    """The superfeatures and their sizes, each a button; modularity, and what had to be adjusted."""
    found, facts = view.found, cache.facts(view.run)
    cells = st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key="headline")
    with cells:
        _choose_superfeature(view)
        _choose_feature(view)
    nothing = cache.modularity_for_nothing(view.W, view.groups)
    whose = "explaining" if view.channels else "teacher"
    accuracy = facts.get("summary", {}).get("accuracy", {}).get(whose)
    told = f"{LABELS[whose]} **{in_percent(accuracy, 1)}** on the test set · " if accuracy is not None else ""
    cells.markdown(
        f"{told}modularity **{found.modularity:.3f}** {explain.for_nothing(nothing)}",
        help="How much more link strength lies inside the groups than chance would put there. In brackets: random groups of the same sizes "
        "and communities found after all links were shuffled, which is what a search finds where there is nothing.",
        width="content",
    )
    if found.modularity <= 0 and len(found.groups) > 1:
        st.caption(f":material/info: {explain.NO_GROUPS}")
    if found.adjusted:
        st.caption(f":material/build: Adjusted: {found.adjusted}")


def _choose_superfeature(view: View) -> None:
    """The legend of all pictures, to choose from; what a click on one of them does for those who do not click."""
    st.session_state["widget.selected"] = view.selected

    def named(m: int) -> str:
        size = view.found.sizes[m]
        return f"{theme.dot(theme.superfeature_colour(m))} **{m + 1}** {size} {view.unit if size > 1 else view.unit[:-1]}"

    def changed() -> None:
        m = st.session_state["widget.selected"]
        session.put(node=-1, selected=0 if m is None else m + 1)

    st.pills(
        "Superfeatures", range(len(view.groups)), format_func=named, key="widget.selected", on_change=changed, wrap=True, width="content",
        help="Choose one to highlight it in every figure; choose it again to let it go.",
    )  # fmt: skip


def _choose_feature(view: View) -> None:
    """The lit feature by its name; a click on graph, matrix or mask does the same."""
    st.session_state["widget.node"] = -1 if view.node is None else view.node

    def changed() -> None:
        node = st.session_state["widget.node"]
        session.put(node=node, selected=view.owner(node) + 1 if node >= 0 else 0)

    st.selectbox(
        view.unit[:-1].capitalize(), range(-1, len(view.names)), format_func=lambda d: view.names[d] if d >= 0 else "none",
        key="widget.node", on_change=changed, width=170, help=SETTINGS["node"].help,
    )  # fmt: skip


def graph(view: View) -> None:
    """Nodes at their pixels, the strongest links between them; a click lights up a feature."""
    st.subheader("The dependency graph", anchor=False)
    mean, spread = cache.mean_image(view.run)
    figure = cache.figure(
        graphs.dependency_graph,
        view.W,
        view.groups,
        view.dataset.shape,
        edges=session.get("edges"),
        positions=cache.positions(view.run, view.reduce, view.scale),
        background=mean,
        spread=spread,
        names=view.dataset.features,
        selected=view.node,
        lit=view.selected,
    )
    alt = f"Graph of {len(view.W)} features in {len(view.groups)} communities, with the {session.get('edges')} strongest links."
    clicked = plot(figure, "graph", alt=alt)
    controls.slider("edges")
    st.caption(
        "Click a feature, or choose it above, to highlight its superfeature and its own links. "
        "Hollow features hardly vary: their links mean little."
    )
    if clicked and clicked.get("customdata") is not None:
        light_up(view, int(np.ravel(clicked["customdata"])[0]))


def matrix(view: View) -> None:
    """W ordered by community with its blocks outlined; a click lights up the row's feature."""
    st.subheader("Dependency matrix, ordered", anchor=False)
    figure = cache.figure(graphs.dependency_blocks, view.W, view.groups, selected=view.node, lit=view.selected, names=view.names)
    clicked = plot(
        figure, "matrix", alt=f"Dependency matrix with {len(view.groups)} blocks along its diagonal; stronger ink is a stronger link."
    )
    st.caption(
        f"Each cell is how strongly two {view.unit} depend on each other. Good superfeatures put the strong cells into the blocks."
    )
    if clicked:
        light_up(view, graphs.matrix_pair(clicked, view.groups)[0])


def resolutions(view: View) -> None:
    """Communities and modularity against the resolution, for those who ask how M was reached."""
    with st.expander("How exactly M communities were found", icon=":material/stairs:"):
        st.markdown(
            "Louvain's method does not take a number of communities; it takes a **resolution**. A larger one gives more, "
            "smaller communities. We search for the resolution that gives M; where the number skips M, communities are "
            "merged or split."
        )
        swept = cache.sweep(view.run, view.reduce, view.scale, view.engine, SPAN)
        figure = cache.figure(charts.staircase, *swept, chosen=view.found.resolution)
        plot(figure, "staircase", alt="Number of communities, a staircase, and modularity against the resolution.", select=())
        st.caption(f"Engine {view.found.engine}, resolution {view.found.resolution:.3g}.")


def meaning(view: View) -> None:
    """Whether the groups are more than a search finds anywhere, whether they are independent, and whether students need them."""
    run, links = view.run, group_links(view.W, view.groups)
    same = run.has("superfeatures") and run.superfeatures().groups == view.groups
    recovery = cache.facts(run).get("summary", {}).get("recovery") if same else None
    said = [
        explain.independence(links.inside, links.chance, len(view.groups)),
        explain.structure(view.found.modularity, cache.modularity_for_nothing(view.W, view.groups), recovery),
    ]
    study = study_results.on(cache.recipe(run), "grouping")
    if study:
        grouping = session.get("grouping")
        sides = ("random" if grouping == "hessian" else grouping, "ked"), ("hessian", "ked")
        chosen = [one for one in study.contrasts if (one.ours, one.theirs) == sides]
        said.append(told_by(study, chosen, lambda one: f"KED with {one.ours[0]} groups − with those of the Hessian"))
    what_it_means(said, study)


def next_step(run: Run, M: int, grouping: str) -> None:
    """Where to go from here."""
    recipe = cache.facts(run)["recipe"]
    same = (recipe["superfeatures"], recipe["grouping"]) == (M, grouping)
    with st.container(horizontal=True):
        if same and cache.facts(run)["status"] == "done":
            navigation.link("explain", "See what each superfeature says about a sample")
        navigation.link("train", f"Train students on these {M} superfeatures")




def not_there_yet(run: Run) -> None:
    """A run that has no dependency matrix (yet)."""
    status, facts = cache.status(run), cache.facts(run)
    active = status in ("queued", "running")
    if nothing_yet.was_removed(run, "dependency"):
        nothing_yet.say_removed("dependency.safetensors")
    elif status == "done":
        st.info("None of this run's students needed superfeatures, so no dependency matrix was measured.", icon=":material/info:")
    elif active:
        st.info(
            "This run is still training its teacher; the graph appears when that is done.", icon=":material/hourglass_top:"
        )
    else:
        ended, why = "failed" if status == "failed" else "was stopped", explain.sentence(facts["message"])
        st.warning(f"This run {ended} before it had a dependency matrix. {why}", icon=":material/error:")
    navigation.link("train", "Watch it train" if active else "Go to its training")
