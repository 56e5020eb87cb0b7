"""Slots: no more trainings at a time than there are, over all processes that share a $KED_HOME.

A slot is a lock on one of the files `$KED_HOME/slots/0`, `1`, ...; $KED_JOBS says how many there are, 2 by default.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from types import TracebackType

from ked.files import locks
from ked.files.home import home, whole_number

LOOK = 0.05  # seconds between two looks for a free slot


def count() -> int:
    """How many trainings may be at work at a time."""
    return whole_number("KED_JOBS", 2, least=1)


def threads() -> int:
    """Threads for each training: an even share of the cores.

    Also of one that is alone: sums over more threads round otherwise, and a run that goes on has to give the same numbers
    whoever else is at work.
    """
    import torch

    return max(1, torch.get_num_threads() // count())


class Slot:
    """A place among the trainings at work, to be held or given up and taken again; as a context manager it waits for one."""

    def __init__(self) -> None:
        self._lock: int | None = None

    @property
    def held(self) -> bool:
        """Whether this process has the place now."""
        return self._lock is not None

    def try_acquire(self) -> bool:
        """Take a free slot if there is one; returns whether this one is held now."""
        if self._lock is None:
            found = (locks.take(home() / "slots" / str(index), wait=False) for index in range(count()))
            self._lock = next((lock for lock in found if lock is not None), None)
        return self.held

    def acquire(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Wait for a slot until `give_up` says yes; returns whether it is held now."""
        while not self.try_acquire():
            if give_up():
                return False
            time.sleep(LOOK)
        return True

    def release(self) -> None:
        """Let others have it; also what a process does that has forked and left the slot to its child."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Slot:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()
