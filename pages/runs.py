"""Runs: the library of everything that was computed, to be searched, compared, handed on and cleared away."""

import streamlit as st

from explorer.blocks import frame
from explorer.blocks.runs import comparison, listing

LEAD = "Every stored run. Mark **one** for its results and its recipe, or **several** to compare them, paired by the seeds that they share."

with frame.page("runs", "What came out of every run?", LEAD):
    chosen = listing.selected()
    found = listing.entries()
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        listed = listing.filters(found)
        listing.take_in()
    listing.choose(listed, chosen)
    if len(chosen) > 1:
        comparison.compare(chosen)
    else:
        run = frame.current_run()
        for name in chosen or ([run.id] if run else []):
            listing.details(name)
