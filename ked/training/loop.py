"""Training as a generator: it yields after every batch and every epoch, and never prints, draws or saves.

Whoever consumes it decides: go on, pause (stop asking), cancel (close the generator). Data lives on the device as
tensors; all K replicas train in one pass, each with its own batch order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ked.errors import Unavailable
from ked.losses import LABELS_ONLY, Objective
from ked.nets.inference import accuracy_of_arranged
from ked.nets.stack import Stack
from ked.training.batches import Batch, Batches, SampleBatches
from ked.training.optimisers import adam


@dataclass(frozen=True)
class Step:
    """After a batch: where training stands, and the unweighted loss terms (K,), still on the device.

    `each_explanation` computes the explanation term of each superfeature (K, P), None where none are compared: it is asked for
    only by who looks closely.
    """

    epoch: int
    step: int
    steps: int
    terms: dict[str, Tensor]
    each_explanation: Callable[[], Tensor | None] = lambda: None


@dataclass(frozen=True)
class Epoch:
    """After an epoch (1, 2, ...): mean unweighted loss terms in nats and validation accuracy (0 to 1), one value a replica."""

    epoch: int
    epochs: int
    loss: dict[str, list[float]]
    validation: list[float]


class Diverged(Unavailable):
    """The loss or a weight is no longer finite."""


def fit(
    stack: Stack,
    train: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor],
    *,
    seeds: Sequence[int],
    epochs: int,
    batch_size: int,
    lr: float,
    objective: Objective = LABELS_ONLY,
) -> Iterator[Step | Epoch]:
    """Train all replicas of the stack in place with Adam on the training samples.

    Args:
        stack: K replicas; weights as they are.
        train: x (N, D) and y (N,) on the stack's device.
        validation: The same for the held-out part.
        seeds: K seeds; replica k's batch order depends on seeds[k] and the epoch alone.
        epochs: Passes over the data; zero trains nothing.
        batch_size: Samples a batch and replica; the last batch of an epoch may be smaller.
        lr: Adam's learning rate.
        objective: What is minimised.

    Yields:
        A `Step` after each batch and an `Epoch` after each epoch.

    Raises:
        Diverged: The loss or a weight is not finite at the end of an epoch.
    """
    batches = SampleBatches(stack, train, seeds, batch_size, lambda: objective)
    return descend(stack, batches, validation, epochs, adam(stack, lr))


def descend(
    stack: Stack,
    batches: Batches,
    validation: tuple[Tensor, Tensor],
    epochs: int,
    optimiser: torch.optim.Optimizer,
    done: int = 0,
    *,
    rate: Callable[[int], float] | None = None,
    mixed: bool = False,
) -> Iterator[Step | Epoch]:
    """Train all replicas of the stack in place on batches from any source; see `fit` for what it yields and raises.

    Args:
        stack: K replicas; weights as they are.
        batches: The source.
        validation: x (N, D) and y (N,) held out.
        epochs: The last epoch's number.
        optimiser: Over the stack's parameters.
        done: Epochs that lie behind a training that goes on; the source continues there.
        rate: From an epoch (1, 2, ...) to its learning rate; the optimiser's own by default.
        mixed: Whether matrix products and convolutions run in bfloat16, the loss in float32.
    """
    held_out = stack.arrange(validation[0]), validation[1]
    for epoch in range(done + 1, epochs + 1):
        if rate is not None:
            _set_rate(optimiser, rate(epoch))
        stack.train()
        sums: dict[str, Tensor] = {}
        for step, batch in enumerate(batches(epoch), start=1):
            terms, log_y = _step(stack, optimiser, batch, mixed)
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + value * (batch.y.shape[1] / batches.samples)
            yield Step(epoch, step, batches.steps, terms, partial(batch.objective.each_explanation, log_y, batch.rows))
        loss = {name: value.tolist() for name, value in sums.items()}
        _check_finite(loss, epoch, float(optimiser.param_groups[0]["lr"]))
        _check_weights(stack, epoch, float(optimiser.param_groups[0]["lr"]))
        stack.eval()
        yield Epoch(epoch, epochs, loss, accuracy_of_arranged(stack, *held_out))
    stack.eval()








def _step(
    stack: Stack, optimiser: torch.optim.Optimizer, batch: Batch, mixed: bool
) -> tuple[dict[str, Tensor], Tensor]:
    """The loss terms of the batch, and what the subnets said of it."""
    maps = None
    with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=mixed):
        if batch.objective.hint is None:
            log_y = stack.subnet_log_probabilities(batch.x)
        else:
            log_y, maps = stack.features(batch.x)
    log_y = log_y.float() if mixed else log_y
    terms = batch.objective.terms(log_y, stack.total(log_y), batch.y, batch.rows, maps)
    optimiser.zero_grad()
    batch.objective.loss(terms).backward()
    optimiser.step()
    return {name: value.detach() for name, value in terms.items()}, log_y.detach()


def _set_rate(optimiser: torch.optim.Optimizer, lr: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = lr




def _check_finite(loss: dict[str, list[float]], epoch: int, lr: float) -> None:
    for name, values in loss.items():
        if not all(math.isfinite(value) for value in values):
            raise Diverged(
                f"the {name} loss is not finite in epoch {epoch}; go on after the epoch before with a learning rate below {lr:g}."
            )


def _check_weights(stack: Stack, epoch: int, lr: float) -> None:
    """The last batch can spoil the weights after its loss was taken; no checkpoint may hold such weights."""
    if not all(bool(tensor.isfinite().all()) for tensor in stack.state_dict().values()):
        raise Diverged(
            f"the weights are not finite after epoch {epoch}; go on after the epoch before with a learning rate below {lr:g}."
        )
