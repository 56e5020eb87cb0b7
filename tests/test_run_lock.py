"""One process a run: whoever computes it holds its lock, and what becomes of a run whose process was killed or asked to go."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import torch
from command_line import Ked
from driver import RECIPE, Driver, same

from ked import jobs, library
from ked.errors import InvalidInput, Unavailable
from ked.files import locks
from ked.recipe import Recipe
from ked.runs import pipeline, steering
from ked.runs.ending import ended_by_signals
from ked.runs.run_lock import RunLock, is_held
from ked.store import Run, create_run, list_runs

ROOT = Path(__file__).resolve().parents[1]
LONG = [
    "run",
    "--methods=ked",
    "--seeds=2",
    "--train-size=200",
    "--epochs=9",
    "--teacher-epochs=1",
    "--teacher-hidden=24",
    "--student-hidden=8",
]

WaitFor = Callable[..., None]


@pytest.fixture
def command() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`command("run", ...)`: `python -m ked run ...` with two threads, in a process of its own that ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        surroundings = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen([sys.executable, "-m", "ked", *arguments], env=surroundings, **pipes))  # type: ignore[call-overload]
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def epochs(run: Run) -> int:
    """The students' last epoch that was told."""
    return max((e["epoch"] for e in run.events()[0] if e["kind"] == "epoch" and e["stage"] == "student-ked"), default=0)


def rest(wait_for: WaitFor) -> Run:
    """The run of a command that has just been started, at rest in the midst of its students' training."""
    wait_for(lambda: any(library.is_own(run) and run.status in ("queued", "running") for run in list_runs()))
    run = list_runs()[0]
    steering.pause(run)
    steering.step(run, epochs=1 + 1 + 3)
    wait_for(lambda: run.events()[0][-1:] and run.events()[0][-1]["kind"] == "paused" and epochs(run))
    return run


def test_a_killed_command_is_failed_at_once_and_a_job_goes_on_with_its_threads_and_numbers(
    command: Callable[..., subprocess.Popen[str]],
    wait_for: WaitFor,
    one_sentence: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    process = command(*LONG)
    run = rest(wait_for)
    assert jobs.status(run) == "running"
    with pytest.raises(InvalidInput, match="still in progress"):
        library.delete(run)
    process.kill()
    process.wait()
    assert jobs.status(run) == "failed"
    assert "ended without a word" in one_sentence(run.info["message"])
    assert run.info["threads"] == 2
    before = epochs(run)
    jobs.resume(run)
    wait_for(lambda: jobs.status(run) in ("done", "failed"))
    assert run.status == "done", run.info["message"]
    assert epochs(run) == 9 > before
    monkeypatch.setenv("KED_HOME", str(tmp_path / "another"))
    assert same(run, uninterrupted(run.recipe, threads=2))


def uninterrupted(recipe: Recipe, threads: int) -> Run:
    run, before = create_run(recipe), torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        list(pipeline.run(recipe, into=run))
    finally:
        torch.set_num_threads(before)
    return run


def test_a_command_that_is_asked_to_go_ends_as_stopped_and_only_one_takes_it_up_again(
    command: Callable[..., subprocess.Popen[str]], ked: Ked, wait_for: WaitFor, one_sentence: Callable[[str], str]
) -> None:
    process = command(*LONG)
    run = rest(wait_for)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate()
    assert f"(run {run.id})" in re.sub(r"\s+", " ", told)
    assert (process.returncode, jobs.status(run), run.info["message"]) == (130, "cancelled", "")
    before, again = epochs(run), command("run", "--resume", run.id)
    assert rest(wait_for) == run
    assert epochs(run) > before
    told_before = run.events()[0]
    refused = ked("run", "--resume", run.id)
    assert (refused.code, refused.out) == (2, "")
    assert f"run {run.id} is running" in one_sentence(refused.err.strip())
    with pytest.raises(InvalidInput, match=f"run {run.id} is being computed by another process") as caught:
        next(pipeline.run(run.recipe, into=run))
    one_sentence(str(caught.value))
    assert run.events()[0] == told_before, "nothing of it was changed"
    again.send_signal(signal.SIGHUP)  # the end of a login
    again.communicate()
    assert (again.returncode, jobs.status(run)) == (130, "cancelled")
    library.delete(run)
    assert not run.folder.exists()


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGHUP])
def test_a_job_that_is_asked_to_go_ends_as_stopped(kind: signal.Signals, wait_for: WaitFor) -> None:
    run = jobs.submit(RECIPE.without(epochs=100_000, methods=("ked",)))
    wait_for(lambda: run.events()[0])
    os.kill(run.info["pid"], kind)
    wait_for(lambda: jobs.status(run) == "cancelled")
    wait_for(lambda: not psutil.pid_exists(run.info["pid"]))
    assert (run.folder / "job.log").read_text() == ""


def test_the_lock_is_held_from_the_first_event_to_the_last_and_given_back_however_it_ends() -> None:
    driver = Driver()
    assert not is_held(driver.run)
    driver.until("epoch")
    assert is_held(driver.run)
    driver.events.close()  # type: ignore[attr-defined]
    assert not is_held(driver.run)
    assert driver.run.status == "cancelled"
    broken = create_run(RECIPE.without(superfeatures=65))
    with pytest.raises(InvalidInput):
        list(pipeline.run(broken.recipe, into=broken))
    assert not is_held(broken)


def test_a_run_is_begun_once_by_whoever_comes_first(one_sentence: Callable[[str], str]) -> None:
    driver = Driver()
    driver.until("training")
    with pytest.raises(InvalidInput, match="being computed") as caught:
        next(pipeline.run(driver.run.recipe, into=driver.run))
    one_sentence(str(caught.value))
    driver.run.update(status="cancelled")  # somebody says so, but it is at work
    with pytest.raises(InvalidInput, match="being computed"):
        jobs.resume(driver.run)
    assert jobs.position(driver.run) is None
    assert driver.rest().status == "done"


def test_a_run_goes_on_with_as_many_threads_as_it_began_with() -> None:
    before = torch.get_num_threads()
    driver = Driver()
    driver.until("training")
    assert driver.run.info["threads"] == before
    driver.events.close()  # type: ignore[attr-defined]
    driver.run.update(threads=before + 1)
    for _ in pipeline.run(driver.run.recipe, into=driver.run):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    assert driver.run.info["threads"] == before + 1


def test_a_lock_does_not_bring_a_deleted_run_back(one_sentence: Callable[[str], str]) -> None:
    run = Run(create_run(RECIPE).folder.with_name("no-such-run"))
    with pytest.raises(Unavailable, match="may have been deleted") as caught:
        RunLock(run)
    one_sentence(str(caught.value))
    assert not is_held(run)
    assert not run.folder.exists()


@pytest.mark.parametrize("stage", ["teacher", "dependency", "superfeatures", "student-ked"])
def test_a_run_that_is_deleted_while_it_is_computed_ends_with_a_sentence_and_leaves_nothing(
    stage: str, ked_home: Path, one_sentence: Callable[[str], str]
) -> None:
    driver, other = Driver(), Driver(RECIPE.without(seed=1))
    driver.until("stage", stage=stage)
    other.until("epoch")
    shutil.rmtree(driver.run.folder)
    with pytest.raises(Unavailable, match=f"{driver.run.id} is gone: somebody deleted it") as caught:
        driver.rest()
    one_sentence(str(caught.value))
    assert os.listdir(ked_home / "runs") == [other.run.id]
    assert other.rest().status == "done"
    assert list((ked_home / "cache").glob(".*")) == []


def test_a_lock_that_is_given_back_twice_takes_nobody_elses_file(tmp_path: Path) -> None:
    lock = RunLock(create_run(RECIPE))
    lock.release()
    with open(tmp_path / "other", "w") as other:  # likely under the same number
        lock.release()
        other.write("still open")
    assert (tmp_path / "other").read_text() == "still open"


def test_a_disk_without_locks_is_a_sentence(
    tmp_path: Path, one_sentence: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(descriptor: int, how: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", refuses)
    with pytest.raises(Unavailable, match="knows no file locks") as caught:
        locks.take(tmp_path / "lock", wait=False)
    one_sentence(str(caught.value))


def test_a_signal_that_is_ignored_stays_ignored_and_afterwards_all_is_as_before() -> None:
    before = [signal.getsignal(kind) for kind in (signal.SIGTERM, signal.SIGHUP)]
    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        signal.raise_signal(signal.SIGTERM)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before[1])
    assert [signal.getsignal(kind) for kind in (signal.SIGTERM, signal.SIGHUP)] == before
