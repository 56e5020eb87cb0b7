"""Data: what a data set holds, what to mind before training on it, and a visitor's own."""

import streamlit as st

from explorer import cache, state
from explorer.blocks import controls, data_panels, frame, own_data
from ked.data import on_shelf

LEAD = (
    "Nets learn what the data show, shortcuts included. Look before you train: how many samples each class has, what they look "
    "like, and whether anything gives the answer away. Your **own** table or pictures take one upload."
)

with frame.page("data", "What is in the data?", LEAD):
    name = state.get("dataset")
    top = st.container(horizontal=True, vertical_alignment="bottom", key="controls")
    with top:
        controls.choice("dataset", then=data_panels.follow, width=260)
        frame.run_menu()
    own_data.bring()
    data = data_panels.opened(name)
    with top:
        if data is not None:
            data_panels.next_steps(data, frame.current_run())
        if on_shelf(name):
            own_data.delete(name)
    if data is not None:
        found = cache.checkup(name)
        data_panels.headline(data, found)
        left, right = st.columns([5, 6], gap="large")
        with left:
            data_panels.balance(data, found)
            data_panels.checks(data, found)
        with right:
            data_panels.samples(data, found)
