"""Jobs are real processes here: one that ends well, one that is cancelled, ones that are killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from ked import jobs
from ked.recipe import Recipe
from ked.store import Run, create_run, list_runs, load_run

WaitFor = Callable[..., None]
GONE = "ended without a word"


@pytest.fixture(autouse=True)
def leave_no_process() -> Iterator[None]:
    """Jobs of this test that are still there when it ends."""
    before = set(jobs._children)
    yield
    for name in set(jobs._children) - before:
        child = jobs._children.pop(name)
        child.kill()
        child.wait()


@pytest.fixture
def endless(small_recipe: Recipe) -> Recipe:
    """A recipe whose students train for longer than any test waits."""
    return small_recipe.without(epochs=100_000, methods=("ked",))


def _training(run: Run) -> bool:
    """Whether the students have begun to learn."""
    return any(event["kind"] == "epoch" and event["stage"] == "student-ked" for event in run.events()[0])


def test_a_job_computes_its_run_in_a_process_of_its_own(small_recipe: Recipe, small_run: Run, wait_for: WaitFor) -> None:
    run = jobs.submit(small_recipe)
    assert load_run(run.id) == run
    assert jobs.status(run) in ("queued", "running")
    wait_for(lambda: jobs.status(run) not in ("queued", "running"))
    assert run.status == "done", run.info["message"] or (run.folder / "job.log").read_text()
    assert run.info["pid"] != os.getpid()
    assert run.info["summary"] == small_run.info["summary"], "a job gives what the same recipe gives in this process"
    assert run.events()[0][-1]["kind"] == "end"
    assert (run.folder / "job.log").read_text() == ""


def test_a_cancelled_job_stops_soon_and_keeps_what_it_has(endless: Recipe, wait_for: WaitFor) -> None:
    run = jobs.submit(endless)
    wait_for(lambda: _training(run))
    assert jobs.status(run) == "running"
    asked = time.monotonic()
    jobs.cancel(run)
    wait_for(lambda: jobs.status(run) == "cancelled", 5)
    assert time.monotonic() - asked < 5
    assert run.has("explaining")
    assert not run.has("student-ked")
    child = jobs._children[run.id]
    wait_for(lambda: child.poll() is not None)
    assert child.returncode == 0


def test_a_killed_job_is_failed_and_says_so(endless: Recipe, wait_for: WaitFor, one_sentence: Callable[[str], str]) -> None:
    run = jobs.submit(endless)
    wait_for(lambda: _training(run))
    os.kill(run.info["pid"], signal.SIGKILL)
    wait_for(lambda: jobs.status(run) == "failed", 5)
    assert GONE in one_sentence(run.info["message"])
    assert run.status == "failed"
    assert run.explaining().parameter_count, "what was finished is kept"
    wait_for(lambda: jobs.status(run) == "failed" and not psutil.pid_exists(run.info["pid"]))  # no zombie stays behind


def test_a_job_killed_before_its_first_word_is_failed_too(endless: Recipe, wait_for: WaitFor) -> None:
    run = jobs.submit(endless)
    os.kill(jobs._children[run.id].pid, signal.SIGKILL)
    wait_for(lambda: jobs.status(run) == "failed", 5)
    assert GONE in run.info["message"]


def test_a_job_that_cannot_work_says_why(small_recipe: Recipe, one_sentence: Callable[[str], str]) -> None:
    run = create_run(small_recipe.without(superfeatures=65))
    handler = signal.getsignal(signal.SIGTERM)
    jobs.work(run)  # in this process: what the other one does is the same
    signal.signal(signal.SIGTERM, handler)
    assert jobs.status(run) == "failed"
    assert "superfeatures = 65" in one_sentence(run.info["message"])


def test_a_job_that_is_cancelled_before_it_starts_does_nothing(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    jobs.cancel(run)
    handler = signal.getsignal(signal.SIGTERM)
    jobs.work(run)
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


def test_a_job_that_never_came_to_life_is_failed_after_a_while(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    assert jobs.status(run) == "queued"
    run.update(created=time.time() - jobs.GRACE - 1)
    assert jobs.status(run) == "failed"


def test_a_run_that_ends_while_it_is_looked_at_keeps_its_status(small_recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    run = create_run(small_recipe)
    run.update(status="running", pid=os.getpid(), pid_started=0)

    def ends(looked_at: Run) -> bool:
        looked_at.update(status="done")
        return False

    monkeypatch.setattr(jobs, "_alive", ends)
    assert jobs.status(run) == run.status == "done"


@pytest.mark.parametrize("status", ["done", "cancelled", "failed"])
def test_what_has_ended_stays_ended(small_recipe: Recipe, status: str) -> None:
    run = create_run(small_recipe)
    run.update(status=status, pid=1, pid_started=0.0)
    assert jobs.status(run) == status
    assert list_runs()[0].status == status
