"""What an executor's worker does with a cell: find its run, go on with it or compute it, and measure it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ked import data
from ked.agreements import survey
from ked.errors import Unavailable
from ked.files import locks
from ked.files.home import home
from ked.jobs import slots
from ked.library import NAME_LENGTH
from ked.matching import matching
from ked.runs import steering
from ked.runs.pipeline import run as walk
from ked.runs.run_lock import RunLock
from ked.store import Run, create_run
from ked.studies import ledger
from ked.studies.cells import Cell, key_of
from ked.studies.ledger import Record
from ked.studies.study import BAYES_RULE

AGREEMENT, FIDELITY = "cosine", "answer"
"""The measures (`ked.agreements.measures`) that studies keep of explanations and of predictions."""

_LOOK = 0.1  # seconds between two looks for the cell's lock


@dataclass(frozen=True)
class Order:
    """How a study wants its cells computed.

    Attributes:
        stop: Cells end after the batch in hand as soon as this file is there.
        here: Whether the worker shares this machine with jobs, and so takes one of their slots.
    """

    stop: Path
    here: bool = True

    def stopped(self) -> bool:
        """Whether nobody wants the cells any more."""
        return self.stop.exists()


class Stopped(Unavailable):
    """Whoever wanted a cell asked to stop."""


def compute(cell: Cell, order: Order) -> Record:
    """A cell's results: of a run that has them, else of one that is computed now, from where an earlier one was stopped.

    Raises:
        Stopped: The stop file is there.
        InvalidInput, Unavailable: With one sentence, as `ked.runs.pipeline.run`.
    """
    with _alone(cell, order):
        run = ledger.finished().get(cell.key) or _train(cell, order)
    return measure(cell, run)


def measure(cell: Cell, run: Run) -> Record:
    """The numbers that studies keep of a finished run."""
    info = run.info
    summary, seconds, scores = info["summary"], info["seconds"], _validation(run)
    nets: dict[str, dict[str, Any]] = {}
    for net, accuracy in summary["accuracy"].items():
        stage = f"student-{net}" if net in cell.recipe.methods else net
        nets[net] = {"accuracy": accuracy if isinstance(accuracy, list) else [accuracy], "seconds": seconds.get(stage)}
        nets[net] |= {"validation": scores[stage]} if stage in scores else {}
    if "bayes_rule" in summary:
        nets[BAYES_RULE] = {"accuracy": [summary["bayes_rule"]], "seconds": None}
    for method, values in _agreements(cell, run).items():
        nets[method] |= values
    groups = {"sizes": summary["superfeature_sizes"]} | {n: summary[n] for n in ("modularity", "adjusted", "recovery") if n in summary}
    return Record(cell.key, run.id, round(sum(seconds.values()), 3), nets, groups)


def _train(cell: Cell, order: Order) -> Run:
    run = ledger.begun(cell) or create_run(cell.recipe, name=cell.name[:NAME_LENGTH], tags=[cell.study], cell=cell.key)
    slot = slots.Slot()
    with RunLock(run) as lock:  # while it waits for a slot, too
        steering.clear(run)
        try:
            if order.here and not slot.acquire(order.stopped):
                raise Stopped("the study was stopped.")
            on_play = _player(slot, order)
            for _ in walk(cell.recipe, into=run, should_stop=order.stopped, on_pause=slot.release, on_play=on_play, lock=lock):
                pass
        finally:
            slot.release()
    _check(cell, run, order)
    return run


def _check(cell: Cell, run: Run, order: Order) -> None:
    """Refuse what is not the cell's result: whoever sees the run in the app can cancel it, or steer it elsewhere."""
    info = run.info
    if info["status"] != "done":
        raise Stopped("the study was stopped." if order.stopped() else f"its run {run.id} was cancelled; start the study again.")
    if key_of(info["stages"]) != cell.key:
        raise Unavailable(f"the settings of its run {run.id} were changed on the way; start the study again for one without.")


def _player(slot: slots.Slot, order: Order) -> Callable[[], bool]:
    return slot.try_acquire if order.here else lambda: True


@contextlib.contextmanager
def _alone(cell: Cell, order: Order) -> Iterator[None]:
    """Nobody else computes this cell meanwhile; a worker that is killed gives it free."""
    place = home() / "studies" / ".locks" / cell.key
    while (lock := locks.take(place, wait=False)) is None:
        if order.stopped():
            raise Stopped("the study was stopped.")
        time.sleep(_LOOK)
    try:
        if order.stopped():
            raise Stopped("the study was stopped.")
        yield
    finally:
        os.close(lock)


def _validation(run: Run) -> dict[str, list[float]]:
    """Stage -> validation accuracy of each seed after its last epoch."""
    return {event["stage"]: event["validation"] for event in run.events()[0] if event["kind"] == "epoch"}


def _agreements(cell: Cell, run: Run) -> dict[str, dict[str, list[float]]]:
    """Students with explanations -> their agreement with the explaining teacher on the test samples, a value a seed."""
    methods = [row.name for row in cell.recipe.method_rows if row.net == "ked"]
    if not methods or not run.has("explaining"):
        return {}
    x, y = data.load(cell.recipe.dataset, cell.recipe.label, drop=cell.recipe.drop, keep=cell.recipe.keep).part("test")
    teacher, found = run.explaining(), {}
    for name in methods:
        student = run.student(name)
        told = survey(student, teacher, x, y, pairs=matching(student, teacher), tau=cell.recipe.tau)
        found[name] = {"agreement": told.mean(AGREEMENT).tolist(), "answer": told.mean(FIDELITY).tolist()}
    return found
