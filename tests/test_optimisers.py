"""Optimisers against torch's own written out, and schedules against the paper's epochs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from ked.nets.cnn import ConvStack
from ked.nets.stack import Stack
from ked.nets.subnets import SubnetStack
from ked.training import optimisers
from ked.training.optimisers import OPTIMISERS, SCHEDULES

GROUPS = ((1, 3), (0, 2, 4, 5))


def _nets() -> dict[str, Callable[[], Stack]]:
    return {
        "mlp": lambda: SubnetStack(GROUPS, (4, 4), 3, replicas=2),
        "cnn": lambda: ConvStack("small-cnn", (2, 3), 3, superfeatures=2, width=3),
    }


@pytest.mark.parametrize("net", ["mlp", "cnn"])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_weight_decay_is_for_kernels_alone(name: str, net: str) -> None:
    """Without a loss, what is decayed shrinks and all else stays."""
    stack = _nets()[net]()
    kernels = {id(kernel) for kernel in stack.kernels()}
    before = [parameter.detach().clone() for parameter in stack.parameters()]
    optimiser = optimisers.make(name, stack, 1e-3, weight_decay=0.5)
    for parameter in stack.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    for parameter, old in zip(stack.parameters(), before, strict=True):
        assert torch.equal(parameter, old) == (id(parameter) not in kernels)
        assert parameter.detach().norm() <= old.norm()
    dimensions = {len(parameter.shape) for parameter in stack.parameters() if id(parameter) in kernels}
    assert min(dimensions) > 2  # no bias, no scale of a normalisation


def test_sgd_has_nesterov_momentum() -> None:
    stack = _nets()["mlp"]()
    weights = [parameter.detach().clone() for parameter in stack.parameters()]
    plain = torch.optim.SGD([w.requires_grad_() for w in weights], lr=0.1, momentum=0.9, nesterov=True)
    ours = optimisers.make("sgd", stack, 0.1)
    for step in range(3):
        for mine, theirs in zip(stack.parameters(), weights, strict=True):
            mine.grad = torch.full_like(mine, 1.0 + step)
            theirs.grad = mine.grad.clone()
        ours.step()
        plain.step()
    for mine, theirs in zip(stack.parameters(), weights, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_what_trains_along_is_moved_too() -> None:
    stack, also = _nets()["mlp"](), torch.nn.Linear(2, 2)
    optimiser = optimisers.make("adam", stack, 0.1, 1e-3, also)
    moved = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    assert {id(p) for p in moved} == {id(p) for p in [*stack.parameters(), *also.parameters()]}
    assert len(moved) == len({id(p) for p in moved})


CIFAR = {1: 0.01, 10: 0.01, 11: 0.05, 120: 0.05, 121: 0.005, 140: 0.005, 141: 0.0005, 150: 0.0005}
TINY = {1: 0.1, 60: 0.1, 61: 0.01, 70: 0.01, 71: 0.001, 75: 0.001}


@pytest.mark.parametrize(("name", "lr", "epochs", "rates"), [("cifar", 0.05, 150, CIFAR), ("tiny-imagenet", 0.1, 75, TINY)])
def test_schedules_are_the_papers(name: str, lr: float, epochs: int, rates: dict[int, float]) -> None:
    for epoch, rate in rates.items():
        assert lr * SCHEDULES[name].factor(epoch, epochs) == pytest.approx(rate)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_says_what_it_is_and_fits_any_number_of_epochs(name: str, one_sentence: Callable[[str], str]) -> None:
    schedule = SCHEDULES[name]
    one_sentence(schedule.description)
    for epochs in (1, 2, 3, 1000):
        assert all(0 < schedule.factor(epoch, epochs) <= 1 for epoch in range(1, epochs + 1))
