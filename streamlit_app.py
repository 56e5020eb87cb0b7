"""KED Explorer: `streamlit run streamlit_app.py`.

The pages are not in a folder called `pages`: Streamlit would serve such a folder by itself, and a visitor who opens a
copied address on a fresh server would get the bare page without this frame.
"""

import streamlit as st

st.set_page_config(page_title="KED Explorer", page_icon="assets/icon.png", layout="wide")
st.navigation(
    [
        st.Page("app_pages/superfeatures.py", title="Superfeatures", icon=":material/hub:", default=True),
        st.Page("app_pages/train.py", title="Train", icon=":material/play_circle:"),
        st.Page("app_pages/explain.py", title="Explain", icon=":material/visibility:"),
        st.Page("app_pages/attributions.py", title="Attributions", icon=":material/compare:"),
        st.Page("app_pages/agreement.py", title="Agreement", icon=":material/handshake:"),
        st.Page("app_pages/chimeras.py", title="Chimeras", icon=":material/extension:"),
        st.Page("app_pages/studies.py", title="Studies", icon=":material/science:"),
        st.Page("app_pages/data.py", title="Data", icon=":material/table_view:"),
        st.Page("app_pages/runs.py", title="Runs", icon=":material/inventory_2:"),
    ],
    position="top",
).run()
