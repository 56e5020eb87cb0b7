"""Train: teachers and students, live, several seeds at once."""

import streamlit as st

from explorer.blocks import controls, frame
from explorer.blocks.train import live, more_settings, student_menu
from explorer.state import session

LEAD = (
    "A **teacher** learns from the labels, a second one of the same size **explains itself** by superfeatures, and small "
    "**students** learn from them. The control *architecture only* has the form of a KED student and learns from labels alone: it "
    "shows what the explanations add, and what the form alone does."
)

with frame.page("train", "Train students on explanations", LEAD):
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        controls.choice("dataset", then=frame.follow_dataset, width=200)
        controls.slider("superfeatures", width=180)
        controls.slider("seeds", width=150)
        controls.slider("epochs", width=180)
        controls.slider("mu", width=180)
        told = "Loss, nets, training, superfeatures and data: everything else that a run depends on."
        with st.popover("More settings", icon=":material/tune:", width="content", help=told):
            more_settings.tabs()
    student_menu.choose()
    live.start()
    run = frame.current_run()
    if run is not None:
        st.divider()
        with st.container(horizontal=True, vertical_alignment="bottom"):
            frame.run_menu()
        live.watch(run)
    else:
        st.info(f"Nothing has been trained on {frame.title_of(session.get('dataset'))} yet.", icon=":material/school:")
