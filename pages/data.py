"""Data: what a data set holds, what to mind before training on it, and a visitor's own."""

import streamlit as st

from explorer.blocks import controls, frame
from explorer.blocks.data import panels, upload
from explorer.state import session
from ked.data import is_user_file
from ked.data.recorded import is_recorded

LEAD = "Look before you train: how many samples each class has, what they look like, and whether anything gives the answer away."

with frame.page("data", "What is in the data?", LEAD):
    name = session.get("dataset")
    top = st.container(horizontal=True, vertical_alignment="bottom", key="controls")
    with top:
        controls.choice("dataset", then=panels.follow, width=260)
        frame.run_menu()
    upload.bring()
    data = panels.opened(name)
    if is_recorded(name) and data is not None:
        panels.recorded(data)
        data = None
    with top:
        if data is not None:
            panels.next_steps(data, frame.current_run())
        if is_user_file(name):
            upload.delete(name)
    if data is not None:
        found = panels.checked(name)
        panels.headline(name, data, found)
        left, right = st.columns([5, 6], gap="large")
        with left:
            panels.balance(data, found)
            panels.checks(data, found)
        with right:
            panels.samples(data, found)
        panels.answers(data, frame.current_run())
