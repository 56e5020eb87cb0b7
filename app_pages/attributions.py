"""Attributions: Captum's methods beside the net's own explanation, on one sample: which of them tell the same story?"""

import streamlit as st

from explorer.blocks import (
    attribution_checks,
    attribution_curves,
    attribution_panels,
    controls,
    explain_panels,
    frame,
    graph_panels,
)
from ked.runs import jobs

LEAD = (
    "An explaining net says itself what each superfeature contributes. **Attribution methods** work it out from outside, for any "
    "net, after the fact. Here they stand side by side on one sample: what they cost, how good they are, and whether they agree."
)

with frame.page("attributions", "Which explanation can be trusted?", LEAD):
    run = frame.current_run()
    busy = run is not None and jobs.status(run) in ("queued", "running")
    teachers = attribution_panels.teachers(run) if run and not busy else []
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        controls.choice("dataset", then=frame.follow_dataset, width=200)
        frame.run_menu()
        if run and teachers and attribution_panels.students(run):
            explain_panels.choose_student(run)
    if run is None:
        graph_panels.no_run_yet()
    elif busy:
        explain_panels.not_there_yet(jobs.status(run))
    elif not teachers:
        attribution_panels.nothing_to_ask()
    else:
        explain_panels.choose_sample(run, teachers[0])
        about = attribution_panels.subject(run)
        explain_panels.choose_class(about)
        attribution_panels.grid(about)
        attribution_curves.orders(about)
        attribution_checks.agreement(about)
        attribution_checks.shapley(about)
        attribution_checks.numbers(about)
