"""A row of the visitor's own on the explain page, for tables: a form made from the columns, explained at every change."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer import cache
from explorer.blocks import controls, explained_sample, frame, nothing_yet
from explorer.blocks.explain import pictures, questions
from explorer.state import session
from explorer.words.inert import inert
from ked.data import Dataset
from ked.data.columns import Column
from ked.errors import shortened
from ked.store import Run, load_run

MOST = 24  # columns that the form has at once
_ROW = "ked.row"  # in the session, by run: column -> what was typed
_WIDTH = 190


def explain(run: Run) -> None:
    """The form, and what the nets say of its row; a change runs this block alone."""
    if cache.recorded(run):
        nothing_yet.not_kept()
        return
    st.fragment(_guarded)(run.id)


def _guarded(run_id: str) -> None:
    """A run of the fragment is outside the page's own guard, so it has one of its own."""
    with frame.sentences():
        _panel(load_run(run_id))


def _panel(run: Run) -> None:
    dataset = cache.dataset_of(run)
    rows: dict[str, dict[str, str]] = st.session_state.setdefault(_ROW, {})
    typed = rows.setdefault(run.id, _of_sample(dataset))

    def begin_anew() -> None:
        rows.pop(run.id, None)

    with st.container(horizontal=True, vertical_alignment="bottom", key="row-from"):
        controls.number("sample", high=len(dataset.test) - 1, width=120, then=begin_anew)
        st.caption("The form begins with the values of this test sample. Your row stays in this browser tab.", width="content")
    shown = _chosen(dataset)
    with st.container(horizontal=True, key="row"):
        for column in shown:
            _field(dataset, column, typed)
    about = explained_sample.about(run, dataset.sample(typed).numpy())
    questions.in_words(about)
    questions.questions(about)
    pictures.pictures(about)
    pictures.bars(about)


def _of_sample(dataset: Dataset) -> dict[str, str]:
    """The values of the test sample that is looked at."""
    sample = min(session.get("sample"), len(dataset.test) - 1)
    row = dataset.row(dataset.x[dataset.test[sample]])
    numbers = {column.name for column in dataset.columns if column.kind == "number"}
    return {name: f"{float(text):.6g}" if name in numbers and text else text for name, text in row.items()}


def _chosen(dataset: Dataset) -> list[Column]:
    """The columns of the form: all, or of many those that are asked for."""
    columns = list(dataset.columns)
    if len(columns) <= MOST:
        return columns
    told = "The others keep the values of the test sample."
    return st.multiselect(
        "Columns on the form", columns, columns[:MOST], format_func=lambda column: shortened(column.name), key="row.columns", help=told
    )


def _field(dataset: Dataset, column: Column, typed: dict[str, str]) -> None:
    """A widget for a column's value, which writes into the row what is typed."""
    key, told, before = f"row.{dataset.name}.{column.start}", _HELP[column.kind], typed.get(column.name, "")
    look: dict[str, Any] = {"label": inert(column.name, most=40), "key": key, "width": _WIDTH}

    def keep() -> None:
        value = st.session_state[key]
        typed[column.name] = "" if value is None else str(value)

    if column.values:
        gaps = column.gaps > 0
        values = list(column.values[:-1] if gaps and column.kind == "category" else column.values)
        options = [*values, *([""] if gaps else [])]
        st.session_state[key] = before
        st.selectbox(options=options, format_func=lambda value: value or "missing", help=told, on_change=keep, **look)
    elif column.kind == "date":
        st.session_state[key] = before
        st.text_input(help=told, on_change=keep, **look)
    else:
        st.session_state[key] = float(before) if before else None
        st.number_input(value=None, step=_step(dataset, column), format="%.6g", help=told, on_change=keep, **look)


def _step(dataset: Dataset, column: Column) -> float:
    """A tenth of what is usual, rounded to a power of ten."""
    spread = float(dataset.units[1][column.start]) if dataset.units is not None else 1.0
    return float(10.0 ** np.floor(np.log10(max(spread, 1e-300)))) / 10


_HELP = {
    "number": "A number in the table's own unit; where the table has gaps, empty is a gap too.",
    "category": "One of the values that the table has.",
    "ordered": "One of the values that the table has, from low to high.",
    "date": "A date such as 2026-01-31.",
}
