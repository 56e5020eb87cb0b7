"""The laws of the explaining net's additive game, and two independent ways to compute its Shapley values."""

from __future__ import annotations

import itertools
from functools import partial

import oracles
import pytest
import torch
from captum.attr import ShapleyValues
from torch import Tensor

from ked.errors import InvalidInput
from ked.explanation import centre, coalition, contributions, teacher_base
from ked.nets.subnets import SubnetStack

GROUPS = {1: (tuple(range(9)),), 4: ((4, 0), (8, 2, 5), (1,), (7, 3, 6))}
D, C, B = 9, 3, 6
OFF = -1.0  # what stands in for a feature that is not there; no sample holds it


@pytest.fixture(params=[1, 4], ids=["one superfeature", "four superfeatures"])
def stack(request: pytest.FixtureRequest) -> SubnetStack:
    base = torch.randn(C, dtype=torch.float64).log_softmax(0)
    return SubnetStack(GROUPS[request.param], (7, 7), C, replicas=2, base=base).double().eval()


@pytest.fixture
def x() -> Tensor:
    return torch.rand(B, D, dtype=torch.float64)


def _all_coalitions(M: int) -> list[tuple[bool, ...]]:
    return list(itertools.product((False, True), repeat=M))


@torch.no_grad()
def test_the_grand_coalition_predicts_what_the_net_predicts(stack: SubnetStack, x: Tensor) -> None:
    whole = coalition(stack.explanations(x), stack.base, [True] * len(stack.groups))
    torch.testing.assert_close(whole, stack(x).log_softmax(-1))


@torch.no_grad()
def test_base_and_contributions_add_up_to_the_prediction(stack: SubnetStack, x: Tensor) -> None:
    phi = contributions(stack.explanations(x), stack.base)
    torch.testing.assert_close(stack.base + phi.sum(1), stack(x))
    torch.testing.assert_close((stack.base + phi.sum(1)).softmax(-1), stack(x).softmax(-1))


@torch.no_grad()
def test_the_empty_coalition_predicts_the_base(stack: SubnetStack, x: Tensor) -> None:
    nobody = coalition(stack.explanations(x), stack.base, [False] * len(stack.groups))
    torch.testing.assert_close(nobody, stack.base.expand(2, B, C))


@torch.no_grad()
def test_disjoint_coalitions_add(stack: SubnetStack, x: Tensor) -> None:
    log_y, base, M = stack.explanations(x), stack.base, len(stack.groups)

    def worth(members: tuple[bool, ...]) -> Tensor:
        return centre(coalition(log_y, base, members) - base)  # what the softmax takes away is common to all classes

    for one, other in itertools.product(_all_coalitions(M), repeat=2):
        if not any(a and b for a, b in zip(one, other, strict=True)):
            both = tuple(a or b for a, b in zip(one, other, strict=True))
            torch.testing.assert_close(worth(both), worth(one) + worth(other))


@torch.no_grad()
def test_every_coalition_equals_the_formula_on_plain_nets(stack: SubnetStack, x: Tensor) -> None:
    for k in range(2):
        log_y = oracles.explanations(oracles.subnets(stack, k), stack.groups, x)
        for members in _all_coalitions(len(stack.groups)):
            expected = oracles.coalition_logits(log_y, stack.base, members).log_softmax(-1)
            torch.testing.assert_close(coalition(stack.explanations(x)[k], stack.base, members), expected)


@torch.no_grad()
def test_contributions_are_the_shapley_values_by_enumeration(stack: SubnetStack, x: Tensor) -> None:
    for k in range(2):
        log_y = oracles.explanations(oracles.subnets(stack, k), stack.groups, x)
        worth = partial(oracles.coalition_logits, log_y, stack.base)
        values = oracles.shapley_values(worth, len(stack.groups))
        torch.testing.assert_close(contributions(stack.explanations(x)[k], stack.base), torch.stack(values))


@torch.no_grad()
def test_contributions_are_captums_shapley_values_of_the_total_logit(stack: SubnetStack, x: Tensor) -> None:
    """Captum replaces the features of the absent superfeatures by OFF; a subnet whose features are OFF takes no part."""
    nets = oracles.subnets(stack)
    mask = torch.empty(D, dtype=torch.int64)
    for m, group in enumerate(stack.groups):
        mask[list(group)] = m

    def total_logits(samples: Tensor) -> Tensor:
        log_y = oracles.explanations(nets, stack.groups, samples)
        members = [bool((samples[:, list(group)] != OFF).all()) for group in stack.groups]
        return oracles.coalition_logits(log_y, stack.base, members)

    phi = contributions(stack.explanations(x)[0], stack.base)
    for c in range(C):
        found = ShapleyValues(total_logits).attribute(x, baselines=OFF, target=c, feature_mask=mask[None])
        # Captum gives each feature its superfeature's value, and rounds to float32.
        torch.testing.assert_close(found, phi[mask, :, c].T.float(), rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_a_superfeature_that_says_nothing_contributes_nothing() -> None:
    base = torch.randn(C, dtype=torch.float64).log_softmax(0)
    log_y = torch.randn(3, B, C, dtype=torch.float64).log_softmax(-1)
    log_y[1] = base
    assert not contributions(log_y, base)[1].any()
    torch.testing.assert_close(coalition(log_y, base, [True, True, True]), coalition(log_y, base, [True, False, True]))


def test_centring_takes_away_what_the_softmax_cannot_see() -> None:
    phi = torch.randn(2, 4, B, C, dtype=torch.float64)
    shift = torch.randn(2, 4, B, 1, dtype=torch.float64)
    torch.testing.assert_close(centre(phi + shift), centre(phi))
    torch.testing.assert_close(centre(phi).sum(-1), torch.zeros(2, 4, B, dtype=torch.float64))
    torch.testing.assert_close(centre(phi).softmax(-1), phi.softmax(-1))


def test_base_is_the_log_of_the_mean_probability() -> None:
    log_p = 5 * torch.randn(1000, C, dtype=torch.float64)
    log_p = log_p.log_softmax(-1)
    base = teacher_base(log_p)
    torch.testing.assert_close(base, log_p.exp().mean(0).log())
    assert float(base.exp().sum()) == pytest.approx(1)


def test_base_of_a_certain_teacher_is_finite() -> None:
    log_p = torch.tensor([[0.0, -800.0], [-1.0, -900.0]])  # exp(-800) is zero in any float
    assert bool(torch.isfinite(teacher_base(log_p)).all())


def test_a_coalition_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(InvalidInput, match="each of the 4 superfeatures, not 3"):
        coalition(torch.zeros(4, B, C), torch.zeros(C), [True] * 3)
