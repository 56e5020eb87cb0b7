"""Superfeatures: the dependency graph of a teacher's input features, or channels, and the groups it falls into."""

import streamlit as st

from explorer import cache
from explorer.blocks import controls, frame, nothing_yet
from explorer.blocks.superfeatures import channels as channel_panels
from explorer.blocks.superfeatures import graph as graph_panels
from explorer.blocks.superfeatures import pictures
from explorer.state import session

LEAD = "Some features mean something only **together**. A **superfeature** is a group of them that change the teacher's answer together."

with frame.page("superfeatures", "Which features belong together?", LEAD):
    run = frame.current_run()
    channels = run is not None and cache.convolutional(run)
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        controls.choice("dataset", then=frame.follow_dataset, width=220)
        frame.run_menu()
        if channels:
            controls.choice("reduce", width=150)
        else:
            controls.slider("superfeatures", width=190)
            controls.choice("grouping", width=150)
            controls.choice("scale", width=190)
            with st.popover("More settings", icon=":material/tune:", help="How W is averaged, and what searches it."):
                controls.choice("engine")
                controls.choice("reduce")

    if run is None:
        nothing_yet.no_run_yet()
    elif not run.has("dependency"):
        graph_panels.not_there_yet(run)
    elif channels:
        view = channel_panels.look_at(run)
        graph_panels.headline(view)
        graph, matrix, groups = st.columns([5, 4, 4], gap="medium")
        with graph:
            channel_panels.graph(view)
        with matrix:
            graph_panels.matrix(view)
        with groups:
            channel_panels.between(view)
        channel_panels.answer(view)
        channel_panels.why()
        channel_panels.looks(view)
        graph_panels.next_step(run, len(view.groups), "hessian")
    else:
        view = graph_panels.look_at(run)
        graph_panels.headline(view)
        leads = [pictures.lit] if view.dataset.is_image else []
        panels = [*leads, pictures.chosen, graph_panels.matrix]
        for column, panel in zip(st.columns(len(panels), gap="medium"), panels, strict=True):
            with column:
                panel(view)
        graph, table = st.columns([3, 2], gap="medium")
        with graph:
            graph_panels.graph(view)
        with table:
            pictures.links_table(view)
        graph_panels.meaning(view)
        graph_panels.resolutions(view)
        graph_panels.next_step(run, session.get("superfeatures"), session.get("grouping"))
