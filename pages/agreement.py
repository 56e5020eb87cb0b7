"""Agreement: whether students explain as their teacher does, over the whole test set, and what learning from explanations buys."""

import streamlit as st

from explorer.blocks import controls, frame, nothing_yet, share
from explorer.blocks.agreement import details, overview
from explorer.words.agreement import QUESTION

LEAD = "**Agreement**: are the reasons the same? **Fidelity**: are the answers? **Accuracy**: are they right? None implies another."

with frame.page("agreement", "Do students explain as their teacher does?", LEAD):
    run = frame.current_run()
    ready = nothing_yet.ready(run)
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        controls.choice("dataset", then=frame.follow_dataset, width=220)
        frame.run_menu()
        if run and ready:
            overview.choose_measure(run)
            overview.choose_beside(run)
    if run is None:
        nothing_yet.no_run_yet()
    elif not ready:
        nothing_yet.not_there_yet(run)
    elif not (about := overview.findings(run)).surveys:
        overview.no_students()
    elif share.revealed(QUESTION, ("Agreement", "Accuracy", "Both", "Neither")):
        overview.answer(about)
        overview.headline(about)
        overview.differences(about)
        overview.meaning(about)
        if about.speaking:
            survey = details.choose_student(about)
            cells, dots, spread = st.columns([5, 4, 4], gap="medium")
            with cells:
                details.matrix(about, survey)
            with dots:
                details.scatter(about, survey)
            with spread:
                details.distribution(about)
            details.extremes(about, survey)
