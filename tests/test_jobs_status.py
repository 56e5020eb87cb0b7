"""What is said of a job whose process is another one's, gone, late or long ended."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from visitor import copy_of

from ked import jobs
from ked.errors import InvalidInput, Unavailable
from ked.jobs.slots import Slot
from ked.recipe import Recipe
from ked.store import Run, create_run, list_runs

GONE = "ended without a word"


def test_a_run_that_ended_early_says_where_it_stands(finish: Callable[[Recipe], Run], small_recipe: Recipe) -> None:
    assert "epoch" not in finish(small_recipe.without(methods=("plain",), epochs=1)).info
    with pytest.raises(Unavailable, match="not finite"):
        finish(small_recipe.without(optimiser="sgd", lr=1e6))
    run = list_runs()[0]
    assert (run.status, run.info["stage"], run.info["epoch"]) == ("failed", "teacher", 0)


def test_only_what_has_ended_can_be_resumed(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    with pytest.raises(InvalidInput, match="queued"):
        jobs.resume(run)


def test_a_job_that_cannot_work_says_why(small_recipe: Recipe, one_sentence: Callable[[str], str]) -> None:
    run = create_run(small_recipe.without(superfeatures=65))
    jobs.work(run, Slot())  # in this process: what the other one does is the same
    assert jobs.status(run) == "failed"
    assert "superfeatures = 65" in one_sentence(run.info["message"])


def test_a_job_that_is_cancelled_before_it_starts_does_nothing(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    jobs.cancel(run)
    jobs.work(run, Slot())
    assert jobs.status(run) == "cancelled"
    assert not run.has("teacher")


PIDS = {"another program's": os.getpid(), "none": 2**22 + 1, "text": "x", "a list": [1], "negative": -1, "null": None}


@pytest.mark.parametrize("pid", PIDS.values(), ids=PIDS)
def test_neither_the_number_of_a_process_nor_a_clock_decides_whether_a_run_is_at_work(
    pid: object, small_recipe: Recipe, at_work: Callable[[Run], Run]
) -> None:
    alive, dead = at_work(create_run(small_recipe)), create_run(small_recipe)
    for run in (alive, dead):  # the clock has been put back by an hour since
        run.update(status="running", pid=pid, pid_started=time.time() + 3600, started=time.time() + 3600)
    assert jobs.status(alive) == alive.status == "running"
    assert jobs.status(dead) == dead.status == "failed"
    assert GONE in dead.info["message"]


def test_whoever_made_a_run_before_there_were_locks_finds_it_as_it_was(small_run: Run, ked_home: Path) -> None:
    old = copy_of(small_run, ked_home)
    (old.folder / ".lock").unlink()
    old.forget("threads")
    assert jobs.status(old) == "done"
    assert not (old.folder / ".lock").exists(), "looking changes nothing"
    old.update(status="running", pid=1, pid_started=0.0)
    assert jobs.status(old) == "failed"


def test_a_run_that_nobody_puts_in_line_is_failed_after_a_while(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    assert jobs.status(run) == "queued"
    run.update(created=time.time() - jobs.GRACE - 1)
    assert jobs.status(run) == "failed"


def test_a_run_that_ends_while_it_is_looked_at_keeps_its_status(small_recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    run = create_run(small_recipe)
    run.update(status="running")

    def ends(looked_at: Run) -> bool:
        looked_at.update(status="done")
        return False

    monkeypatch.setattr(jobs, "is_held", ends)
    assert jobs.status(run) == run.status == "done"


@pytest.mark.parametrize("status", ["done", "cancelled", "failed"])
def test_what_has_ended_stays_ended(small_recipe: Recipe, status: str) -> None:
    run = create_run(small_recipe)
    run.update(status=status)
    assert jobs.status(run) == status
    assert list_runs()[0].status == status
