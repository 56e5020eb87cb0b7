"""Where the batches of a training come from: the training samples in a fresh order each epoch, or chimeras.

A source is a function of the epoch that gives that epoch's batches; what it gives depends on seed and epoch alone, so a
training that was interrupted can go on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from ked.chimeras import Chimeras, ChimeraTargets
from ked.losses import Objective
from ked.nets.stack import Stack
from ked.training.augmentation import Augmenter


class Batch(NamedTuple):
    """One batch for all K replicas.

    Attributes:
        x: (K, B, D) in the stack's own order of features.
        y: (K, B) labels.
        rows: (K, B) the rows of the objective's soft targets that belong to the samples.
        objective: What is minimised on it.
    """

    x: Tensor
    y: Tensor
    rows: Tensor
    objective: Objective


class Batches(Protocol):
    """A source: `steps` batches an epoch, `samples` samples a replica in them."""

    steps: int
    samples: int

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch (1, 2, ...)."""
        ...


class SampleBatches:
    """The training samples, in another order each epoch and for each seed.

    Args:
        stack: Whose batches they are; its order of features is used.
        train: x (N, D) and y (N,) on the stack's device.
        seeds: K seeds.
        batch_size: Samples a batch and replica; the last batch of a pass may be smaller.
        objective: Gives what is minimised, with soft targets for all N samples; asked before each batch, as it may change.
        samples: How many samples an epoch has; all N once by default, more start another pass.
        offset: Added to the epoch when the order is drawn, so that a second training does not repeat the first one's.
    """

    def __init__(
        self,
        stack: Stack,
        train: tuple[Tensor, Tensor],
        seeds: Sequence[int],
        batch_size: int,
        objective: Callable[[], Objective],
        *,
        samples: int | None = None,
        offset: int = 0,
    ) -> None:
        self._x, self._y = stack.arrange(train[0]), train[1]
        self._seeds, self._batch_size, self._objective, self._offset = seeds, batch_size, objective, offset
        self.samples = len(self._x) if samples is None else samples
        self.steps = math.ceil(self.samples / batch_size)
        # The same buffer at every step: a fresh one would cost as much in page faults as the products themselves.
        self._buffer = self._x.new_empty(len(seeds) * min(batch_size, self.samples), self._x.shape[1])

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch (1, 2, ...)."""
        for rows in self._order(epoch).split(self._batch_size, dim=1):
            flat = rows.reshape(-1)
            x = torch.index_select(self._x, 0, flat, out=self._buffer[: len(flat)]).unflatten(0, rows.shape)
            yield Batch(x, self._y.index_select(0, flat).view_as(rows), rows, self._objective())

    def _order(self, epoch: int) -> Tensor:
        return _epoch_order(self._seeds, epoch, len(self._x), self.samples, self._offset).to(self._x.device)


class ViewBatches:
    """The training samples as `SampleBatches` has them, each time moved and mirrored anew, with teachers asked on that view.

    The student thus learns what its teachers say of the very picture that it sees (METHOD 1.5).

    Args:
        stack: Whose batches they are.
        train: x (N, D) and y (N,) on the stack's device.
        seeds: K seeds.
        batch_size: Samples a batch and replica.
        teach: From views (K, B, D) and the samples' numbers (K, B) to the objective, whose soft targets have K * B rows.
        augmenter: What is done to the pictures; None leaves them as they are.
        samples, offset: As in `SampleBatches`.
    """

    def __init__(
        self,
        stack: Stack,
        train: tuple[Tensor, Tensor],
        seeds: Sequence[int],
        batch_size: int,
        teach: Callable[[Tensor, Tensor], Objective],
        augmenter: Augmenter | None,
        *,
        samples: int | None = None,
        offset: int = 0,
    ) -> None:
        self._stack, (self._x, self._y), self._augmenter, self._teach = stack, train, augmenter, teach
        self._seeds, self._batch_size, self._offset = seeds, batch_size, offset
        self.samples = len(self._x) if samples is None else samples
        self.steps = math.ceil(self.samples / batch_size)

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch (1, 2, ...)."""
        order = _epoch_order(self._seeds, epoch, len(self._x), self.samples, self._offset).to(self._x.device)
        draws = (
            self._augmenter.draws(epoch + self._offset, self.samples) if self._augmenter else order.new_zeros(*order.shape, 3)
        )
        for rows, drawn in zip(order.split(self._batch_size, 1), draws.split(self._batch_size, 1), strict=True):
            x = self._x[rows]
            x = self._augmenter(x, drawn) if self._augmenter else x
            numbers = torch.arange(rows.numel(), device=rows.device).view_as(rows)
            yield Batch(self._stack.arrange(x), self._y[rows], numbers, self._teach(x, rows))


class ChimeraBatches:
    """The same chimeras each epoch, drawn on the fly, with a teacher's labels and soft targets (METHOD 1.7).

    Args:
        chimeras: Streams of the K replicas, in the stack's own order of features.
        teach: What the teacher says of donors (K, B, M) and of the chimeras (K, B, D) made of them.
        finish: From a batch's targets to the objective that it is trained on.
        samples: Chimeras an epoch and replica.
        batch_size: Chimeras a batch and replica.
    """

    def __init__(
        self,
        chimeras: Chimeras,
        teach: Callable[[Tensor, Tensor], ChimeraTargets],
        finish: Callable[[ChimeraTargets], Objective],
        samples: int,
        batch_size: int,
    ) -> None:
        self._chimeras, self._teach, self._finish, self._batch_size = chimeras, teach, finish, batch_size
        self.samples, self.steps = samples, math.ceil(samples / batch_size)

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch (1, 2, ...)."""
        for donors in self._chimeras.batches(self.samples, self._batch_size):
            x = self._chimeras.features(donors)
            targets = self._teach(donors, x)
            yield Batch(x, targets.y, targets.rows, self._finish(targets))


def _epoch_order(seeds: Sequence[int], epoch: int, count: int, samples: int, offset: int) -> Tensor:
    """(K, samples) which of `count` training samples come in an epoch, and when; more than `count` start another pass."""
    passes = math.ceil(samples / count)
    first = offset + (epoch - 1) * passes + 1
    return torch.cat([batch_order(seeds, number, count) for number in range(first, first + passes)], dim=1)[:, :samples]


def batch_order(seeds: Sequence[int], epoch: int, count: int) -> Tensor:
    """(K, N) one permutation of the training samples a replica, from its seed and the epoch alone."""
    generators = (torch.Generator().manual_seed(1_000_003 * (seed + 1) + epoch) for seed in seeds)
    return torch.stack([torch.randperm(count, generator=generator) for generator in generators])
