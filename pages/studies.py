"""Studies: what KED's explanations buy and what they do not, with intervals, and how to compute it again."""

from explorer.blocks import frame
from explorer.blocks.studies import computing, results
from explorer.study_results import best_known, outcome

LEAD = (
    "Each question is answered by a grid of runs: the same students with and without what is asked about, **paired by teacher**, "
    "with 95 % intervals. What came out is shown whichever way it came out, and every number can be computed again."
)

with frame.page("studies", "What do explanations buy?", LEAD):
    results.choose()
    results.settings_row()
    study, settings = results.asked()
    shown = best_known(study, settings)
    results.answer(shown.report, settings)
    results.pictures(shown)
    computing.open_cell(shown.report)
    results.tables(shown.report)
    results.story()
    computing.desk(outcome(study, settings).report)
