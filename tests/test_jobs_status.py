"""What is said of a job whose process is another one's, gone, late or long ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import psutil
import pytest

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
    handler = signal.getsignal(signal.SIGTERM)
    jobs.work(run, Slot())  # in this process: what the other one does is the same
    signal.signal(signal.SIGTERM, handler)
    assert jobs.status(run) == "failed"
    assert "superfeatures = 65" in one_sentence(run.info["message"])


def test_a_job_that_is_cancelled_before_it_starts_does_nothing(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    jobs.cancel(run)
    handler = signal.getsignal(signal.SIGTERM)
    jobs.work(run, Slot())
    signal.signal(signal.SIGTERM, handler)
    assert jobs.status(run) == "cancelled"
    assert not run.has("teacher")


def test_the_process_of_another_program_with_the_same_number_is_not_the_job(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    run.update(status="running", pid=os.getpid(), pid_started=psutil.Process().create_time() - 100)
    assert jobs.status(run) == "failed"


def test_a_job_in_another_process_is_alive_while_that_process_is(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    run.update(status="running", pid=os.getpid(), pid_started=psutil.Process().create_time())
    assert jobs.status(run) == "running"


def test_a_run_that_nobody_puts_in_line_is_failed_after_a_while(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    assert jobs.status(run) == "queued"
    run.update(created=time.time() - jobs.GRACE - 1)
    assert jobs.status(run) == "failed"


def test_a_run_that_ends_while_it_is_looked_at_keeps_its_status(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    run.update(status="running", pid=os.getpid(), pid_started=0)
    seen = run.info
    run.update(status="done")
    assert jobs.status(run, seen) == run.status == "done"


@pytest.mark.parametrize("status", ["done", "cancelled", "failed"])
def test_what_has_ended_stays_ended(small_recipe: Recipe, status: str) -> None:
    run = create_run(small_recipe)
    run.update(status=status, pid=1, pid_started=0.0)
    assert jobs.status(run) == status
    assert list_runs()[0].status == status
