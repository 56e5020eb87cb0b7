"""Sums of attributions over superfeatures: against Captum and exact Shapley values, and the laws that explanations keep."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import permutations

import pytest
import torch
from attribution_samples import GROUPS, REFERENCE, C, D, black_box, explaining, linear
from captum import attr
from torch import Tensor

from ked.explanation import centre, contributions
from ked.group_sums import STEPS, Sums, completed, gradient, integrated_gradients
from ked.nets.stack import Stack
from ked.nets.subnets import ACTIVATIONS, SubnetStack
from ked.training import attribution_targets as attributed_module
from ked.training.attribution_targets import attributed

BASELINE = REFERENCE.baseline
X = torch.rand(5, D, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def _net(stack: Stack, k: int = 0) -> Callable[[Tensor], Tensor]:
    return lambda x: stack(x)[k]


def _over_groups(maps: Tensor, groups: Sequence[Sequence[int]] = GROUPS) -> Tensor:
    """(..., M) sums of maps (..., D)."""
    return torch.stack([maps[..., list(group)].sum(-1) for group in groups], dim=-1)


def _shapley(value: Callable[[frozenset[int]], Tensor], players: int) -> Tensor:
    """(M, ...) the mean over all orders of what a player adds to those before it."""
    gains = [torch.zeros_like(value(frozenset())) for _ in range(players)]
    for order in permutations(range(players)):
        for place, m in enumerate(order):
            before = frozenset(order[:place])
            gains[m] = gains[m] + value(before | {m}) - value(before)
    return torch.stack(gains) / math.factorial(players)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_integrated_gradients_are_captums_summed_over_the_groups(activation: str) -> None:
    stack = explaining(activation, groups=[range(D)])
    found = integrated_gradients(_net(stack, 1), X, BASELINE, GROUPS)
    captum = attr.IntegratedGradients(lambda x: centre(stack(x)[1]))
    for c in range(C):
        maps = captum.attribute(X, BASELINE[None], target=c, n_steps=STEPS, method="riemann_middle")
        torch.testing.assert_close(found[..., c], _over_groups(maps))


def test_gradient_sums_are_captums_input_times_gradient_counted_from_the_baseline() -> None:
    stack = black_box()
    found = gradient(_net(stack), X, BASELINE, GROUPS)
    captum = attr.InputXGradient(lambda moved: centre(stack(moved + BASELINE)[0]))
    for c in range(C):
        maps = captum.attribute((X - BASELINE).requires_grad_(), target=c)
        torch.testing.assert_close(found[..., c], _over_groups(maps))


def test_integrated_gradients_add_up_to_the_logits_less_those_of_the_baseline() -> None:
    torch.manual_seed(0)
    stack = SubnetStack(D, (64, 64), C).double().requires_grad_(False)
    difference = centre(_net(stack)(X)) - centre(_net(stack)(BASELINE[None]))
    errors = [
        float((integrated_gradients(_net(stack), X, BASELINE, GROUPS, steps).sum(1) - difference).abs().max())
        for steps in (1, STEPS, 8 * STEPS)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[1] < 0.05 * float(difference.abs().max())
    assert errors[2] < 0.01 * float(difference.abs().max())


@pytest.mark.parametrize("sums", [integrated_gradients, gradient])
def test_of_a_linear_teacher_the_sums_are_the_exact_shapley_values(sums: Sums) -> None:
    stack = linear(torch.randn(C, D, dtype=torch.float64))

    def value(present: frozenset[int]) -> Tensor:
        x = BASELINE.repeat(len(X), 1)
        for m in present:
            x[:, list(GROUPS[m])] = X[:, list(GROUPS[m])]
        return centre(_net(stack)(x))

    torch.testing.assert_close(sums(_net(stack), X, BASELINE, GROUPS), _shapley(value, len(GROUPS)).transpose(0, 1))


def test_of_an_explaining_net_integrated_gradients_are_its_own_contributions_less_the_baselines() -> None:
    stack = explaining("tanh")
    own = centre(contributions(stack.explanations(X)[0], stack.base)) - centre(
        contributions(stack.explanations(BASELINE[None])[0], stack.base)
    )  # (M, B, C)
    found = integrated_gradients(_net(stack), X, BASELINE, GROUPS, 60)
    torch.testing.assert_close(found, own.transpose(0, 1), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("sums", [integrated_gradients, gradient])
def test_a_group_that_the_net_does_not_see_gets_nothing(sums: Sums) -> None:
    stack = explaining("tanh", groups=[range(D)])
    with torch.no_grad():
        stack.first[0][..., list(GROUPS[2])] = 0
    found = sums(_net(stack), X, BASELINE, GROUPS)
    assert found[:, 2].abs().max() < 1e-12
    assert found[:, 0].abs().min() > 1e-6


@pytest.mark.parametrize("sums", [integrated_gradients, gradient])
def test_completed_sums_add_up_to_the_teachers_prediction_by_the_students_own_rule(sums: Sums) -> None:
    teacher, base = black_box(), torch.randn(C, dtype=torch.float64).log_softmax(0)
    total = _net(teacher)(X)
    found = sums(_net(teacher), X, BASELINE, GROUPS)
    log_y = completed(found, total, base)
    student = log_y.log_softmax(-1).sum(1) - (len(GROUPS) - 1) * base
    torch.testing.assert_close(student.log_softmax(-1), total.log_softmax(-1))
    torch.testing.assert_close((log_y - found).var(dim=1), torch.zeros(5, C, dtype=torch.float64))


def test_targets_of_all_samples_are_those_of_each_and_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributed_module, "CHUNK", 2)
    teacher, student = SubnetStack(D, (6, 6), C).double(), explaining()
    heard: list[float] = []
    targets = attributed("integrated-gradients", teacher, student, X)
    whole = targets.whole(heard.append)
    assert heard == pytest.approx([0.4, 0.8, 1.0])
    assert not whole.requires_grad
    for b in range(len(X)):
        sums = integrated_gradients(_net(teacher), X[b : b + 1], X.mean(0), GROUPS)
        torch.testing.assert_close(whole[b : b + 1], completed(sums, _net(teacher)(X[b : b + 1]), student.base).detach())
    assert targets.whole() is whole
