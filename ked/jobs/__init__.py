"""Jobs: each run computes in a process of its own that outlives the page, the tab and the server that started it.

The run folder is the only channel: the job appends events there, and whoever watches leaves orders (`ked.runs.steering`). A job waits
in the queue (`ked.jobs.run_queue`) for one of few slots (`ked.jobs.slots`); a warm worker (`ked.jobs.workers`) then turns into its process.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Mapping
from typing import Any

from ked import changes
from ked.errors import InvalidInput, Unavailable
from ked.jobs import run_queue, slots, workers
from ked.recipe import Recipe
from ked.runs import steering
from ked.runs.ending import ended_by_signals
from ked.runs.run_lock import RunLock, is_held
from ked.store import Run, create_run, list_runs

GRACE = 60.0  # seconds that a run which is neither in line nor anybody's may take to come to life

_UNFINISHED = ("queued", "running")
_WARM = (
    "ked.runs.pipeline", "torch._dynamo", "scipy.optimize", "scipy.linalg", "networkx", "community", "sknetwork.clustering",
    "sklearn.metrics",
)  # fmt: skip
"""What a training imports, also on its way: `torch._dynamo`, for one, comes with the first optimiser."""


def submit(recipe: Recipe, visitor: str = "", *, shared: bool = False) -> Run:
    """Put a job for the recipe in line and return its run folder at once.

    Args:
        recipe: What to do.
        visitor: Who wants it: visitors take turns.
        shared: Whether a run of the same recipe that is waiting or training already will do: whoever steers one keeps it to themselves.

    Raises:
        Unavailable: Too many wait already, or the disk is full.
    """
    with run_queue.locked():
        if shared and (other := _in_progress(recipe)):
            return other
        run_queue.check_room()
        run = create_run(recipe, visitor=visitor)
        run_queue.add(run.id, visitor)
    workers.ensure()
    return run


def _in_progress(recipe: Recipe) -> Run | None:
    """A run of the recipe that waits or is at work, and that nobody has paused, slowed down, changed or stopped."""
    for run in list_runs():
        with contextlib.suppress(InvalidInput, Unavailable):
            wanted = run.status in _UNFINISHED and run.recipe == recipe and steering.asked(run) == steering.Control()
            if wanted and status(run) in _UNFINISHED:
                return run
    return None


def resume(run: Run, **settings: float) -> None:
    """Put a job in line that goes on where a run was stopped or broke off: after its last finished epoch, with the same numbers.

    Args:
        run: It has failed or was cancelled.
        settings: Of `ked.changes.ADJUSTABLE`, for the stage that broke off, from there on: a lower `lr` for a training that
            diverged. They become part of the recipe.

    Raises:
        InvalidInput: The run has not ended, or a setting cannot have that value.
        Unavailable: Too many wait already, or the disk is full.
    """
    if status(run) not in ("failed", "cancelled"):
        raise InvalidInput(f"run {run.id} is {status(run)}; only a run that failed or was cancelled can be resumed.")
    recipe = _changed(run, settings)
    with run_queue.locked(), RunLock(run):  # nobody begins it meanwhile
        run_queue.check_room()
        steering.clear(run)
        run.forget("pid", "stage", "epoch", "diverged")
        run.update(status="queued", queued=time.time(), message="", recipe=recipe.model_dump())
        run_queue.add(run.id, run.info.get("visitor", ""))
    workers.ensure()


def _changed(run: Run, settings: dict[str, float]) -> Recipe:
    """The run's recipe with other settings from the first batch on that is still to come."""
    place = run.progress()
    if not settings:
        return run.recipe
    if not place:
        raise InvalidInput(f"run {run.id} has begun no stage whose settings could change; start it anew.")
    try:
        changes.check(**settings)
    except ValueError as error:
        raise InvalidInput(f"{error}.") from None
    return run.recipe.changed((place["stage"], place["epoch"] + 1, 1), **settings)


def position(run: Run) -> int | None:
    """How many jobs start before this one; None if it does not wait."""
    return run_queue.position(run.id)


def serve(lock: int) -> None:
    """What a worker's process does (see `ked.jobs.workers`): wait, and in the process of a job compute its run."""
    for name in _WARM:  # before anybody asks: a job's process has them from the worker
        importlib.import_module(name)
    work(*workers.serve(lock))


def work(run: Run, slot: slots.Slot, lock: RunLock | None = None) -> None:
    """What the job's process does, in a slot and with the run's lock: compute the run until it is done or asked to stop."""
    import torch

    from ked.runs import pipeline

    torch.set_num_threads(slots.threads())
    with slot, lock or RunLock(run) as held, contextlib.suppress(KeyboardInterrupt), ended_by_signals():
        try:
            events = pipeline.run(_recipe(run), into=run, on_pause=slot.release, on_play=slot.try_acquire, lock=held)
            for _ in events:
                pass
        except (InvalidInput, Unavailable):
            pass  # run.json already says what went wrong


def _recipe(run: Run) -> Recipe:
    """The run's recipe; where it cannot be read, the run has failed."""
    try:
        return run.recipe
    except InvalidInput as error:
        run.conclude(status="failed", message=str(error), ended=time.time())
        raise


def cancel(run: Run) -> None:
    """Take a job out of the line, or ask it to stop; it does so after the batch in hand, and keeps what it has finished."""
    with run_queue.locked():
        if run_queue.remove(run.id):
            run.conclude(status="cancelled", ended=time.time())
            return
    steering.cancel(run)


def status(run: Run, info: Mapping[str, Any] | None = None) -> str:
    """The run's status; one that should be at work, but whose process is gone, becomes failed, with a message that says so.

    Whoever asks about a run that waits sees to it that there is a worker: the last one may have been killed.

    Args:
        run: Whose status.
        info: What run.json says, where it has just been read.
    """
    info = info or run.info
    said = str(info["status"])
    if said == "queued" and run_queue.holds(run.id):
        workers.ensure()
        return said
    if said not in _UNFINISHED or _is_new(info) or is_held(run):
        return said
    try:
        with RunLock(run):  # whoever has it can say that nobody computes the run
            said = run.status  # once more: it may have ended well since the first look
            if said in _UNFINISHED and not run_queue.holds(run.id):
                place = run.progress()
                run.conclude(status=(said := "failed"), message=_GONE, ended=time.time(), **place)
    except InvalidInput:  # somebody has just begun to compute it
        return run.status
    except (Unavailable, OSError):  # it can only be read, or is just being deleted
        return "failed" if run.status in _UNFINISHED else run.status
    return said


_GONE = "its process ended without a word (killed, or out of memory); what it had finished is kept."


def _is_new(info: Mapping[str, Any]) -> bool:
    """Whether a run waits neither in line nor with anybody because it was made, or resumed, only a moment ago."""
    age = time.time() - info.get("queued", info["created"])
    return bool(info["status"] == "queued" and 0 <= age < GRACE)
