"""Explain: one test sample, what each superfeature contributes, teacher and student side by side."""

import streamlit as st

from explorer import cache
from explorer.blocks import controls, explain_panels, explain_pictures, frame, graph_panels, map_panels, own_picture, voices
from ked.runs import jobs

LEAD = (
    "An explaining net adds up what each superfeature says: **base** + **contributions** = log-probability, up to the "
    "normaliser. The contributions are exact Shapley values, not estimates. Does the student reason as its teacher does?"
)

with frame.page("explain", "What does each superfeature say?", LEAD):
    run = frame.current_run()
    ready = explain_panels.ready(run)
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        controls.choice("dataset", then=frame.follow_dataset, width=200)
        frame.run_menu()
        if run and ready:
            explain_panels.choose_student(run)
    if run is None:
        graph_panels.no_run_yet()
    elif not ready:
        explain_panels.not_there_yet(jobs.status(run))
    elif controls.segments("subject") == "own":
        own_picture.explain(run)
    else:
        explain_panels.choose_sample(run)
        about = voices.subject(run)
        explain_panels.in_words(about)
        explain_panels.questions(about)
        pictures = map_panels if cache.convolutional(run) else explain_pictures
        pictures.pictures(about)
        explain_pictures.bars(about)
        explain_panels.next_step(run)
