"""The blocks of the studies page that show what came out: the questions, the answer, its figures and tables, and how to repeat it."""

from __future__ import annotations

import functools

import plotly.graph_objects as go
import streamlit as st

from explorer.blocks import controls
from explorer.components.plot import plot
from explorer.components.table import table
from explorer.pictures.study_figures import authors, story_figure
from explorer.state import session
from explorer.study_results import Outcome, doubts, open_questions, over_data_sets
from explorer.words import studies
from explorer.words.open_questions import scales, where
from explorer.words.results import LABELS
from explorer.words.story import Point, paragraph
from ked.studies import study_named
from ked.studies.authors import AUTHORS
from ked.studies.cells import Settings
from ked.studies.report import Report
from ked.studies.study import Measured, Study

_CLEAR_CUT = "Modularity of the teacher's superfeatures against their number."
_FORESTS: dict[Measured, str] = {"accuracy": "What is gained, in accuracy", "agreement": "What is gained, in agreement"}
_BY_LEVEL = "by level and method: faint dots are teachers, or students of the only one, large ones means with 95 % intervals."
_RECOVERED = "Adjusted Rand index of superfeatures and planted groups against the features' correlation."
_TABLE = {"comparison": st.column_config.TextColumn(pinned=True, width="medium")}


def choose() -> None:
    """The questions, by what they ask."""
    topics = studies.topics()
    for column, (topic, rows) in zip(st.columns(len(topics), gap="medium"), topics.items(), strict=True):
        with column:
            controls.one("study", rows, part=topic, label=topic, wrap=True)


def settings_row() -> None:
    """How large the trainings are, and how many students there are of each method."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        study = study_named(session.get("study"))
        if len(offered := scales(study)) > 1:
            controls.segments("study_scale", options=offered)
        elif session.get("study_scale") not in study.scales:  # where the levels are data sets an address may still ask for larger nets
            session.put(study_scale=offered[0])
        controls.number("study_teachers", width=130)
        controls.number("study_seeds", width=130)


def asked() -> tuple[Study, Settings]:
    """The chosen study, and of how many teachers and students it is wanted."""
    settings = Settings(session.get("study_scale"), seeds=session.get("study_seeds"), teachers=session.get("study_teachers"))
    return study_named(session.get("study")), settings


def answer(about: Report) -> None:
    """The question in full, then what the numbers say: what is shown first."""
    st.subheader(about.study.question, anchor=False)
    if not about.contrasts:
        _nothing(about)
        return
    with st.container(key="study-answer", gap="xsmall"):
        for shown, sentence in about.findings:
            st.markdown(f"**● {sentence}**" if shown else f"○ {sentence}")
    st.caption(f"● The difference is shown. ○ It is not shown, which does not mean that there is none. {_from_where(about)}")
    if about.missing:
        st.info(f"Not finished yet, so left out: {', '.join(about.missing)}.", icon=":material/hourglass_empty:")


def _nothing(about: Report) -> None:
    on = where(about.study, about.settings.scale)
    st.info(f"Nothing of this study is finished on {on}. Start it below, or look at other data.", icon=":material/hourglass_empty:")


def _from_where(about: Report) -> str:
    """Whose cells these are."""
    levels = {*about.cells["level"]}
    own = [level for level in dict.fromkeys(about.cells["level"]) if level not in about.shipped]
    if not about.shipped:
        return "All of it was computed here."
    if not own:
        return "These results come with the program; start the study below to compute them here."
    some = f"{len(about.shipped)} of {len(levels)} levels come" if len(about.shipped) > 1 else f"One of {len(levels)} levels comes"
    return f"Computed here: {', '.join(own)}; {some} with the program."


def pictures(shown: Outcome) -> None:
    """What the differences are differences of."""
    left, right = st.columns(2, gap="large")
    with left:
        _accuracy(shown)
    with right:
        _agreement(shown)
        _titled("Are the planted groups found?", shown.recovery, "study-recovery", _RECOVERED)
        _titled("How clear-cut the superfeatures are", shown.modularity, "study-modularity", _CLEAR_CUT)


def differences(shown: Outcome, settings: Settings) -> None:
    """The differences against zero, and what was trained for them. `settings`: what was asked for."""
    for measure, figure in shown.forests.items():
        alt = "Differences between methods, one row per comparison: a dot and its 95 % interval, and a line at zero."
        _titled(_FORESTS[measure], figure, f"differences-{measure}", alt)
    about = shown.report
    st.caption(studies.made_of(about) + (f" {studies.instead(about, settings)}" if about.settings != settings else ""))


def _accuracy(shown: Outcome) -> None:
    _titled("Accuracy", shown.accuracy, "study-accuracy", f"Test accuracy {_BY_LEVEL}")
    if shown.accuracy is not None:
        _authors(shown.report)


def _agreement(shown: Outcome) -> None:
    _titled("Agreement with the teacher's explanations", shown.agreement, "study-agreement", f"Agreement {_BY_LEVEL}")


def _titled(title: str, figure: go.Figure | None, key: str, alt: str) -> None:
    """A figure under its title, if there is one; a click on it chooses the cell of that level."""
    if figure is None:
        return
    st.subheader(title, anchor=False)
    clicked = plot(figure, key, alt=alt)
    if clicked and clicked.get("customdata"):
        session.put(cell=str(clicked["customdata"]))
        st.rerun()


def _authors(about: Report) -> None:
    """Beside which numbers of others ours stand."""
    theirs = authors(about)
    if theirs:
        ours = {net: value for (_, net), value in theirs.items()}
        told = ", ".join(f"{LABELS[net]} {100 * value:.2f}" for net, value in ours.items())
        st.caption(f"✕ {AUTHORS.source}: {told} %. One run has no interval.")


def story() -> None:
    """The same comparisons over all data sets, and what they show together."""
    found = over_data_sets()
    if not found:
        return
    st.subheader("When do explanations help?", anchor=False)
    alt = "Differences in test accuracy, question by question, over data sets with known superfeatures and without: dots and intervals."
    plot(_story_of(tuple(found)), "study-story", alt=alt, select=())
    st.markdown(paragraph(found))
    with st.expander("Open questions: what was found, what is missing, what would change our mind", icon=":material/help:"):
        st.markdown(open_questions())


@functools.lru_cache(maxsize=1)
def _story_of(found: tuple[Point, ...]) -> go.Figure:
    """Cells change seldom, and the figure has a row for each data set and question."""
    return story_figure(found)


def tables(about: Report) -> None:
    """Every number, on what it rests, and the command that repeats it."""
    if about.contrasts:
        st.subheader("What this rests on", anchor=False)
        st.markdown(doubts(about))
        st.caption(f"{studies.test_set(about)}Choices are made on validation data; test data are used once, to report.")
        with st.expander("Every number, as a table", icon=":material/table_rows:"):
            table(studies.contrast_table(about.contrasts), "contrasts", height="content", columns=_TABLE)
            st.caption("Differences of accuracy are in percentage points; intervals are not corrected, p values by Holm's method are.")
            table(studies.net_table(about), "nets", height=420)
            st.markdown(f"**In a sentence.** {about.answer}")
    st.markdown("**Repeat it** with one command; what is stored is never computed again.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.code(studies.command_line(about), language="bash", wrap_lines=True, width="content")
        if not about.cells.empty:
            name = f"{about.study.name}-{about.settings.scale}-cells.csv"
            data = about.cells.to_csv(index=False).encode()
            told = "One row per cell, with every number that was measured."
            st.download_button("Cells as CSV", data, name, "text/csv", icon=":material/download:", on_click="ignore", help=told)
