"""How weights are moved: Adam or SGD, with weight decay on kernels alone and a learning rate that may fall by epochs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ked.nets.stack import Stack

Make = Callable[..., torch.optim.Optimizer]


def adam(stack: Stack, lr: float) -> torch.optim.Optimizer:
    """The optimiser of MLP recipes: one fused step for all parameters of all replicas."""
    return make("adam", stack, lr)


def make(
    name: str, stack: Stack, lr: float, weight_decay: float = 0.0, also: nn.Module | None = None
) -> torch.optim.Optimizer:
    """An optimiser over a stack's parameters.

    Args:
        name: A key of `OPTIMISERS`.
        stack: Whose parameters are moved.
        lr: The learning rate.
        weight_decay: Added times the weight to the gradient of kernels; Keras's l2(a) is 2a here (METHOD 1.5).
        also: A module that trains along, such as FitNet's projection; without weight decay.
    """
    kernels = {id(kernel) for kernel in stack.kernels()} if weight_decay else set()
    trained = [*stack.parameters(), *(also.parameters() if also else ())]
    groups: list[dict[str, Any]] = [{"params": [parameter for parameter in trained if id(parameter) not in kernels]}]
    if kernels:
        groups.append({"params": stack.kernels(), "weight_decay": weight_decay})
    return OPTIMISERS[name](groups, lr=lr, fused=True)


def _sgd(groups: list[dict[str, Any]], **settings: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, momentum=0.9, nesterov=True, **settings)


OPTIMISERS: dict[str, Make] = {"adam": torch.optim.Adam, "sgd": _sgd}
"""Name -> what makes it from parameter groups; SGD has Nesterov momentum 0.9 (METHOD 1.5)."""


@dataclass(frozen=True)
class Schedule:
    """A learning rate that falls in steps, as shares of its largest value.

    Attributes:
        name: As on the command line.
        description: One sentence for people.
        steps: (share of all epochs that lie behind, factor), in order; before the first the factor is 1.
    """

    name: str
    description: str
    steps: tuple[tuple[float, float], ...]

    def factor(self, epoch: int, epochs: int) -> float:
        """What the learning rate is multiplied by in an epoch (1, 2, ...) of so many."""
        behind = (epoch - 1) / max(epochs, 1)
        return next((factor for start, factor in reversed(self.steps) if behind >= start - 1e-9), 1.0)


SCHEDULES: dict[str, Schedule] = {
    schedule.name: schedule
    for schedule in (
        Schedule("constant", "The same learning rate in all epochs.", ()),
        Schedule(
            "cifar",
            "The paper's for CIFAR: a fifth for the first 10 of 150 epochs, then all, a tenth from 120, a hundredth from 140.",
            ((0.0, 0.2), (10 / 150, 1.0), (120 / 150, 0.1), (140 / 150, 0.01)),
        ),
        Schedule(
            "tiny-imagenet",
            "The paper's for Tiny ImageNet: all for 60 of 75 epochs, then a tenth, a hundredth from 70.",
            ((60 / 75, 0.1), (70 / 75, 0.01)),
        ),
    )
}
