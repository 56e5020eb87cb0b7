"""Train: teachers and students, live, several seeds at once."""

import streamlit as st

from explorer.blocks import controls, frame
from explorer.blocks.train import live, loss, more_settings, student_menu
from explorer.state import session

LEAD = "A **teacher** learns from labels; small **students** learn from it, with its explanations and without them."

with frame.page("train", "Train students on explanations", LEAD):
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        controls.choice("dataset", then=frame.follow_dataset, width=220)
        controls.slider("superfeatures", width=160)
        controls.slider("seeds", width=140)
        controls.slider("epochs", width=160)
        loss.share()
        with st.popover("Loss", icon=":material/functions:", width="content", help="What students minimise, with λ, μ, T and τ."):
            loss.formula()
        told = "Nets, training, superfeatures and data: everything else that a run depends on."
        with st.popover("More settings", icon=":material/tune:", width="content", help=told):
            more_settings.tabs()
    student_menu.choose()
    run = frame.current_run()
    with st.container(horizontal=True, vertical_alignment="bottom", key="start"):
        live.start()
        frame.run_menu()
    if run is not None:
        live.watch(run)
    else:
        st.info(f"Nothing has been trained on {frame.title_of(session.get('dataset'))} yet.", icon=":material/school:")
