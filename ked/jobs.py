"""Jobs: each run computes in a process of its own that outlives the page, the tab and the server that started it.

The run folder is the only channel: the job appends events there, and whoever watches leaves orders (`ked.steering`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import psutil
import torch

from ked import pipeline, steering
from ked.errors import InvalidInput, Unavailable
from ked.recipe import Recipe
from ked.store import Run, create_run, disk_errors, list_runs

GRACE = 60.0  # seconds that a queued job may take to come to life

_UNFINISHED = ("queued", "running")
_children: dict[str, subprocess.Popen[bytes]] = {}  # kept so that a job that ended does not linger as a zombie


def submit(recipe: Recipe) -> Run:
    """Start a job for the recipe and return its run folder at once."""
    run = create_run(recipe)
    _start(run)
    return run


def resume(run: Run) -> None:
    """Start a job that goes on where a run was stopped or broke off: after its last finished epoch, with the same numbers."""
    if status(run) not in ("failed", "cancelled"):
        raise InvalidInput(f"run {run.id} is {status(run)}; only a run that failed or was cancelled can be resumed.")
    steering.clear(run)
    run.forget("pid", "pid_started")
    run.update(status="queued", queued=time.time(), message="")
    _start(run)


def _start(run: Run) -> None:
    with disk_errors(run.folder), open(run.folder / "job.log", "wb") as log:
        _children[run.id] = subprocess.Popen(
            [sys.executable, "-m", "ked", "work", str(run.folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # closing the server's terminal does not end the job
            cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
        )


def work(run: Run) -> None:
    """What the job's process does: compute the run until it is done or asked to stop."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    run.update(pid=os.getpid(), pid_started=psutil.Process().create_time())
    torch.set_num_threads(max(1, torch.get_num_threads() // (1 + _others(run))))
    with contextlib.suppress(InvalidInput, Unavailable):  # run.json already says what went wrong
        for _ in pipeline.run(run.recipe, into=run):
            pass


def cancel(run: Run) -> None:
    """Ask a job to stop; it does so after the batch in hand, and keeps what it has finished."""
    steering.cancel(run)


def status(run: Run) -> str:
    """The run's status; a job whose process is gone without a word becomes failed, with a message that says so."""
    for child in list(_children.values()):
        child.poll()
    said = run.status
    if said in _UNFINISHED and not _alive(run):
        said = run.status  # once more: it may have ended well since the first look
        if said in _UNFINISHED:
            message = "the job's process ended without a word (killed, or out of memory); what it had finished is kept."
            run.conclude(status=(said := "failed"), message=message, ended=time.time())
    return said


def _others(run: Run) -> int:
    """How many other jobs are at work: they share the cores, and threads that fight for a core slow each other down."""
    others = (other for other in list_runs() if other.id != run.id)
    return sum(1 for other in others if "pid" in other.info and status(other) in _UNFINISHED)


def _alive(run: Run) -> bool:
    info = run.info
    if run.id in _children and _children[run.id].returncode is not None:
        return False
    if "pid" not in info:
        # Not a job's run (a notebook or the command line computes it), or a job that is still starting.
        return bool(info["status"] == "running" or time.time() - info.get("queued", info["created"]) < GRACE)
    try:
        process = psutil.Process(info["pid"])
        same = abs(process.create_time() - info["pid_started"]) < 1
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
