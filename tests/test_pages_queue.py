"""The queue as the train page shows it, without a browser and without a worker."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from visitor import address, copy_of, figure, sound, standing, usable, visit

from ked import jobs
from ked.files import locks
from ked.jobs import run_queue
from ked.recipe import Recipe
from ked.store import Run


@pytest.fixture
def no_worker(ked_home: Path) -> Iterator[None]:
    """Nobody takes runs from the queue: the worker's place is taken."""
    lock = locks.take(run_queue.folder() / ".worker", wait=False)
    assert lock is not None
    yield
    os.close(lock)


@pytest.mark.usefixtures("no_worker")
def test_a_run_that_waits_says_how_many_are_before_it(small_recipe: Recipe) -> None:
    first, mine = jobs.submit(small_recipe, "somebody"), jobs.submit(small_recipe, "me")
    app = sound(visit("train", run=mine.id), "train")
    assert standing(app).endswith("queued, 1 before you**")
    jobs.cancel(first)
    sound(app.run(), "train")
    assert standing(app).endswith("queued, starts next**")


@pytest.mark.usefixtures("no_worker")
def test_a_full_queue_refuses_in_a_sentence_and_the_run_stays_in_view(
    small_run: Run, ked_home: Path, monkeypatch: pytest.MonkeyPatch, one_sentence: Callable[[str], str]
) -> None:
    finished = copy_of(small_run, ked_home)
    app = sound(visit("train", run=finished.id), "train")
    monkeypatch.setenv("KED_QUEUE", "0")
    next(button for button in app.button if button.label == "Train").click().run()
    usable(app, "train")
    (refusal,) = app.error
    assert "0 runs are already waiting" in one_sentence(refusal.value)
    assert address(app)["run"] == finished.id
    assert figure(app, "accuracy")["data"]
