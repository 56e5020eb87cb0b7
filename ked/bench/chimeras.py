"""What chimeras take: memory against their number, and time against copying as many real samples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ked.bench.contest import alternate
from ked.bench.pixels import BATCH, D, find_pixels
from ked.chimeras import Chimeras
from ked.errors import Unavailable

NUMBERS = (10_000, 100_000, 1_000_000)
SUPERFEATURES = 4
ROUND = 20_000  # chimeras of a round of the race
_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def chimeras() -> dict[str, Any]:
    """Chimeras of 784 features, M = 4, a batch of 100 at a time: the memory that they add at most, however many they are.

    The samples themselves are there before; the stream's own copy of them, arranged by superfeatures, counts.

    Raises:
        Unavailable: The system does not say how much memory a process has had at most (only Linux does).
    """
    if not _FORGET.exists():
        raise Unavailable("the most memory that a process has held is read from /proc, which this system does not have.")
    pixels = find_pixels()
    groups = [part.tolist() for part in torch.arange(D).chunk(SUPERFEATURES)]
    stream = Chimeras(pixels.x, groups, seeds=[0])
    added = {number: peak_megabytes(partial(_stream_and_make, pixels.x, groups, number)) for number in NUMBERS}
    order = torch.randint(len(pixels.x), (ROUND,))
    best = alternate(
        {
            "chimeras": lambda: _make(stream, ROUND),
            "copies": lambda: [pixels.x.index_select(0, part) for part in order.split(BATCH)],
        },
        rounds=5,
    )
    return {
        "pixels": pixels.source,
        **{f"added_megabytes_{number}": megabytes for number, megabytes in added.items()},
        "a_million_as_a_tensor_megabytes": NUMBERS[-1] * D * 4 / 1e6,
        "chimeras_a_second": ROUND / best["chimeras"],
        "times_copying_real_samples": best["chimeras"] / best["copies"],
    }


def _make(stream: Chimeras, number: int) -> None:
    for donors in stream.batches(number, BATCH):
        stream.features(donors)


def _stream_and_make(x: Tensor, groups: list[list[int]], number: int) -> None:
    _make(Chimeras(x, groups, seeds=[0]), number)


def peak_megabytes(task: Callable[[], object]) -> float:
    """Megabytes by which the process grows at most meanwhile."""
    _FORGET.write_text("5")
    before = _held("VmRSS")
    task()
    return _held("VmHWM") - before


def _held(what: str) -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) * 1024 / 1e6
