"""The warm worker: a process that has imported all that a training needs before anybody asks for one.

There is one to a $KED_HOME; it holds the lock `queue/.worker`. When a run waits and a slot is free, it forks: the child
has torch at once, shares its memory, takes the slot and computes that run alone. The worker itself never computes, so it
has no threads that a fork would lose. It outlives the server that started it and leaves when nobody has needed it for a
while, when its home is deleted, or when the program was changed.
"""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from ked.errors import InvalidInput, Unavailable
from ked.files import drafts, locks, processes
from ked.files.disk import disk_errors
from ked.files.home import home, whole_number
from ked.jobs import run_queue, slots
from ked.runs.run_lock import RunLock
from ked.store import Run

Taken = tuple[Run, slots.Slot, RunLock]
"""A run to compute, the slot to do it in, and the run's lock."""

LOOK = 0.05  # seconds between two looks at the queue

_started: list[subprocess.Popen[bytes]] = []  # by this process; kept so that one that ended does not linger as a zombie


def patience() -> int:
    """Seconds that a worker waits for work: $KED_WARM_SECONDS, 600 by default; with 0 none is kept warm."""
    return whole_number("KED_WARM_SECONDS", 600)


def keep_warm() -> None:
    """Somebody is here who may want a run soon: see to it that a worker is there, and let it wait on."""
    with contextlib.suppress(OSError, Unavailable):  # where nothing can be written, the runs that are there can still be seen
        if patience():
            ensure()
            os.utime(_lock_file())


def ensure() -> None:
    """Start a worker unless there is one. Takes microseconds; the new one takes seconds until it is warm."""
    _started[:] = [worker for worker in _started if worker.poll() is None]
    lock = locks.take(_lock_file(), wait=False)
    if lock is None:
        return
    try:
        with disk_errors(run_queue.folder()), open(run_queue.folder() / ".log", "wb") as log:
            worker = processes.start(["worker", str(lock)], log, lock)
        _started.append(worker)
        os.truncate(lock, 0)
        os.write(lock, str(worker.pid).encode())  # from this moment on it waits for work
    finally:
        os.close(lock)


def process() -> psutil.Process:
    """The worker that was started last in this home.

    Raises:
        Unavailable: It is gone, or there never was one.
    """
    try:
        return psutil.Process(int(_lock_file().read_text("utf-8")))
    except (OSError, ValueError, psutil.Error):
        raise Unavailable("there is no worker; `ked.jobs.workers.ensure()` starts one.") from None


def serve(lock: int) -> Taken:
    """Be the worker that holds the lock. Returns only in a child: with the run to compute."""
    os.set_inheritable(lock, False)
    version = _version()
    drafts.sweep()
    gc.freeze()  # what is imported stays in memory that all children share: no collection touches it
    while True:
        children = _reap()
        if not _mine(lock):
            sys.exit()
        if run_queue.names():
            if _version() != version:
                _make_way(lock)
            if taken := _start_next():
                os.close(lock)
                return taken
        elif not children and time.time() - os.stat(lock).st_mtime > patience():
            _leave(lock)
        time.sleep(LOOK)


def _start_next() -> Taken | None:
    """Fork for the first run in line if a slot is free. In the child: what it takes to compute; in the worker: None."""
    slot = slots.Slot()
    if not slot.try_acquire():
        return None
    with run_queue.locked():  # the child shares the lock: the worker's next look at the queue comes after its first word
        clear_damage()
        line = run_queue.waiting()
        if line and os.fork() == 0:
            run, held = _begin(line[0])
            return run, slot, held
    slot.release()
    return None


def clear_damage() -> None:
    """Take out of the line, with its lock held, what nobody can read; a run that it may stand for has failed, and can be resumed."""
    for name in run_queue.damaged():
        run_queue.remove(name)
        run = Run(home() / "runs" / name)
        with contextlib.suppress(Unavailable):  # it is none, or is damaged itself
            if run.status == "queued":
                message = "its place in the queue was damaged; resume it, and it gets another one."
                run.conclude(status="failed", message=message, ended=time.time())


def _begin(item: run_queue.Waiting) -> tuple[Run, RunLock]:
    """The child's first word: from here on the run is this process's."""
    os.setsid()
    run = Run(home() / "runs" / item.run)
    try:
        lock = RunLock(run)
        with disk_errors(run.folder), open(run.folder / "job.log", "wb") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        run.update(status="running", pid=os.getpid())  # the number is for people: nothing is decided by it
    except InvalidInput:  # somebody computes it already
        sys.exit(1)
    except Unavailable as error:  # the run was deleted or damaged meanwhile, or the disk is full
        with contextlib.suppress(Unavailable):
            run.conclude(status="failed", message=str(error), ended=time.time())
        sys.exit(1)
    finally:
        run_queue.started(item)
    return run, lock


def _reap() -> bool:
    """Bury the children that have ended; returns whether others are at work."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    return False


def _mine(lock: int) -> bool:
    """Whether the lock is still the one of this home: a home that was deleted, or made anew, is not served any more."""
    with contextlib.suppress(OSError):
        return os.path.samestat(os.stat(lock), os.stat(_lock_file()))
    return False


def _leave(lock: int) -> None:
    """End, unless a run has come at the last moment."""
    with run_queue.locked():  # a run that comes after this finds the lock free, and starts another worker
        if not run_queue.names():
            os.close(lock)
            sys.exit()


def _make_way(lock: int) -> None:
    """Leave to a worker that has the program as it is now."""
    os.close(lock)
    ensure()
    sys.exit()


def _version() -> tuple[int, int]:
    """Changes when a file of this package does."""
    times = [file.stat().st_mtime_ns for file in Path(__file__).parents[1].rglob("*.py")]
    return len(times), max(times)


def _lock_file() -> Path:
    return run_queue.folder() / ".worker"
