"""What came out of a finished run: the table of its nets, and what that means."""

from __future__ import annotations

import streamlit as st

from explorer import cache, study_results
from explorer.blocks.what_it_means import what_it_means
from explorer.components.table import table
from explorer.report.tables import conclusion
from explorer.words.results import result_table
from ked.store import Run


def outcome(run: Run) -> None:
    """The table, on what its intervals rest, and what it means in sentences."""
    facts = cache.facts(run)
    table(result_table(facts["summary"], facts["seconds"]), "results-table")
    st.caption(
        "Intervals are 95 % Student-t intervals over the students' seeds; the teachers are trained once, so nothing here "
        "speaks for other teachers. Differences are taken seed by seed, in percentage points; their intervals "
        "are not corrected for their number. The test set was used once, for this table."
    )
    what_it_means(conclusion(run), study_results.on(cache.recipe(run)))
