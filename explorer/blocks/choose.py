"""What several pages let a visitor choose: a student, a sample, a class, the superfeature that is lit up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import streamlit as st

from explorer import cache
from explorer.blocks import controls
from explorer.components.plot import plot
from explorer.components.table import table
from explorer.pictures import gallery
from explorer.state import session
from explorer.words import data as data_words
from explorer.words.results import LABELS
from ked.data import Dataset
from ked.store import Run

COLUMNS, ROWS = 10, 2  # of the strip
_ROWS, _COLUMNS = "samples", 12  # of a table: the list of samples, and how many of its columns that shows


def student(run: Run) -> None:
    """Which student, and which of its seeds."""
    recipe = cache.facts(run)["recipe"]
    controls.choice("student", options=[name for name in recipe["methods"] if run.has(f"student-{name}")], width=220)
    if recipe["seeds"] > 1:
        controls.slider("replica", high=recipe["seeds"] - 1, width=150)
    elif session.get("replica"):
        session.put(replica=0)  # there is nothing to choose, whatever the address says


def take(sample: int) -> None:
    """Explain another test sample."""
    session.put(sample=sample, label=-1, against=-1)


def sample(
    run: Run, teacher: str = "explaining", *, taken: Callable[[int], None] = take, entered: Callable[[int], None] = take
) -> None:
    """The strip of test samples, a click away from being explained, or from being `taken` for what else a page does with one.

    It is filtered by what a teacher and the student answer. A number that is `entered` is that of the sample to explain.
    """
    dataset = cache.dataset_of(run)
    x, y = dataset.part("test")
    k, student = session.get("replica"), session.get("student")
    answers = cache.test_predictions(run, teacher, 0)
    students = cache.test_predictions(run, student, k) if run.has(f"student-{student}") else answers
    offered = gallery.order(session.get("gallery"), answers, students, y.numpy())
    pages = max(1, -(-len(offered) // (COLUMNS * ROWS)))
    with st.container(horizontal=True, vertical_alignment="bottom", key="choose-sample"):
        controls.segments("gallery", then=lambda: session.put(page=1))
        controls.slider("page", high=pages, width=220) if pages > 1 else None
        controls.number("sample", high=len(y) - 1, width=120, then=lambda: entered(session.get("sample")))
        st.caption(f"{len(offered)} of {len(y)} test samples", width="content")
    page = min(session.get("page"), pages) - 1
    shown = offered[page * COLUMNS * ROWS : (page + 1) * COLUMNS * ROWS]
    if not len(shown):
        st.info("No test sample is of this kind; choose another filter.", icon=":material/filter_alt_off:")
        return
    if dataset.is_image:
        _strip(dataset, x.numpy()[shown], y.numpy()[shown], shown, taken)
    else:
        said = {LABELS[teacher]: answers[shown], **({LABELS[student]: students[shown]} if students is not answers else {})}
        _rows(dataset, shown, said, taken)


def _rows(dataset: Dataset, shown: np.ndarray, said: dict[str, np.ndarray], taken: Callable[[int], None]) -> None:
    """A table's samples as they stood in it, with their classes and what the nets answer; a row that is marked is taken."""
    rows = dataset.test.numpy()[shown]
    values = data_words.rows(dataset, rows, _COLUMNS)
    for place, (net, answers) in enumerate(said.items()):
        values.insert(place, f"{net} says", [dataset.classes[c] for c in answers.argmax(1)], allow_duplicates=True)
    values.insert(0, "class", [dataset.classes[c] for c in dataset.y.numpy()[rows]], allow_duplicates=True)
    values.insert(0, "sample", shown, allow_duplicates=True)

    def mark(chosen: list[int]) -> None:
        if chosen:
            taken(int(shown[chosen[0]]))

    table(
        values, _ROWS, marked=np.flatnonzero(shown == session.get("sample")).tolist(), mark=mark, height=38 + 35 * min(len(shown), 6),
        alt=f"{len(shown)} test samples with their classes, what the nets answer, and their values; mark one to take it.",
    )  # fmt: skip


def _strip(
    dataset: Dataset, images: np.ndarray, labels: np.ndarray, shown: np.ndarray, taken: Callable[[int], None]
) -> None:
    here = np.flatnonzero(shown == session.get("sample"))
    captions = [dataset.classes[label] for label in labels]
    selected = int(here[0]) if len(here) else None
    figure = cache.figure(gallery.strip, images, dataset.shape, captions, columns=COLUMNS, selected=selected)
    click = plot(figure, "strip", alt=f"{len(shown)} test samples; click one to explain it.")
    if click:
        position = gallery.clicked(click, dataset.shape, COLUMNS)
        if position < len(shown):
            taken(int(shown[position]))
            st.rerun()


class Asked(Protocol):
    """Whatever speaks about one class of a data set."""

    @property
    def dataset(self) -> Dataset: ...

    @property
    def label(self) -> int: ...


def class_in_question(about: Asked) -> None:
    """Which class the contributions speak about."""
    classes = about.dataset.classes
    st.session_state["widget.label"] = about.label
    st.selectbox(
        "Class in question", range(len(classes)), format_func=lambda c: classes[c], key="widget.label", width=200,
        on_change=lambda: session.put(label=st.session_state["widget.label"]),
        help="The contributions say how much each superfeature speaks for or against this class.",
    )  # fmt: skip


def light_up(click: dict[str, Any] | None) -> None:
    """After a click on a figure whose customdata are superfeatures, from 1: it lights up everywhere, or goes out again."""
    m = int(click["customdata"] or 0) if click else 0
    if m > 0:
        session.put(selected=0 if m == session.get("selected") else m)
        st.rerun()
