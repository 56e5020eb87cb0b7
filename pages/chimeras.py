"""Chimeras: a sample whose superfeatures come from several samples, and what every net says about it."""

from functools import partial

import streamlit as st

from explorer import cache
from explorer.blocks import choose, controls, frame, nothing_yet
from explorer.blocks.chimeras import data_efficiency, panels
from explorer.blocks.chimeras import view as chimera_view

LEAD = "A **chimera** takes each superfeature from a donor of its own. An explaining net answers part by part, so it can label any of them."

with frame.page("chimeras", "What if a part came from another sample?", LEAD):
    run = frame.current_run()
    ready = nothing_yet.ready(run)
    parts = ready and run is not None and not cache.convolutional(run) and not cache.recorded(run)
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        controls.choice("dataset", then=frame.follow_dataset, width=220)
        frame.run_menu()
        if run and parts:
            choose.student(run)
    if run is None:
        nothing_yet.no_run_yet()
    elif not ready:
        nothing_yet.not_there_yet(run)
    elif cache.recorded(run):
        nothing_yet.not_kept()
    elif not parts:
        panels.channels_instead(run)
    else:
        view = chimera_view.look_at(run)
        panels.pictures(view)
        panels.in_words(view)
        panels.slots(view)
        choose.sample(
            run, taken=panels.strip_gives(view), entered=partial(panels.becomes_the_sample, view)
        )
        panels.changes(view)
    if run and not cache.recorded(run):
        data_efficiency.curve(run)
