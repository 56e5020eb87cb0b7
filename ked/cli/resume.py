"""What `run --resume` goes on with."""

from __future__ import annotations

from ked import jobs
from ked.errors import InvalidInput
from ked.runs import steering
from ked.runs.run_lock import RunLock
from ked.store import Run, load_run


def taken_up(run_id: str) -> tuple[Run, RunLock]:
    """A run that can go on, with its lock: neither finished nor in line, and computed by nobody.

    Raises:
        InvalidInput: There is no such run, or it is finished, waits or is being computed.
    """
    found = load_run(run_id)
    status = jobs.status(found)
    if status in ("done", "running") or jobs.position(found) is not None:
        raise InvalidInput(f"run {run_id} is {status}; only a run that failed or was stopped can be resumed.")
    lock = RunLock(found)
    steering.clear(found)
    return found, lock
