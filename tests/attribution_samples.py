"""Small nets and questions for the tests of `ked.attribution`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ked.attribution import Question, Reference
from ked.nets.cnn import ConvStack
from ked.nets.stack import Stack
from ked.nets.subnets import SubnetStack

GROUPS = ((5, 1, 6), (0,), (3, 2, 4, 7))  # uneven and out of order
D, C, B = 8, 3, 3
REFERENCE = Reference(torch.linspace(0.1, 0.8, D, dtype=torch.float64), 0.3)


def explaining(activation: str = "relu", replicas: int = 2, groups: Sequence[Sequence[int]] = GROUPS) -> SubnetStack:
    base = torch.randn(C, dtype=torch.float64).log_softmax(0)
    return SubnetStack(groups, (6, 6), C, replicas=replicas, base=base, activation=activation).double()


def black_box() -> SubnetStack:
    return SubnetStack(D, (6, 6), C, replicas=2).double()


def linear(weights: Tensor, groups: Sequence[Sequence[int]] | int = D) -> SubnetStack:
    """A net whose hidden units never switch off on [0, 1]: logits are exactly x @ weights.T, weights (C, D).

    With several groups, each subnet has the columns of its own features.
    """
    stack = SubnetStack(groups, (D,), len(weights)).double()
    with torch.no_grad():
        for m, group in enumerate(stack.groups):
            first, second = stack.first[m][0], stack.deeper[0][0, m]
            first.zero_()
            second.zero_()
            first[: len(group)] = torch.eye(len(group)).to(first)
            second[:, : len(group)] = weights[:, list(group)]
            stack.biases[0][0, m] = 100.0
            stack.biases[1][0, m] = -100.0 * weights[:, list(group)].sum(1, keepdim=True)
    return stack


def question(
    stack: Stack,
    k: int = 0,
    *,
    x: Tensor | None = None,
    target: Sequence[int] = (0, 2, 1),
    parts: Sequence[Sequence[int]] = GROUPS,
    shape: tuple[int, ...] = (D,),
    reference: Reference = REFERENCE,
) -> Question:
    if x is None:
        x = torch.rand(len(target), D, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    return Question(stack, k, x, torch.tensor(target), reference, parts, shape)


def picture_question(stack: ConvStack, x: Tensor, target: Sequence[int], parts: Sequence[Sequence[int]]) -> Question:
    reference = Reference(torch.full((x.shape[-1],), 0.2, dtype=torch.float64), 0.5)
    return Question(stack, 0, x, torch.tensor(target), reference, parts, stack.shape)
