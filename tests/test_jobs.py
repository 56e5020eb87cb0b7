"""Jobs are real processes here: some that end well, some that wait, are cancelled or killed, and their worker."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from ked import jobs
from ked.errors import Unavailable
from ked.files import locks
from ked.jobs import run_queue, workers
from ked.recipe import Recipe
from ked.runs import steering
from ked.store import Run, create_run, list_runs, load_run

WaitFor = Callable[..., None]
GONE = "ended without a word"
ENDED = ("done", "failed", "cancelled")


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for all tests here, as a worker takes seconds to get warm; who is at work in it is killed at the end."""
    home = tmp_path_factory.mktemp("home")
    yield home
    for process in at_work(home):
        process.kill()
    assert all(worker.wait(180) is not None for worker in workers._started)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def shared(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The shared home as this test's, with a warm worker, two slots and nothing in the cache; afterwards nobody is at work."""
    monkeypatch.setenv("KED_HOME", str(shared_home))
    monkeypatch.setenv("KED_WARM_SECONDS", "60")
    shutil.rmtree(shared_home / "cache", ignore_errors=True)
    workers.keep_warm()
    yield shared_home
    for run in list_runs():
        if run.status not in ENDED:
            jobs.cancel(run)
    deadline = time.monotonic() + 180
    while any(jobs.status(run) not in ENDED for run in list_runs()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def endless(small_recipe: Recipe) -> Recipe:
    """A recipe whose students train for longer than any test waits."""
    return small_recipe.without(epochs=100_000, methods=("ked",))


def at_work(home: Path) -> list[psutil.Process]:
    """The worker of a home and its jobs."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cmdline()[2:4] == ["ked", "worker"] and process.environ().get("KED_HOME") == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return found


def _training(run: Run) -> bool:
    """Whether the students have begun to learn."""
    return any(event["kind"] == "epoch" and event["stage"] == "student-ked" for event in run.events()[0])


def test_a_job_computes_its_run_in_a_process_of_its_own(
    shared: Path, small_recipe: Recipe, small_run: Run, wait_for: WaitFor
) -> None:
    run = jobs.submit(small_recipe)
    assert load_run(run.id) == run
    assert jobs.status(run) in ("queued", "running")
    wait_for(lambda: jobs.status(run) in ENDED)
    assert run.status == "done", run.info["message"] or (run.folder / "job.log").read_text()
    assert run.info["pid"] not in (os.getpid(), workers.process().pid)
    assert run.info["summary"] == small_run.info["summary"], "a job gives what the same recipe gives in this process"
    assert run.events()[0][-1]["kind"] == "end"
    assert (run.folder / "job.log").read_text() == ""
    assert (run_queue.folder() / ".log").read_text() == ""
    assert jobs.position(run) is None


def test_no_more_jobs_than_slots_are_at_work_and_the_others_wait_in_their_order(
    shared: Path, endless: Recipe, wait_for: WaitFor
) -> None:
    first, second = jobs.submit(endless, "ann"), jobs.submit(endless.without(seed=1), "ann")
    wait_for(lambda: first.status == second.status == "running")
    third, fourth = jobs.submit(endless.without(seed=2), "ann"), jobs.submit(endless.without(seed=3), "bob")
    wait_for(lambda: _training(first) and _training(second))
    assert [jobs.status(run) for run in (third, fourth)] == ["queued", "queued"]
    assert [jobs.position(run) for run in (first, second, third, fourth)] == [None, None, 0, 1]
    jobs.cancel(third)
    assert jobs.status(third) == third.status == "cancelled", "what waits is cancelled at once"
    assert not third.has("teacher")
    assert jobs.position(fourth) == 0
    os.kill(first.info["pid"], signal.SIGKILL)
    wait_for(lambda: jobs.status(fourth) == "running")
    assert jobs.status(first) == "failed"
    assert jobs.status(second) == "running"


def test_a_full_queue_refuses_and_leaves_nothing_behind(
    shared: Path, endless: Recipe, monkeypatch: pytest.MonkeyPatch, one_sentence: Callable[[str], str]
) -> None:
    monkeypatch.setenv("KED_QUEUE", "0")
    before = len(list_runs())
    ended = create_run(endless)
    ended.update(status="cancelled")
    with pytest.raises(Unavailable, match="0 runs are already waiting") as refusal:
        jobs.submit(endless)
    one_sentence(str(refusal.value))
    with pytest.raises(Unavailable, match="0 runs are already waiting"):
        jobs.resume(ended)
    assert jobs.status(ended) == "cancelled"
    assert len(list_runs()) == before + 1


def test_a_cancelled_job_stops_soon_and_keeps_what_it_has(shared: Path, endless: Recipe, wait_for: WaitFor) -> None:
    run = jobs.submit(endless)
    wait_for(lambda: _training(run))
    assert jobs.status(run) == "running"
    jobs.cancel(run)
    wait_for(lambda: jobs.status(run) == "cancelled")
    assert run.has("explaining")
    assert not run.has("student-ked")
    wait_for(lambda: not psutil.pid_exists(run.info["pid"]))


def test_a_job_killed_in_mid_stage_goes_on_with_the_numbers_of_one_that_was_not(
    shared: Path, small_recipe: Recipe, finish: Callable[[Recipe], Run], wait_for: WaitFor, one_sentence: Callable[[str], str]
) -> None:
    recipe = small_recipe.without(epochs=40, methods=("ked",), seed=7)
    whole = finish(recipe)
    shutil.rmtree(shared / "cache")
    run = jobs.submit(recipe)
    wait_for(lambda: _training(run))
    os.kill(run.info["pid"], signal.SIGKILL)
    wait_for(lambda: jobs.status(run) == "failed")
    assert GONE in one_sentence(run.info["message"])
    assert run.explaining().parameter_count, "what was finished is kept"
    assert not run.has("student-ked")
    told = [event["epoch"] for event in run.events()[0] if event["kind"] == "epoch" and event["stage"] == "student-ked"]
    assert (run.info["stage"], run.info["epoch"]) == ("student-ked", told[-1])
    wait_for(lambda: not psutil.pid_exists(run.info["pid"]))  # no zombie stays behind
    before = len(run.events()[0])
    jobs.resume(run)
    wait_for(lambda: jobs.status(run) in ENDED)
    assert run.status == "done", run.info["message"]
    assert "epoch" not in run.info
    assert run.info["summary"] == whole.info["summary"]
    for mine, theirs in zip(run.student("ked").parameters(), whole.student("ked").parameters(), strict=True):
        assert torch.equal(mine, theirs)
    again = [e for e in run.events()[0][before:] if e["kind"] == "epoch" and e["stage"] == "student-ked"]
    assert [event["epoch"] for event in again] == list(range(1, 41))
    assert [event["loss"] for event in again[: len(told)]] == [
        event["loss"] for event in run.events()[0][:before] if event["kind"] == "epoch" and event["stage"] == "student-ked"
    ]


def test_when_the_worker_is_killed_its_jobs_live_on_and_who_looks_at_the_queue_gets_another(
    shared: Path, endless: Recipe, small_recipe: Recipe, wait_for: WaitFor
) -> None:
    run = jobs.submit(endless)
    wait_for(lambda: _training(run))
    worker = workers.process()
    worker.kill()
    wait_for(lambda: workers._started[0].poll() is not None)
    with run_queue.locked():
        waits = create_run(small_recipe)
        run_queue.add(waits.id, "")
    wait_for(lambda: jobs.status(waits) in ENDED)
    assert waits.status == "done"
    assert jobs.status(run) == "running"
    assert workers.process().pid != worker.pid


def test_a_run_that_cannot_be_started_is_failed_and_the_next_one_starts(
    shared: Path, small_recipe: Recipe, wait_for: WaitFor
) -> None:
    with run_queue.locked():
        run_queue.add("deleted-run", "")
        run = create_run(small_recipe.without(superfeatures=65))
        run_queue.add(run.id, "")
    wait_for(lambda: jobs.status(run) in ENDED)
    assert "superfeatures = 65" in run.info["message"]
    assert run_queue.names() == []


def test_a_worker_that_nobody_needs_leaves(
    ked_home: Path, small_recipe: Recipe, wait_for: WaitFor
) -> None:
    workers.keep_warm()
    assert at_work(ked_home) == [], "where none is to be kept warm, none is started for nothing"
    run = jobs.submit(small_recipe.without(methods=("plain",), epochs=1))
    wait_for(lambda: jobs.status(run) in ENDED)
    assert run.status == "done"
    wait_for(lambda: at_work(ked_home) == [])
    lock = locks.take(run_queue.folder() / ".worker", wait=False)
    assert lock is not None
    os.close(lock)


def test_a_worker_whose_home_is_gone_leaves(shared: Path, wait_for: WaitFor) -> None:
    assert workers.process().is_running()
    os.rename(shared / "queue", shared / "elsewhere")
    wait_for(lambda: at_work(shared) == [])


# What is said of a run


def test_a_run_that_rests_gives_its_slot_to_the_next_and_waits_for_one_again(
    shared: Path, endless: Recipe, wait_for: WaitFor
) -> None:
    first, second, third = (jobs.submit(endless.without(seed=seed)) for seed in range(3))
    wait_for(lambda: all(events(run, "epoch") for run in (first, second)))
    assert jobs.position(third) == 0
    steering.pause(first)
    wait_for(lambda: events(third, "epoch"))
    steering.play(first)
    trained = len(events(second, "epoch"))
    wait_for(lambda: len(events(second, "epoch")) > trained + 9)
    assert not events(first, "resumed")
    jobs.cancel(second)
    wait_for(lambda: events(first, "resumed"))


def events(run: Run, kind: str) -> list[dict[str, Any]]:
    return [event for event in run.events()[0] if event["kind"] == kind]


def test_a_run_that_diverged_goes_on_with_a_lower_learning_rate_and_its_recipe_gives_the_same_numbers(
    shared: Path, small_recipe: Recipe, wait_for: WaitFor, finish: Callable[[Recipe], Run]
) -> None:
    run = jobs.submit(small_recipe.without(optimiser="sgd", lr=1e6, methods=("plain",)))
    wait_for(lambda: jobs.status(run) == "failed")
    assert run.info["diverged"]
    assert "learning rate below 1e+06" in run.info["message"]
    assert run.progress() == {"stage": "teacher", "epoch": 0}
    jobs.resume(run, lr=0.05)
    wait_for(lambda: jobs.status(run) != "running" and run.status in ENDED)
    assert run.status == "failed", "the next stage has the recipe's own rate again"
    assert run.progress()["stage"] == "student-plain"
    jobs.resume(run, lr=0.05)
    wait_for(lambda: jobs.status(run) == "done")
    assert [change.setting for change in run.recipe.changes] == ["lr", "lr"]
    assert not run.info.get("diverged")
    shutil.rmtree(shared / "cache")
    torch.set_num_threads(1)
    again = finish(run.recipe)
    assert again.info["summary"] == run.info["summary"]
