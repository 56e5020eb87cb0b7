"""A net as it was after each epoch, or after some of many, to look back at: `checkpoints/<stage>-<epoch>.safetensors`.

Never more than COUNT files a stage, or BYTES in all: the epochs that are kept lie evenly, and the last is among them. While a
net trains, its latest epoch is there too. They belong to a stage's cached result; runs share them by hard links.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from ked.files.disk import link
from ked.nets.stack import Stack
from ked.nets.weights import save_stack
from ked.store import SNAPSHOTS, Run

COUNT = 24
BYTES = 24_000_000


def spread(epochs: int, count: int = COUNT) -> frozenset[int]:
    """At most `count` of the epochs 1..epochs, as evenly as whole numbers allow, the last among them."""
    count = min(count, epochs)
    return frozenset(-(-i * epochs // count) for i in range(1, count + 1))


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of one stage's training.

    Attributes:
        run: Where they are written.
        stage: As in the files' names.
        net: What trains.
        epochs: How many it trains for.
    """

    run: Run
    stage: str
    net: Stack
    epochs: int

    @property
    def kept(self) -> frozenset[int]:
        """The epochs that stay; none where not even two nets fit."""
        fit = BYTES // max(1, sum(tensor.nbytes for tensor in self.net.state_dict().values()))
        return spread(self.epochs, min(COUNT, fit)) if fit > 1 and self.epochs else frozenset()

    def forget(self, after: int) -> None:
        """Remove those of later epochs: they are of a training that broke off."""
        for epoch, path in self.run.snapshots(self.stage).items():
            if epoch > after:
                path.unlink(missing_ok=True)

    def write(self, epoch: int) -> None:
        """Keep the net as it is after an epoch; the epoch before goes, unless it is one that stays."""
        kept = self.kept
        if not kept:
            return
        path = self._path(epoch)
        path.parent.mkdir(exist_ok=True)
        draft = path.with_suffix(".draft")
        save_stack(draft, self.net)
        os.replace(draft, path)
        if epoch - 1 not in kept:
            self._path(epoch - 1).unlink(missing_ok=True)

    def _path(self, epoch: int) -> Path:
        return self.run.folder / SNAPSHOTS / f"{self.stage}-{epoch}.safetensors"


def share(stage: str, source: Run, target: Run) -> None:
    """Put the snapshots of a stage into another folder too, at the price of a link each."""
    found = source.snapshots(stage)
    if found:
        (target.folder / SNAPSHOTS).mkdir(exist_ok=True)
    for path in found.values():
        with contextlib.suppress(FileNotFoundError):
            link(path, target.folder / SNAPSHOTS / path.name)
