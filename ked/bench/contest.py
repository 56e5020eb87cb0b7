"""A comparison: contestants that take turns in one process, so that whatever else the machine does meanwhile matters less."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Contestants = dict[str, Callable[[], object]]


def alternate(contestants: Contestants, rounds: int, clock: Callable[[], float] = time.perf_counter) -> dict[str, float]:
    """The least seconds, by the clock, of each contestant over some rounds, in each of which every one has its turn."""
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(rounds):
        for name, contestant in contestants.items():
            began = clock()
            contestant()
            best[name] = min(best[name], clock() - began)
    return best


@contextmanager
def fresh_home() -> Iterator[None]:
    """An empty $KED_HOME, so that nothing is taken from a cache."""
    before = os.environ.get("KED_HOME")
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["KED_HOME"] = scratch
        try:
            yield
        finally:
            os.environ.pop("KED_HOME") if before is None else os.environ.update(KED_HOME=before)
