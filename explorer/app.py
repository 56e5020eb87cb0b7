"""KED Explorer: `python -m ked app`. The pages, in order; nothing else."""

from pathlib import Path

import streamlit as st

st.set_page_config(page_title="KED Explorer", page_icon=str(Path(__file__).parents[1] / "assets" / "icon.png"), layout="wide")
st.navigation(
    [
        st.Page("../pages/superfeatures.py", title="Superfeatures", icon=":material/hub:", default=True),
        st.Page("../pages/train.py", title="Train", icon=":material/play_circle:"),
        st.Page("../pages/explain.py", title="Explain", icon=":material/visibility:"),
        st.Page("../pages/attributions.py", title="Attributions", icon=":material/compare:"),
        st.Page("../pages/agreement.py", title="Agreement", icon=":material/handshake:"),
        st.Page("../pages/chimeras.py", title="Chimeras", icon=":material/extension:"),
        st.Page("../pages/studies.py", title="Studies", icon=":material/science:"),
        st.Page("../pages/data.py", title="Data", icon=":material/table_view:"),
        st.Page("../pages/runs.py", title="Runs", icon=":material/inventory_2:"),
    ],
    position="top",
).run()
