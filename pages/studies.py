"""Studies: what KED's explanations buy and what they do not, with intervals, and how to compute it again."""

import streamlit as st

from explorer.blocks import frame, share
from explorer.blocks.studies import computing, results
from explorer.study_results import best_known, outcome

LEAD = "The same students with and without what is asked about, **paired by teacher**, with 95 % intervals, whichever way it came out."

with frame.page("studies", "What do explanations buy?", LEAD):
    with st.container(key="controls"):
        results.choose()
        results.settings_row()
    study, settings = results.asked()
    shown = best_known(study, settings)
    if not share.revealed(study.question, ("Yes", "No", "No difference can be shown")):
        st.stop()
    said, pictured = st.columns(2, gap="large")
    with said:
        results.answer(shown.report)
    with pictured:
        results.differences(shown, settings)
    results.pictures(shown)
    computing.open_cell(shown.report)
    results.tables(shown.report)
    results.story()
    computing.desk(outcome(study, settings).report)
