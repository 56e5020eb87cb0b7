"""Training as a generator: it yields after every batch and every epoch, and never prints, draws or saves.

Whoever consumes it decides: go on, pause (stop asking), cancel (close the generator). Data lives on the device as
tensors; all K replicas train in one pass, each with its own batch order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ked.errors import Unavailable
from ked.losses import LABELS_ONLY, Objective
from ked.nets import SubnetStack


@dataclass(frozen=True)
class Step:
    """After a batch: where training stands, and the unweighted loss terms (K,), still on the device."""

    epoch: int
    step: int
    steps: int
    terms: dict[str, Tensor]


@dataclass(frozen=True)
class Epoch:
    """After an epoch (1, 2, ...): mean unweighted loss terms in nats and validation accuracy (0 to 1), one value a replica."""

    epoch: int
    epochs: int
    loss: dict[str, list[float]]
    validation: list[float]


class Diverged(Unavailable):
    """The loss is no longer finite."""


def fit(
    stack: SubnetStack,
    train: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor],
    *,
    seeds: Sequence[int],
    epochs: int,
    batch_size: int,
    lr: float,
    objective: Objective = LABELS_ONLY,
    optimiser: torch.optim.Optimizer | None = None,
    done: int = 0,
) -> Iterator[Step | Epoch]:
    """Train all replicas of the stack in place, with Adam unless an optimiser is given.

    Args:
        stack: K replicas; weights as they are.
        train: x (N, D) and y (N,) on the stack's device.
        validation: The same for the held-out part.
        seeds: K seeds; replica k's batch order depends on seeds[k] and the epoch alone.
        epochs: Passes over the data; zero trains nothing.
        batch_size: Samples a batch and replica; the last batch of an epoch may be smaller.
        lr: Adam's learning rate.
        objective: What is minimised.
        optimiser: One over the stack's parameters, for a training that goes on; lr is then its own affair.
        done: Epochs that lie behind a training that goes on; the batch orders continue there.

    Yields:
        A `Step` after each batch and an `Epoch` after each epoch.

    Raises:
        Diverged: The loss is not finite at the end of an epoch.
    """
    x, y = stack.arrange(train[0]), train[1]
    held_out = stack.arrange(validation[0]), validation[1]
    optimiser = optimiser or adam(stack, lr)
    buffer = x.new_empty(stack.replicas * min(batch_size, len(x)), x.shape[1])
    steps = math.ceil(len(x) / batch_size)
    stack.train()
    for epoch in range(done + 1, epochs + 1):
        order = batch_order(seeds, epoch, len(x)).to(x.device)
        sums: dict[str, Tensor] = {}
        for step, rows in enumerate(order.split(batch_size, dim=1), start=1):
            terms = _descend(stack, optimiser, objective, x, y, rows, buffer)
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + value * (rows.shape[1] / len(x))
            yield Step(epoch, step, steps, terms)
        loss = {name: value.tolist() for name, value in sums.items()}
        _check_finite(loss, epoch, lr)
        yield Epoch(epoch, epochs, loss, _accuracy(stack, *held_out))
    stack.eval()


def adam(stack: SubnetStack, lr: float) -> torch.optim.Adam:
    """The optimiser of all trainings: one fused step for all parameters of all replicas."""
    return torch.optim.Adam(stack.parameters(), lr=lr, fused=True)


def batch_order(seeds: Sequence[int], epoch: int, count: int) -> Tensor:
    """(K, N) one permutation of the training samples a replica, from its seed and the epoch alone (so a run can resume)."""
    generators = (torch.Generator().manual_seed(1_000_003 * (seed + 1) + epoch) for seed in seeds)
    return torch.stack([torch.randperm(count, generator=generator) for generator in generators])


def accuracy(stack: SubnetStack, x: Tensor, y: Tensor) -> list[float]:
    """Share of x (N, D) that each replica classifies as y (N,), between 0 and 1."""
    return _accuracy(stack, stack.arrange(x), y)


@torch.inference_mode()
def predict(stack: SubnetStack, x: Tensor, chunk: int = 8192) -> Tensor:
    """Class log-probabilities (K, N, C) of x (N, D), in chunks so that memory stays bounded."""
    return torch.cat([stack(part).log_softmax(dim=-1) for part in x.split(chunk)], dim=1)


@torch.inference_mode()
def explain(stack: SubnetStack, x: Tensor, chunk: int = 8192) -> Tensor:
    """Explanations log y_m (K, M, N, C) of x (N, D), in chunks so that memory stays bounded."""
    return torch.cat([stack.explanations(part) for part in x.split(chunk)], dim=2)


def _descend(
    stack: SubnetStack,
    optimiser: torch.optim.Optimizer,
    objective: Objective,
    x: Tensor,
    y: Tensor,
    rows: Tensor,
    buffer: Tensor,
) -> dict[str, Tensor]:
    flat = rows.reshape(-1)
    # The same buffer at every step: a fresh one would cost as much in page faults as the products themselves.
    batch = torch.index_select(x, 0, flat, out=buffer[: len(flat)]).unflatten(0, rows.shape)
    log_y = stack.subnet_log_probabilities(batch)
    terms = objective.terms(log_y, stack.total(log_y), y.index_select(0, flat).view_as(rows), rows)
    optimiser.zero_grad()
    objective.loss(terms).backward()
    optimiser.step()
    return {name: value.detach() for name, value in terms.items()}


@torch.inference_mode()
def _accuracy(stack: SubnetStack, arranged: Tensor, y: Tensor, chunk: int = 8192) -> list[float]:
    hits = torch.zeros(stack.replicas, dtype=torch.int64, device=y.device)
    for part, labels in zip(arranged.split(chunk), y.split(chunk), strict=True):
        total = stack.total(stack.subnet_log_probabilities(part))
        hits += (total.argmax(dim=1) == labels).sum(dim=1)
    return (hits.double() / max(len(y), 1)).tolist()


def _check_finite(loss: dict[str, list[float]], epoch: int, lr: float) -> None:
    for name, values in loss.items():
        if not all(math.isfinite(value) for value in values):
            raise Diverged(
                f"the {name} loss is not finite in epoch {epoch}; lower the learning rate (now {lr:g}) and start again."
            )
