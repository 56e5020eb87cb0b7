"""What every test gets: a home folder of its own, one thread, fixed seeds; and one small finished run to look at."""

# ruff: noqa: E402
from __future__ import annotations

from ked.files.processes import let_threads_sleep

let_threads_sleep()  # before torch is imported

import contextlib
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command_line import Answer, Ked
from hypothesis import settings
from study_samples import keep

from ked import cli
from ked.cli import studies as study_commands
from ked.jobs import workers
from ked.recipe import Recipe
from ked.runs.pipeline import run as run_recipe
from ked.runs.run_lock import RunLock
from ked.store import Run, create_run, load_run
from ked.studies import Study, launch, shipped
from ked.studies.cells import Settings
from ked.studies.report import report

torch.set_num_threads(1)
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever starts the suite with nohup hands on that it is ignored, and tests send it
settings.register_profile("ked", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("ked")

SMALL: dict[str, Any] = {
    "dataset": "digits",
    "methods": ("plain", "kd", "ked"),
    "teacher_hidden": (32, 32),
    "student_hidden": (12, 12),
    "seeds": 2,
    "epochs": 2,
    "teacher_epochs": 3,
    "dependency_samples": 100,
}


@pytest.fixture(autouse=True)
def ked_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """$KED_HOME, empty, for this test alone, also for the processes that it starts; and fixed seeds.

    No worker is kept warm in it, and what a test leaves at work ends with the home.
    """
    home = tmp_path / "ked-home"
    monkeypatch.setenv("KED_HOME", str(home))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("KED_WARM_SECONDS", "0")
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    yield home
    if (home / "queue").is_dir():
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def leave_no_worker() -> Iterator[None]:
    """Workers end with their homes; the tests are over when they have."""
    yield
    for process in [*workers._started, *launch._started]:
        process.wait(180)


@pytest.fixture(scope="session")
def small_recipe() -> Recipe:
    """A recipe that takes a second."""
    return Recipe.make(**SMALL)


@pytest.fixture(scope="session")
def small_run(small_recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """That recipe's finished run, in a home of its own that no test's $KED_HOME points to: look, do not touch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KED_HOME", str(tmp_path_factory.mktemp("small-run")))
        run = create_run(small_recipe)
        for _ in run_recipe(small_recipe, into=run):
            pass
    return run


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """`wait_for(condition)`: until the condition holds; an error if it never does."""

    def wait(condition: Callable[[], object], seconds: float = 180.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{condition} did not come true within {seconds} s"
            time.sleep(0.02)

    return wait


@pytest.fixture
def one_sentence() -> Callable[[str], str]:
    """Checks that a message is one sentence for people, and returns it."""

    def check(message: str) -> str:
        assert message.strip() == message
        assert "\n" not in message
        assert message.endswith(".")
        assert ". " not in message.rstrip(".")
        assert "Traceback" not in message
        assert "pydantic" not in message
        assert "http" not in message
        return message

    return check


@pytest.fixture
def finish() -> Callable[[Recipe], Run]:
    """`finish(recipe)` computes a run in this test's home and returns it."""

    def compute(recipe: Recipe) -> Run:
        run = create_run(recipe)
        for _ in run_recipe(recipe, into=run):
            pass
        return run

    return compute


@pytest.fixture
def at_work() -> Iterator[Callable[[Run], Run]]:
    """`at_work(run)`: to whoever looks, the run is being computed until the test ends; nothing computes it."""
    with contextlib.ExitStack() as held:

        def begin(run: Run) -> Run:
            held.enter_context(RunLock(run))
            run.update(status="running")
            return run

        yield begin


@pytest.fixture
def warm(small_run: Run, ked_home: Path) -> Run:
    """The small run with its cache, copied into this test's home."""
    shutil.copytree(small_run.folder.parent.parent, ked_home)
    return load_run(small_run.id)


@pytest.fixture
def ked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ked:
    """`ked("run", "--json")` runs the command in this process, from `main` on: a process of its own takes seconds."""

    def call(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["ked", *arguments])
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return call


@pytest.fixture
def ship(ked_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Study, Settings], Path]:
    """`ship(study, settings)` lets results of a study come with the program, and leaves none here; returns their file."""
    monkeypatch.setattr(shipped, "RESULTS", tmp_path / "results")

    def write(study: Study, settings: Settings) -> Path:
        keep(study, settings)
        folder = shipped.file_of(study.name, settings.scale).parent
        study_commands._write(report(study, settings), folder)
        (ked_home / "studies" / study.name / "cells.jsonl").unlink()
        return folder / "cells.csv"

    return write
