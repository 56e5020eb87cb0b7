"""One process a run: whoever computes it holds the lock of its folder, from the first moment to the last.

The kernel frees the lock when its holder ends, in whatever way. So a run that is said to be at work, and whose lock nobody holds,
has lost its process; neither a clock nor the number of a process is asked. The lock is a file of its own, `.lock`: it is never
replaced, as run.json is, and no export takes it along. A disk that several machines share needs file locks that they share too.
"""

from __future__ import annotations

import os
import time
from types import TracebackType

from ked.errors import InvalidInput, Unavailable
from ked.files import locks
from ked.store import Run

PATIENCE = 0.5  # seconds: whoever only looks holds a lock for a moment, and is not meant by "another process"
_LOOK = 0.02  # seconds between two tries
_FILE = ".lock"


class RunLock:
    """The right to compute a run; as a context manager it is given back at the end.

    Raises:
        InvalidInput: Another process, or another generator in this one, computes the run.
        Unavailable: The folder is gone, or cannot be written.
    """

    def __init__(self, run: Run) -> None:
        self._descriptor: int | None = None
        patient_until = time.monotonic() + PATIENCE
        while (found := _take(run)) is None:
            if time.monotonic() > patient_until:
                raise InvalidInput(f"run {run.id} is being computed by another process; wait for its end, or stop it first.")
            time.sleep(_LOOK)
        self._descriptor = found

    def release(self) -> None:
        """Let others have it; a second time does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> RunLock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def is_held(run: Run) -> bool:
    """Whether a process computes the run now; also where the folder can only be read."""
    return locks.is_held(run.folder / _FILE)


def _take(run: Run) -> int | None:
    if not run.folder.is_dir():  # a lock must not bring a deleted run's folder back
        raise Unavailable(f"the folder of run {run.id} is gone; it may have been deleted.")
    return locks.take(run.folder / _FILE, wait=False)
