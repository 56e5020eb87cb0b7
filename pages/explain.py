"""Explain: one test sample, what each superfeature contributes, teacher and student side by side."""

import streamlit as st

from explorer import cache
from explorer.blocks import choose, controls, explained_sample, frame, nothing_yet
from explorer.blocks.explain import maps, own_picture, own_row, questions
from explorer.blocks.explain import pictures as explain_pictures
from explorer.state import session

LEAD = "An explaining net adds up what each superfeature says: **base** + **contributions** = log-probability, up to the normaliser."

with frame.page("explain", "What does each superfeature say?", LEAD):
    run = frame.current_run()
    ready = nothing_yet.ready(run)
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        controls.choice("dataset", then=frame.follow_dataset, width=220)
        frame.run_menu()
        if run and ready:
            choose.student(run)
            controls.segments("subject")
    if run is None:
        nothing_yet.no_run_yet()
    elif not ready:
        nothing_yet.not_there_yet(run)
    elif session.get("subject") == "own":
        (own_picture if cache.dataset_of(run).is_image else own_row).explain(run)
    else:
        choose.sample(run)
        about = explained_sample.subject(run)
        questions.questions(about)
        with st.container(key="pictures"):
            (maps if cache.convolutional(run) else explain_pictures).pictures(about)
        questions.in_words(about)
        explain_pictures.pair_grids(about)
        explain_pictures.bars(about)
        questions.over_the_test_set(about, run)
        questions.next_step(run)
