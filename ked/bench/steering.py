"""What it costs that a run can be steered and watched: looks for orders, snapshots, forming superfeatures, events."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from ked.bench.contest import Contestants, alternate, fresh_home
from ked.bench.training import digits_run
from ked.recipe import Recipe
from ked.runs import trainer
from ked.runs.snapshots import Snapshots
from ked.runs.steering import Steering
from ked.store import Run, create_run

LOOKS = 20_000
ROUNDS = 3


def steering() -> dict[str, Any]:
    """A digits run (5 seeds, 20 epochs) as it is, against the same run deaf to orders and with nothing to look at.

    Counted in CPU seconds of the process, which other programs hardly change. Checkpoints stay: they are for going on after a break.
    """
    with fresh_home():
        recipe = Recipe(dataset="digits")
        listener = Steering(create_run(recipe), recipe)
        looking = alternate({"looks": lambda: _look(listener)}, ROUNDS)["looks"] / LOOKS
    contestants: Contestants = {"as_it_is": digits_run, "unwatched": _unwatched, "deaf": _deaf}
    best = alternate(contestants, ROUNDS, clock=time.process_time)
    return {
        "seconds_a_look": looking,
        "run_cpu_seconds": best["as_it_is"],
        "deaf_and_unwatched_cpu_seconds": best["deaf"],
        "unwatched_cpu_seconds": best["unwatched"],
        "slower_by_being_steerable": best["unwatched"] / best["deaf"] - 1,
        "slower_by_being_watchable": best["as_it_is"] / best["unwatched"] - 1,
    }


def _look(listener: Steering) -> None:
    """What the job does before every batch while nobody asks for anything."""
    for step in range(1, LOOKS + 1):
        for _ in listener.hold("student-ked", 1, step):
            pass


def _unwatched() -> None:
    with ExitStack() as without:
        without.enter_context(patch.object(Snapshots, "write", lambda self, epoch: None))
        without.enter_context(patch.object(trainer, "_forming", lambda training, behind: None))
        without.enter_context(patch.object(trainer, "LIVE_INTERVAL", math.inf))
        without.enter_context(patch.object(Run, "append", lambda self, event: None))
        digits_run()


def _deaf() -> None:
    with patch.object(Steering, "hold", lambda self, stage, epoch=0, step=0: iter(())):
        _unwatched()
