"""The blocks of the studies page that compute: start and stop a study, follow it, open the run of a cell. Nothing here trains."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from explorer import navigation
from explorer.blocks import controls, frame
from explorer.components.table import table
from explorer.state import session, visitor
from explorer.state.settings import of_recipe, to_url
from explorer.words import studies
from explorer.words.open_questions import where
from explorer.words.results import LABELS
from ked.store import load_run
from ked.studies import estimate, launch
from ked.studies.cell_status import CellStatus, status_of
from ked.studies.cells import Cell, cells_of
from ked.studies.launch import Work
from ked.studies.report import Report
from ked.studies.study import Study

TICK = 2.0  # seconds between two looks at a study at work

_STATES = {
    "stored": "✓ computed here",
    "finished run": "✓ a finished run, to be read",
    "at work": "▶ training now",
    "begun": "◐ begun",
    "to do": "· to do",
}
_SHIPPED = "shipped with the program"
_SAID = {
    "starting": ":material/hourglass_top: starting",
    "computing": ":material/directions_run: computing",
    "stopping": ":material/hourglass_bottom: stopping after the current batch",
    "done": ":material/check_circle: finished",
    "stopped": ":material/stop_circle: stopped; what is finished is kept, and Start goes on from there",
    "broken": ":material/error: failed",
}


def desk(about: Report) -> None:
    """Start the study, stop it, see how far it is."""
    st.subheader("Run it yourself", anchor=False)
    cells = cells_of(about.study, about.settings)
    work = launch.look(about.study)
    if work is not None and work.active and work.settings != about.settings:
        _elsewhere(about.study, work)
    elif work is None or not work.active:
        _start(about, cells)
    active = work is not None and work.active
    st.fragment(_guarded, run_every=TICK if active else None)(about, cells, len(work.ended) if work else 0, active)


def _start(about: Report, cells: Sequence[Cell]) -> None:
    """The button that starts, and what there is to do."""
    todo = [cell for cell, place in zip(cells, status_of(cells).values(), strict=True) if place.state != "stored"]
    with st.container(horizontal=True, vertical_alignment="center"):
        told = "Computes what is missing in a process of its own: you can leave the page and come back."
        pressed = st.button("Start", type="primary", icon=":material/play_arrow:", disabled=not todo, key="study-start", help=told)
        st.caption(_plan(about, cells, todo))
    if pressed:
        with frame.sentences():
            launch.start(about.study, about.settings, visitor.name())
            st.rerun()


def _plan(about: Report, cells: Sequence[Cell], todo: Sequence[Cell]) -> str:
    if not todo:
        return "Every cell was computed here: there is nothing to do."
    data = todo[0].recipe.dataset.partition(":")[0]
    many = f"{len(todo)} of {len(cells)} runs on {data} are still missing." if len(cells) > 1 else f"One run on {data} is still missing."
    seconds = estimate.seconds(todo, about.settings)
    cost = "" if seconds is None else f" About {estimate.in_words(seconds)} of training, less what is cached."
    return f"{many} They go on if you close this page.{cost}"


def _elsewhere(study: Study, work: Work) -> None:
    """Somebody has started the study with other settings."""
    settings = work.settings
    st.info(
        f"This study is already running, with {studies.of(settings)} on {where(study, settings.scale)}; one at a time.",
        icon=":material/directions_run:",
    )
    if st.button("Look at that one", icon=":material/visibility:", help="Shows it with the settings that it is running with."):
        session.put(study_scale=settings.scale, study_seeds=settings.seeds, study_teachers=settings.teachers)
        st.rerun()


def _guarded(about: Report, cells: Sequence[Cell], ended: int, was_active: bool) -> None:
    """A tick runs outside the page's own guard, so it has one of its own."""
    with frame.sentences():
        _follow(about, cells, ended, was_active)


def _follow(about: Report, cells: Sequence[Cell], ended: int, was_active: bool) -> None:
    """How far the study is. What stands here has its place in every state."""
    work = launch.look(about.study)
    if was_active and work is not None and (not work.active or len(work.ended) != ended):
        st.rerun()  # the whole page: answer and figures follow each finished cell
    with st.container(key="study-progress"):
        if work is not None:
            _progress(about.study, work)
    with st.container(key="study-cells"):
        places = status_of(cells)
        look = {"run": st.column_config.LinkColumn("run", display_text=r"run=([^&]+)", help="Opens its training in a new tab.")}
        rows = _rows(about, cells, places, work)
        with st.expander(_summary(about, cells, places), expanded=was_active, icon=":material/grid_view:"):
            table(rows, "cells", height=min(420, 36 * len(rows) + 40), columns=look)


def _progress(study: Study, work: Work) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if work.active and visitor.may_change({"visitor": work.visitor}):
            held = work.state == "stopping"
            help = "Stops after the current batch; nothing is lost."
            if st.button("Stop", icon=":material/stop:", key="study-stop", disabled=held, help=help):
                launch.stop(study)
                st.rerun()
        many = f" · {len(work.ended)} of {work.cells} cells" if work.cells else ""
        elapsed = time.time() - work.began
        left = estimate.left(elapsed, work.computed, work.cells - len(work.ended))
        since = f" · {_clock(elapsed)}{f' · {left}' * bool(left)}" if work.active else ""
        st.markdown(f"**{_SAID[work.state]}**{many}{since}")
    if work.active and not visitor.may_change({"visitor": work.visitor}):
        st.caption(visitor.NOT_YOURS)
    if work.active:
        st.progress(len(work.ended) / work.cells if work.cells else 0.0)
    if work.message:
        st.error(f"{work.message[:1].upper()}{work.message[1:]}", icon=":material/error:")
    for message in dict.fromkeys(work.failed.values()):
        st.error(f"{message[:1].upper()}{message[1:]}", icon=":material/error:")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _rows(about: Report, cells: Sequence[Cell], places: dict[str, CellStatus], work: Work | None) -> pd.DataFrame:
    """A row a cell: what is there of it, and its run."""
    failed = work.failed if work else {}
    return pd.DataFrame([
        {
            "cell": cell.level, "teacher": cell.teacher + 1, "students": ", ".join(LABELS[name] for name in cell.recipe.methods),
            "there": "✕ failed" if cell.key in failed else _said(about, cell, places[cell.key]),
            "run": navigation.address("train", {"run": places[cell.key].run}) if places[cell.key].run else "",
        }
        for cell in cells
    ])  # fmt: skip


def _said(about: Report, cell: Cell, place: CellStatus) -> str:
    """What there is of a cell, in words."""
    if cell.level in about.shipped:
        return _SHIPPED if place.state == "to do" else f"{_STATES[place.state]}; {_SHIPPED}"
    return _STATES[place.state]


def _summary(about: Report, cells: Sequence[Cell], places: dict[str, CellStatus]) -> str:
    """How many cells there are of each kind."""
    told = [_said(about, cell, places[cell.key]).lstrip("✓▶◐· ") for cell in cells]
    parts = [f"{told.count(kind)} {kind}" for kind in dict.fromkeys(told)]
    return f"{len(cells)} cell{'s' * (len(cells) > 1)}: {', '.join(parts)}"


def open_cell(about: Report) -> None:
    """Choose a cell, here or in a figure, and go to its run."""
    cells = cells_of(about.study, about.settings)
    places = status_of(cells)
    options = {cell.level: f"{cell.level} · {_said(about, cell, places[cell.key])}" for cell in cells}
    if session.get("cell") not in options:
        session.put(cell="")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = controls.pick("cell", {"": "choose one, or click it in a figure", **options}, width=360)
        cell = next((cell for cell in cells if cell.level == chosen), None)
        if cell is not None and places[cell.key].run:
            _links(cell, places[cell.key])
    if cell is not None and not places[cell.key].run:
        st.caption(f"The run of “{cell.level}” is not on this machine: start the study to open it here, with its trained nets.")


_PAGES = (
    ("train", "Its training", False),
    ("explain", "Explain a sample", True),
    ("agreement", "Agreement", True),
    ("superfeatures", "Superfeatures", True),
)


def _links(cell: Cell, place: CellStatus) -> None:
    """Where the cell's run can be looked at; what is chosen here stays chosen."""
    finished = load_run(place.run).has("explaining") and place.state in ("stored", "finished run")
    query = to_url(session.values() | of_recipe(cell.recipe) | {"run": place.run})
    for page, label, needs_explanations in _PAGES:
        if finished or not needs_explanations:
            navigation.link(page, label, query)
