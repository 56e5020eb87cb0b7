"""Runs: the library of everything that was computed, to be searched, compared, handed on and cleared away."""

import streamlit as st

from explorer.blocks import comparison_panels, frame, library_panels

LEAD = (
    "Every stored run, with what it was made of. Mark **one** for its results, recipe and provenance, or **several** to lay their "
    "curves and accuracies side by side, paired by the seeds that they share."
)

with frame.page("runs", "What came out of every run?", LEAD):
    chosen = library_panels.selected()
    found = library_panels.entries()
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        listed = library_panels.filters(found)
        library_panels.take_in()
    library_panels.choose(listed, chosen)
    if len(chosen) > 1:
        comparison_panels.compare(chosen)
    else:
        run = frame.current_run()
        for name in chosen or ([run.id] if run else []):
            library_panels.details(name)
