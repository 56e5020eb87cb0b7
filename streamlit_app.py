"""KED Explorer: `streamlit run streamlit_app.py`."""

import streamlit as st

st.set_page_config(page_title="KED Explorer", page_icon=":material/hub:", layout="wide")
st.navigation(
    [
        st.Page("pages/superfeatures.py", title="Superfeatures", icon=":material/hub:", default=True),
        st.Page("pages/train.py", title="Train", icon=":material/play_circle:"),
        st.Page("pages/explain.py", title="Explain", icon=":material/visibility:"),
    ],
    position="top",
).run()
