"""A run as it stands at one tick: looked up once, so that every part of the panel speaks of the same moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer import cache
from explorer.timeline.history import History
from ked import jobs
from ked.library import IN_PROGRESS
from ked.recipe import Recipe
from ked.runs import steering
from ked.runs.stage_keys import adjustable, stage_names
from ked.store import Run

_HISTORIES = "ked.histories"  # of this visitor


@dataclass(frozen=True)
class Watched:
    """What the panel shows.

    Attributes:
        run, facts: The run and its run.json.
        status: As it is now, see `ked.jobs.status`.
        before: How many jobs start before it; None if it does not wait.
        control: What it has been asked to do, whether or not its job has obeyed yet.
        recipe, stages: What was asked for, and the stages that this takes.
        history: What its events have told so far.
        adjustable: The settings that mean something to the stage at work.
        in_force: The recipe with what the changes so far have made of it; of a run that has ended, as it would go on.
    """

    run: Run
    facts: dict[str, Any]
    status: str
    before: int | None
    control: steering.Control
    recipe: Recipe
    stages: tuple[str, ...]
    history: History
    adjustable: tuple[str, ...]
    in_force: Recipe

    @property
    def active(self) -> bool:
        """Whether there is more to come."""
        return self.status in IN_PROGRESS


def look(run: Run) -> Watched:
    """One look at the run's folder: each of its files is opened at most once, and run.json only when it has changed."""
    history = _history(run)
    status = cache.status(run)  # first: it may write into run.json that the job is gone; and all that led to it is then there to read
    before = jobs.position(run) if status == "queued" else None
    control, recipe = steering.asked(run), cache.recipe(run)
    stage, epoch = history.read().place
    place = (epoch + 2, 0) if status == "running" else (epoch + 1, 1)  # behind the epoch at work, or where the next one begins
    return Watched(
        run, cache.facts(run), status, before, control, recipe, stage_names(recipe), history,
        adjustable(stage), recipe.in_force(stage, *place),
    )  # fmt: skip


def _history(run: Run) -> History:
    known: dict[str, History] = st.session_state.setdefault(_HISTORIES, {})
    if run.id not in known:
        known.clear()  # one run is on screen at a time
        known[run.id] = History(run)
    return known[run.id]


def forget() -> None:
    """Read the events anew at the next look."""
    st.session_state.pop(_HISTORIES, None)
