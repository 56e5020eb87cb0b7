"""Speed against the obvious ways of doing the same, side by side in one process: `python -m ked bench NAME`.

The contestants of a comparison take turns and the best of their times counts (`ked.bench.contest`). Ratios travel between machines;
seconds do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ked.bench.agreement import agreement
from ked.bench.branches import branches
from ked.bench.chimeras import chimeras
from ked.bench.contest import alternate
from ked.bench.dependency import communities, dependency
from ked.bench.growth import growth
from ked.bench.hints import hints
from ked.bench.loop import loop
from ked.bench.own_nets import own_nets
from ked.bench.shapley import shapley
from ked.bench.steering import steering
from ked.bench.training import training
from ked.bench.waiting import waiting_for_jobs
from ked.errors import InvalidInput, quoted

__all__ = ["BENCHMARKS", "alternate", "measure"]

BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "dependency": dependency,
    "communities": communities,
    "training": training,
    "loop": loop,
    "shapley": shapley,
    "chimeras": chimeras,
    "growth": growth,
    "branches": branches,
    "hints": hints,
    "agreement": agreement,
    "steering": steering,
    "own-nets": own_nets,
    "jobs": waiting_for_jobs,
}


def measure(name: str) -> dict[str, Any]:
    """The figures of one benchmark: seconds, ratios of seconds, and what they were measured on.

    Args:
        name: A key of `BENCHMARKS`, or "all" for each in turn under its name.

    Raises:
        InvalidInput: There is no such benchmark.
    """
    if name == "all":
        return {one: measure(one) for one in BENCHMARKS}
    if name not in BENCHMARKS:
        raise InvalidInput(f"benchmark {quoted(name)} is unknown; use one of {', '.join(BENCHMARKS)}, or all.")
    return {"benchmark": name, "threads": torch.get_num_threads(), **BENCHMARKS[name]()}
