"""Chimeras: a sample whose superfeatures come from several samples, and what every net says about it."""

from functools import partial

import streamlit as st

from explorer import cache
from explorer.blocks import chimera_panels, chimera_view, controls, efficiency_panels, explain_panels, frame, graph_panels
from ked.runs import jobs

LEAD = (
    "What if one superfeature were another sample's? A **chimera** takes each superfeature from a donor of its own. An explaining net "
    "answers part by part, so it can label any of them: where data are few, students learn from millions."
)

with frame.page("chimeras", "What if a part were another's?", LEAD):
    run = frame.current_run()
    ready = explain_panels.ready(run)
    parts = ready and run is not None and not cache.convolutional(run)
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        controls.choice("dataset", then=frame.follow_dataset, width=200)
        frame.run_menu()
        if run and parts:
            explain_panels.choose_student(run)
    if run is None:
        graph_panels.no_run_yet()
    elif not ready:
        explain_panels.not_there_yet(jobs.status(run))
    elif not parts:
        chimera_panels.channels_instead(run)
    else:
        view = chimera_view.look_at(run)
        chimera_panels.slots(view)
        explain_panels.choose_sample(
            run, taken=chimera_panels.strip_gives(view), entered=partial(chimera_panels.becomes_the_sample, view)
        )
        chimera_panels.in_words(view)
        chimera_panels.pictures(view)
        chimera_panels.changes(view)
    if run:
        efficiency_panels.curve(run)
