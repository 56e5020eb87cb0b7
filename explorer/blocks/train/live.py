"""The blocks of the train page: start a job, watch its run folder, stop it. Nothing here computes; it reads events."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explorer import cache, navigation
from explorer.blocks import frame
from explorer.blocks.train import batch_view, playback, replay, watched
from explorer.blocks.train.outcome import outcome
from explorer.blocks.train.watched import Watched
from explorer.components.plot import plot
from explorer.components.table import table
from explorer.pictures import charts
from explorer.state import session, settings, visitor
from explorer.timeline.history import History
from explorer.words import explain
from explorer.words.inert import inert
from explorer.words.results import LABELS, headline, result_table
from ked import jobs
from ked.data import here
from ked.data.recorded import is_recorded
from ked.library import IN_PROGRESS
from ked.recipe import Recipe
from ked.runs.stage_keys import stage_keys
from ked.runs.steering import Control
from ked.shares import in_percent
from ked.stage_cache import StageCache
from ked.store import Run

TICK = 1.0  # seconds between two looks at the run folder


def start() -> None:
    """The button that starts a job, and what it will find already done; a refusal leaves the run below in view."""
    with frame.sentences():
        _start(settings.to_recipe(session.values()))


def _start(recipe: Recipe) -> None:
    if is_recorded(recipe.dataset):
        st.info(_RECORDED, icon=":material/inventory_2:")
        return
    pressed = st.button("Train", type="primary", icon=":material/play_arrow:", help=_STARTS)
    st.caption(_plan(recipe), width=330)
    if not here(recipe.dataset):
        _not_here(recipe.dataset)
    if pressed:
        session.put(run=jobs.submit(recipe, visitor.name(), shared=True).id)
        st.rerun()


def _not_here(dataset: str) -> None:
    """What to do for data whose files are not on this machine; a run may still fetch them, where there is a way."""
    title = frame.title_of(dataset)
    st.info(
        f"{title} is not on this machine. A run downloads it if it can; otherwise it ends at once and says which file belongs where.",
        icon=":material/folder_off:",
    )  # fmt: skip
    navigation.link("data", "Which file belongs where")


_RECORDED = "These samples were recorded with a run, only to be looked at: choose other data to train on."
_STARTS = "Trains with these settings in a process of its own: you can leave the page and come back."


def _plan(recipe: Recipe) -> str:
    keys, cache_ = stage_keys(recipe), StageCache()
    ready = [stage for stage, key in keys.items() if cache_.find(key)]
    todo = [_stage_label(stage) for stage in keys if stage not in ready]
    if not todo:
        return "Everything in this recipe is already computed: the result comes at once."
    reused = f" Reused: {', '.join(map(_stage_label, ready))}." if ready else ""
    return f"To compute: {', '.join(todo)}.{reused}"


def watch(run: Run) -> None:
    """The run's curves, losses and result; while it is in progress they move by themselves. Of a recorded run its result."""
    if cache.recorded(run):
        st.caption("This run was recorded after its nets had been trained: there is no training to watch.")
        _test_accuracy(cache.facts(run)["summary"])
        table(result_table(cache.facts(run)["summary"], {}), "results-table")
        return
    active = cache.status(run) in IN_PROGRESS
    st.fragment(_guarded, run_every=TICK if active else None)(run, active)


def _guarded(run: Run, was_active: bool) -> None:
    """A tick of the fragment runs outside the page's own guard, so it has one of its own."""
    with frame.sentences():
        _panel(run, was_active)


def _panel(run: Run, was_active: bool) -> None:
    seen = watched.look(run)
    if was_active != seen.active:
        st.rerun()  # the whole page: the menu and the other pages' data follow, and the ticks end or begin
    drawn = replay.draw(seen)
    blocks = [partial(replay.superfeatures, drawn), partial(replay.agreement, drawn), partial(_results, seen)]
    first, second, *rest = blocks[1:] if seen.recipe.convolutional else blocks  # channels do not form, so the others move up
    # The same places in every state, so that nothing jumps. Beside that, the browser holds it against us if the blocks around
    # a figure move: of a run of the fragment that a click breaks off, the message of a figure may come without those of its blocks.
    with st.container(key="helm"):
        _header(seen)
        with st.container(key="time"):
            replay.slider(drawn)
    with st.container(key="notes"):
        _notes(seen)
    left, right = st.columns([3, 2], gap="large")
    with left, st.container(key="place-accuracy"):
        replay.accuracy(drawn)
    with right, st.container(key="place-beside"):
        first()
    with st.container(key="place-sample"):
        replay.pinned(drawn)
    left, right = st.columns([3, 2], gap="large")
    with left, st.container():
        replay.losses(drawn)
    with right, st.container():
        second()
    with st.container():
        for block in rest:
            block()
    with st.container():
        if seen.status == "done":
            outcome(run)


def _header(seen: Watched) -> None:
    said = {
        "queued": f":material/hourglass_top: {_queued(seen.before)}",
        "running": ":material/pause_circle: paused" if seen.history.paused else ":material/directions_run: training",
        "done": ":material/check_circle: finished",
        "failed": ":material/error: failed",
        "cancelled": ":material/stop_circle: stopped",
    }
    # Buttons stand in a row of their own: beside words that grow and shrink they would move away from under the pointer.
    with st.container(horizontal=True, vertical_alignment="center", key="transport"):
        playback.buttons(seen)
    with st.container(key="status"):
        where = "" if seen.status == "done" else f"  ·  {_position(seen.history, seen.stages)}"
        since = "" if seen.status == "queued" else f"{where}  ·  {_clock(seen.history.time)}"
        st.markdown(f"**{said[seen.status]}**{since}")
    with st.container(key="progress"):
        if seen.status != "done":
            st.progress(_share(seen.history, seen.stages))


def _notes(seen: Watched) -> None:
    """What there is to say of the run's state: the batch in hand, or why it ended."""
    st.caption(explain.in_force(seen.in_force))  # in every state, so that nothing below moves when the run ends
    for reason in seen.facts.get("collapsed", ()):
        st.warning(explain.sentence(reason), icon=":material/heart_broken:")
    for reason in seen.facts.get("undertrained", ()) if seen.status == "done" else ():
        st.info(inert(reason), icon=":material/trending_up:")
    if seen.status == "running":
        _close_up(seen.history, seen.control)
    if seen.status == "failed":
        st.error(explain.sentence(seen.facts["message"]), icon=":material/error:")


def _queued(before: int | None) -> str:
    if before is None:
        return "starting"
    return f"queued, {before} before you" if before else "queued, starts next"


def _close_up(history: History, control: Control) -> None:
    """The batch in hand, where each is looked at; and what became of a change of settings."""
    if control.paused or control.slow:
        if history.step:
            st.html(batch_view.equation(history.step, math.inf if control.paused else control.slow))
        else:
            st.caption("No batch of this stage has been seen yet; the next one shows its loss, term by term.")
    if history.refused:
        st.warning(f"Not changed: {history.refused}", icon=":material/block:")
    for event in history.adjusted[-3:]:
        changes = ", ".join(f"{settings.SETTINGS[name].label} {value:g}" for name, value in event["changes"].items())
        st.caption(f":material/tune: {_stage_label(event['stage'])}, from epoch {event['epoch']}, batch {event['step']} on: {changes}")


def _position(history: History, stages: Sequence[str]) -> str:
    if not history.order:
        return f"reading the data, {in_percent(history.share)}" if history.share else "starting up"
    name = history.order[-1]
    stage = history.stages[name]
    label = f"{stages.index(name) + 1} of {len(stages)}: {_stage_label(name)}" if name in stages else _stage_label(name)
    if not stage["epochs"]:
        return label
    batch = f", batch {history.live['step']} of {history.live['steps']}" if history.live else ""
    return f"{label}, epoch {min(stage['epoch'] + bool(batch), stage['epochs'])} of {stage['epochs']}{batch}"


def _share(history: History, stages: Collection[str]) -> float:
    """How much of the run is done, counting every stage alike."""
    done = 0.0
    for name in history.order[:-1]:
        done += 1.0 if name in stages else 0.0
    if history.order:
        stage = history.stages[history.order[-1]]
        done += stage["epoch"] / stage["epochs"] if stage["epochs"] else history.share
    return min(1.0, done / max(1, len(stages)))


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"


def _stage_label(stage: str) -> str:
    fixed = {"dependency": "dependency matrix", "superfeatures": "superfeatures"}
    return fixed.get(stage) or LABELS[stage.removeprefix("student-")]


def _results(seen: Watched) -> None:
    st.subheader("Test accuracy", anchor=False)
    summary = seen.facts.get("summary", {})
    if not summary:
        ended = "It was not measured: the run ended before all students had finished."
        st.caption("It is measured once, when all students have finished." if seen.active else ended)
        return
    _test_accuracy(summary)
    st.caption(f"On the test set: {headline(summary)}.")


def _test_accuracy(summary: dict[str, Any]) -> None:
    students = {name: np.array(values) for name, values in summary["accuracy"].items() if isinstance(values, list)}
    teachers = {name: value for name, value in summary["accuracy"].items() if not isinstance(value, list)}
    alt = "Test accuracy of each method: one dot per seed, the mean and its 95 % interval; dotted lines are the teachers."
    plot(cache.figure(charts.results, students, labels=LABELS, references=teachers), "results", alt=alt, select=())
