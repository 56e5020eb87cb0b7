"""The blocks of the train page: start a job, watch its run folder, stop it. Nothing here computes; it reads events."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import streamlit as st

from explorer import cache
from explorer.blocks import frame
from explorer.blocks.train import batch_view, playback, replay
from explorer.components.plot import plot
from explorer.pictures import charts
from explorer.replay.figures import Figures
from explorer.replay.over_time import GROUP
from explorer.state import session, settings
from explorer.timeline.history import History
from explorer.words import explain
from explorer.words.results import LABELS, headline, result_table
from ked import jobs
from ked.data import here
from ked.recipe import Recipe
from ked.runs import steering
from ked.runs.stage_keys import stage_keys
from ked.store import Run, StageCache, load_run

TICK = 0.5  # seconds between two looks at the run folder
ACTIVE = ("queued", "running")


def start() -> None:
    """The button that starts a job, and what it will find already done."""
    recipe = settings.to_recipe(session.values())
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Train", type="primary", icon=":material/play_arrow:", help=_STARTS)
        st.caption(_plan(recipe))
    if not here(recipe.dataset):
        _not_here(recipe.dataset)
    if pressed:
        with frame.sentences():  # a refusal leaves the run below in view
            session.put(run=jobs.submit(recipe, visitor=session.visitor()).id)
            st.rerun()


def _not_here(dataset: str) -> None:
    """What to do for data whose files are not on this machine; a run may still fetch them, where there is a way."""
    title = frame.title_of(dataset)
    st.info(
        f"{title} is not on this machine. A run fetches it where there is a way, and else ends at once and says which file goes where.",
        icon=":material/folder_off:",
    )  # fmt: skip
    st.page_link("../pages/data.py", label="Which file goes where", icon=":material/table_view:")


_STARTS = "Trains what these settings ask for in a process of its own: you may leave the page and come back."


def _plan(recipe: Recipe) -> str:
    keys, cache_ = stage_keys(recipe), StageCache()
    ready = [stage for stage, key in keys.items() if cache_.find(key)]
    todo = [_stage_label(stage) for stage in keys if stage not in ready]
    if not todo:
        return "Everything in this recipe is already computed: the result comes at once."
    reused = f" Reused: {', '.join(map(_stage_label, ready))}." if ready else ""
    return f"To compute: {', '.join(todo)}.{reused}"


def watch(run_id: str) -> None:
    """The run's curves, losses and result; while it is in progress they move by themselves."""
    active = jobs.status(load_run(run_id)) in ACTIVE
    st.fragment(_guarded, run_every=TICK if active else None)(run_id, active)


def _guarded(run_id: str, was_active: bool) -> None:
    """A tick of the fragment runs outside the page's own guard, so it has one of its own."""
    with frame.sentences():
        _panel(run_id, was_active)


def _panel(run_id: str, was_active: bool) -> None:
    run = load_run(run_id)
    history = _history(run)
    status = jobs.status(run)
    if was_active and status not in ACTIVE:
        st.rerun()  # the whole page: the menu and the other pages' data follow
    active = status in ACTIVE
    rooms = replay.enter(run, history, active=active)
    (shown, made), facts = replay.figures(rooms), cache.facts(run)
    # The same places in every state, so that nothing jumps. Beside that, the browser holds it against us if the blocks around
    # a figure move: of a run of the fragment that a click breaks off, the message of a figure may come without those of its blocks.
    with st.container(key="helm"):
        _header(run, history, status)
        with st.container(key="time"):
            replay.slider(shown)
    with st.container(key="notes"):
        _notes(run, history, status)
    left, right = st.columns([3, 2], gap="large")
    with left, st.container(key="place-accuracy"):
        _accuracy(made, active=active)
    with right, st.container(key="place-beside"):
        replay.agreement(rooms, made) if rooms.convolutional else replay.superfeatures(rooms, made)
    with st.container(key="place-sample"):
        replay.pinned(rooms, made)
    left, right = st.columns([3, 2], gap="large")
    with left, st.container():
        _losses(history, made)
    with right, st.container():
        _results(facts.get("summary", {}), active=active) if rooms.convolutional else replay.agreement(rooms, made)
    with st.container():
        if not rooms.convolutional:
            _results(facts.get("summary", {}), active=active)
    with st.container():
        if status == "done":
            _table(facts)


def _history(run: Run) -> History:
    known: dict[str, History] = st.session_state.setdefault("ked.histories", {})
    if run.id not in known:
        known.clear()  # one run is on screen at a time
        known[run.id] = History(run)
    return known[run.id].read()


def _header(run: Run, history: History, status: str) -> None:
    said = {
        "queued": f":material/hourglass_top: {_queued(run)}",
        "running": ":material/pause_circle: paused" if history.paused else ":material/directions_run: training",
        "done": ":material/check_circle: finished",
        "failed": ":material/error: failed",
        "cancelled": ":material/stop_circle: stopped",
    }
    # Buttons stand in a row of their own: beside words that grow and shrink they would move away from under the pointer.
    with st.container(horizontal=True, vertical_alignment="center", key="transport"):
        if status == "running":
            playback.buttons(run, history)
        if status == "queued":
            playback.leave(run)
        if status in ("failed", "cancelled"):
            _resume(run)
        if status == "done":
            playback.onward()
    with st.container():
        where = "" if status == "done" else f"  ·  {_position(history)}"
        since = "" if status == "queued" else f"{where}  ·  {_clock(history.time)}"
        st.markdown(f"**{said[status]}**{since}")
    with st.container(key="progress"):
        if status != "done":
            st.progress(_share(history, stage_keys(run.recipe)))


def _notes(run: Run, history: History, status: str) -> None:
    """What there is to say of the run's state: the batch in hand, or why it ended."""
    if status == "done":
        st.caption(f"On the test split: {headline(cache.facts(run)['summary'])}.")
    else:
        st.caption(explain.in_force(playback.in_force(run.recipe, history)))
    if status == "running":
        _close_up(run, history)
    if status == "failed":
        st.error(explain.sentence(run.info["message"]), icon=":material/error:")


def _resume(run: Run) -> None:
    """Go on after the last finished epoch; where the training diverged, with another learning rate."""
    change = {}
    if run.info.get("diverged"):
        place = run.progress()
        now = run.recipe.in_force(place["stage"], place["epoch"] + 1, 1).lr
        change["lr"] = st.number_input(
            "New learning rate", 1e-7, now, now / 10, format="%.3g", width=170, key="resume.lr",
            help=f"Training goes on after epoch {place['epoch']}, the last good one; the change becomes part of the recipe.",
        )  # fmt: skip
    if st.button("Resume", icon=":material/resume:", key="resume", help="Goes on after the last epoch that was finished."):
        jobs.resume(run, **change)
        st.session_state["ked.histories"].clear()
        st.rerun()


def _queued(run: Run) -> str:
    before = jobs.position(run)
    if before is None:
        return "starting"
    return f"queued, {before} before you" if before else "queued, starts next"


def _close_up(run: Run, history: History) -> None:
    """The batch in hand, where each is looked at; and what became of a change of settings."""
    control = steering.asked(run)
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


def _position(history: History) -> str:
    if not history.order:
        return f"reading the data, {history.share:.0%}" if history.share else "waking up"
    name = history.order[-1]
    stage = history.stages[name]
    if not stage["epochs"]:
        return _stage_label(name)
    batch = f", batch {history.live['step']} of {history.live['steps']}" if history.live else ""
    return f"{_stage_label(name)}, epoch {min(stage['epoch'] + bool(batch), stage['epochs'])} of {stage['epochs']}{batch}"


def _share(history: History, keys: dict[str, str]) -> float:
    """How much of the run is done, counting every stage alike."""
    done = 0.0
    for name in history.order[:-1]:
        done += 1.0 if name in keys else 0.0
    if history.order:
        stage = history.stages[history.order[-1]]
        done += stage["epoch"] / stage["epochs"] if stage["epochs"] else history.share
    return min(1.0, done / max(1, len(keys)))


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"


def _stage_label(stage: str) -> str:
    fixed = {"dependency": "dependency matrix", "superfeatures": "superfeatures"}
    return fixed.get(stage) or LABELS[stage.removeprefix("student-")]


def _accuracy(made: Figures, *, active: bool) -> None:
    st.subheader("Validation accuracy", anchor=False)
    if "accuracy" not in made:
        st.caption("The first epoch is on its way." if active else "The run ended before its first epoch did.")
        return
    alt = "Validation accuracy against epochs: mean over seeds with its 95 % interval, one line a method."
    plot(made["accuracy"], "accuracy", alt=alt, select=(), group=GROUP)
    st.caption("Lines are means over the seeds, bands their 95 % intervals; numbers are those at the dots. Dotted: the teachers.")


def _losses(history: History, made: Figures) -> None:
    students = bool(history.curves())
    st.subheader(f"What {'each student minimises' if students else 'the teachers minimise'}", anchor=False)
    if "losses" not in made:
        st.caption("The loss, term by term, comes with the first epoch.")
        return
    plot(made["losses"], "losses", alt="Weighted loss terms against epochs, stacked, one row a net.", select=(), group=GROUP)
    st.caption("Each term times its weight; together they are the loss, in nats.")


def _results(summary: dict[str, Any], *, active: bool) -> None:
    st.subheader("Test accuracy", anchor=False)
    if not summary:
        st.caption("It is measured once, when all students have finished." if active else "It is measured when all have finished.")
        return
    students = {name: np.array(values) for name, values in summary["accuracy"].items() if isinstance(values, list)}
    teachers = {name: value for name, value in summary["accuracy"].items() if not isinstance(value, list)}
    alt = "Test accuracy of each method: a dot a seed, the mean and its 95 % interval; dotted lines are the teachers."
    plot(charts.results(students, labels=LABELS, references=teachers), "results", alt=alt, select=())


def _table(facts: dict[str, Any]) -> None:
    st.dataframe(result_table(facts["summary"], facts["seconds"]), hide_index=True)
    st.caption(
        "Intervals are 95 % Student-t intervals over the students' seeds; the teachers are trained once, so nothing here "
        "speaks about other teachers. Differences are taken seed by seed, in percentage points; one whose interval holds 0 is not "
        "shown to exist. The test split was used once, for this table."
    )
