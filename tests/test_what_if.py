"""What-if: a chimera by hand is what it says, and only what was replaced changes what an explaining net says."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ked.chimeras import Chimeras, Draws
from ked.errors import InvalidInput
from ked.explanation import contributions
from ked.nets.subnets import SubnetStack, mlp
from ked.what_if import BLUR, MEAN, SELF, Donor, assemble, blurred, moved, replaced

SHAPE, N, C = (3, 4), 6, 5
GROUPS = ((0, 7), (2, 1, 3, 11), (5, 4, 6), (8, 9, 10))


@pytest.fixture
def x() -> Tensor:
    return torch.rand(N, 12, dtype=torch.float64)


@pytest.mark.parametrize("donors", [(SELF, 4, MEAN, BLUR), (2, 2, SELF, 0), (MEAN,) * 4])
def test_every_feature_comes_from_the_donor_of_its_superfeature(x: Tensor, donors: tuple[Donor, ...]) -> None:
    chimera = assemble(x, 1, donors, GROUPS, mean=x.mean(0), shape=SHAPE)
    sources = {SELF: x[1], MEAN: x.mean(0), BLUR: blurred(x[1], SHAPE)} | dict(enumerate(x))
    for donor, group in zip(donors, GROUPS, strict=True):
        for feature in group:
            assert chimera[feature] == sources[donor][feature]


def test_only_contributions_of_replaced_superfeatures_change(x: Tensor) -> None:
    net = SubnetStack(GROUPS, (6, 6), C, replicas=2, base=torch.randn(C).log_softmax(0)).double()
    cases = [*itertools.product((SELF, 3, MEAN), repeat=4)]
    chimeras = [assemble(x, 0, donors, GROUPS, mean=x.mean(0), shape=SHAPE) for donors in cases]
    with torch.no_grad():
        before, *after = contributions(net.explanations(torch.stack([x[0], *chimeras])), net.base.double()).unbind(2)
    for donors, changed in zip(cases, after, strict=True):
        same = [torch.allclose(before[:, m], changed[:, m], rtol=1e-12, atol=1e-12) for m in range(4)]
        assert same == [not new for new in replaced(donors, 0)], donors


def test_what_replacements_do_to_a_black_box_does_not_add_up(x: Tensor) -> None:
    """Otherwise the test above would say nothing about explaining nets."""
    net = mlp(12, (6, 6), C).double()
    swaps: list[tuple[Donor, ...]] = [(SELF,) * 4, (3, SELF, SELF, SELF), (SELF, 3, SELF, SELF), (3, 3, SELF, SELF)]
    pictures = torch.stack([assemble(x, 0, donors, GROUPS, mean=x.mean(0), shape=SHAPE) for donors in swaps])
    with torch.no_grad():
        neither, first, second, both = net(pictures)[0]
    assert not torch.allclose(both - neither, (first - neither) + (second - neither), atol=1e-6)


def test_a_sample_is_no_other_donor_to_itself() -> None:
    assert replaced((SELF, 7, 3, MEAN, BLUR), 7) == (False, False, True, True, True)


def test_blurring_is_the_weighted_mean_of_all_pixels_around(x: Tensor) -> None:
    height, width = SHAPE
    sigma, reach = min(SHAPE) / 8, round(4 * min(SHAPE) / 8)
    picture, soft = x[0].reshape(SHAPE), blurred(x[0], SHAPE).reshape(SHAPE)
    weights = {d: math.exp(-(d**2) / (2 * sigma**2)) for d in range(-reach, reach + 1)}
    for row, column in itertools.product(range(height), range(width)):
        near = [
            (weights[i] * weights[j], picture[min(max(row + i, 0), height - 1), min(max(column + j, 0), width - 1)])
            for i, j in itertools.product(weights, repeat=2)
        ]
        mean = sum(weight * value for weight, value in near) / sum(weight for weight, _ in near)
        assert soft[row, column] == pytest.approx(float(mean), rel=1e-9)


def test_colours_do_not_run_into_each_other() -> None:
    picture = torch.stack([torch.full((8, 8), value) for value in (0.0, 0.5, 1.0)])
    assert torch.allclose(blurred(picture.flatten(), (3, 8, 8)).reshape(3, 8, 8), picture)


def test_moved_probability_is_all_of_it_between_opposite_answers_and_none_between_equal_ones() -> None:
    p = torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]], dtype=torch.float64)
    q = torch.tensor([[0.9, 0.1, 0.0], [0.5, 0.3, 0.2]], dtype=torch.float64)
    assert moved(p.log(), q.log()).tolist() == pytest.approx([0.0, 0.3])
    assert moved(torch.tensor([0.0, -math.inf]), torch.tensor([-math.inf, 0.0])) == 1.0


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda x: assemble(x, 0, (SELF, 6, SELF, SELF), GROUPS, mean=x[0], shape=SHAPE), "0 to 5"),
        (lambda x: assemble(x, 0, (SELF, "noise", SELF, SELF), GROUPS, mean=x[0], shape=SHAPE), "'noise'"),
        (lambda x: assemble(x, 0, (SELF, SELF), GROUPS, mean=x[0], shape=SHAPE), "not 2"),
        (lambda x: assemble(x, 0, (BLUR,) * 4, GROUPS, mean=x[0], shape=(12,)), "neighbours"),
    ],
)
def test_what_cannot_be_a_donor_is_a_sentence(
    x: Tensor, wrong: Callable[[Tensor], Tensor], named: str, one_sentence: Callable[[str], str]
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        wrong(x)
    assert named in one_sentence(str(refusal.value))


def test_draws_are_those_of_the_chimeras_that_students_learn_from(x: Tensor) -> None:
    chimeras = Chimeras(x, GROUPS, [3, 8])
    assert torch.equal(Draws(N, len(GROUPS), [3, 8])(5, 4), chimeras.donors(5, 4))
