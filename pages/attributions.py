"""Attributions: Captum's methods beside the net's own explanation, on one sample: which of them tell the same story?"""

import streamlit as st

from explorer import cache
from explorer.blocks import choose, controls, frame, nothing_yet
from explorer.blocks.attributions import attributed_sample, checks, curves, grid

LEAD = "**Attribution** methods explain any net from outside, after the fact. Here they stand beside the net's own explanation."

with frame.page("attributions", "Which explanation can be trusted?", LEAD):
    run = frame.current_run()
    busy = run is not None and cache.status(run) in ("queued", "running")
    teachers = attributed_sample.teachers(run) if run and not busy else []
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        controls.choice("dataset", then=frame.follow_dataset, width=220)
        frame.run_menu()
        if run and teachers and attributed_sample.students(run):
            choose.student(run)
    if run is None:
        nothing_yet.no_run_yet()
    elif busy:
        nothing_yet.not_there_yet(run)
    elif not teachers:
        nothing_yet.nothing_to_ask()
    else:
        choose.sample(run, teachers[0])
        about = attributed_sample.subject(run)
        choose.class_in_question(about)
        if not about.methods:
            nothing_yet.nothing_recorded()
        else:
            maps, orders, alike, exact, numbers = st.tabs(["Maps", "Removing and adding", "Do they agree?", "Exact?", "Every number"])
            with maps:
                grid.grid(about)
            with orders:
                curves.orders(about)
            with alike:
                checks.agreement(about)
            with exact:
                if cache.recorded(run):
                    st.caption("Exact Shapley values need the nets, of which this run kept only what they said.")
                else:
                    checks.shapley(about)
            with numbers:
                checks.numbers(about)
            checks.meaning(about)
