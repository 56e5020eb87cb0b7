"""Agreement: whether students explain as their teacher does, over the whole test set, and what learning from explanations buys."""

import streamlit as st

from explorer.blocks import agreement_details, agreement_panels, controls, explain_panels, frame, graph_panels
from ked.runs import jobs

LEAD = (
    "A student can give its teacher's answers for reasons of its own. **Agreement** asks whether the reasons are the same, "
    "**fidelity** whether the answers are, **accuracy** whether they are right. None of the three implies another."
)

with frame.page("agreement", "Do students explain as their teacher does?", LEAD):
    run = frame.current_run()
    ready = explain_panels.ready(run)
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        controls.choice("dataset", then=frame.follow_dataset, width=200)
        frame.run_menu()
        if run and ready:
            agreement_panels.choose_measure(run)
            agreement_panels.choose_beside(run)
    if run is None:
        graph_panels.no_run_yet()
    elif not ready:
        explain_panels.not_there_yet(jobs.status(run))
    elif not (about := agreement_panels.findings(run)).surveys:
        agreement_panels.no_students()
    else:
        agreement_panels.answer(about)
        agreement_panels.headline(about)
        agreement_panels.differences(about)
        if about.speaking:
            survey = agreement_details.choose_student(about)
            cells, dots, spread = st.columns([5, 4, 4], gap="medium")
            with cells:
                agreement_details.matrix(about, survey)
            with dots:
                agreement_details.scatter(about, survey)
            with spread:
                agreement_details.distribution(about)
            agreement_details.extremes(about, survey)
