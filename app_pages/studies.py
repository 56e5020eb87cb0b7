"""Studies: what KED's explanations buy and what they do not, with intervals, and how to compute it again."""

from explorer.blocks import frame, study_panels, study_work

LEAD = (
    "Each question is answered by a grid of runs: the same students with and without what is asked about, **paired by seed**, with "
    "95 % intervals. What came out is shown whichever way it came out, and every number can be computed again."
)

with frame.page("studies", "What do explanations buy?", LEAD):
    study_panels.choose()
    study_panels.settings_row()
    shown = study_panels.found()
    study_panels.answer(shown.report)
    study_panels.pictures(shown)
    study_work.open_cell(shown.report)
    study_panels.tables(shown.report)
    study_work.desk(shown.report)
