"""KED Explorer: `python -m ked app`. What the browser's tab shows, who comes in, and the pages; nothing else."""

import streamlit as st

from explorer import entrance, navigation
from ked.files.processes import let_threads_sleep
from ked.files.shipped import shipped

let_threads_sleep()  # before a page imports torch
st.set_page_config(
    page_title="KED Explorer", page_icon=str(shipped("explorer/assets/icon.png", "assets/icon.png")), layout="wide"
)
page = st.navigation(navigation.menu(), position="top")
entrance.open_to_visitors()
page.run()
