"""Agreement of explanations: equal nets agree, unrelated ones do not, and the numbers are those of a loop."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ked.agreements import cosine, divergence
from ked.errors import InvalidInput

K, M, N, C = 2, 3, 5, 4


def _log_y(seed: int, replicas: int = K) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(replicas, M, N, C, generator=draw, dtype=torch.float64).log_softmax(-1)


def test_the_cosine_is_that_of_a_loop_over_superfeatures_and_classes() -> None:
    student, teacher = _log_y(1), _log_y(2, replicas=1)
    found = cosine(student, teacher)
    for k in range(K):
        for n in range(N):
            a, b = ([], [])
            for m in range(M):
                for phi, flat in ((student[k, m, n], a), (teacher[0, m, n], b)):
                    flat += [float(value) - float(phi.sum()) / C for value in phi]
            expected = sum(i * j for i, j in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)
            assert float(found[k, n]) == pytest.approx(expected)


def test_the_divergence_is_that_of_a_loop_over_superfeatures() -> None:
    student, teacher, tau = _log_y(1), _log_y(2, replicas=1), 3.0
    found = divergence(student, teacher, tau)
    for k in range(K):
        for m in range(M):
            terms = []
            for n in range(N):
                p, q = (torch.softmax(one / tau, dim=0) for one in (teacher[0, m, n], student[k, m, n]))
                terms.append(sum(float(p[c]) * math.log(float(p[c] / q[c])) for c in range(C)))
            assert float(found[k, m]) == pytest.approx(sum(terms) / N)


def test_equal_nets_agree_wholly_and_a_shift_of_all_classes_is_not_seen() -> None:
    one = _log_y(3)
    torch.testing.assert_close(cosine(one, one + 7.0), torch.ones(K, N, dtype=torch.float64))
    torch.testing.assert_close(divergence(one, one + 7.0, 10.0), torch.zeros(K, M, dtype=torch.float64))


@pytest.mark.parametrize("gap", [3.0, 0.1])
def test_at_a_high_temperature_the_divergence_in_float32_is_half_the_variance_of_the_difference(gap: float) -> None:
    teacher = 4 * torch.randn(1, M, N, C)
    student = teacher + gap * torch.randn(K, M, N, C)
    found = 1e8 * divergence(student, teacher, 1e4)
    torch.testing.assert_close(found, (student - teacher).var(dim=-1, correction=0).mean(-1) / 2, rtol=1e-2, atol=0)
    assert float((1e8 * divergence(teacher, teacher, 1e4)).abs().max()) < 1e-6


def test_opposite_contributions_have_cosine_minus_one_and_unrelated_ones_none_on_average() -> None:
    phi = torch.randn(1, M, 4000, C, dtype=torch.float64)
    torch.testing.assert_close(cosine(phi, -phi), -torch.ones(1, 4000, dtype=torch.float64))
    assert abs(float(cosine(phi, torch.randn(1, M, 4000, C, dtype=torch.float64)).mean())) < 0.05


def test_a_net_that_says_nothing_agrees_with_nobody() -> None:
    assert float(cosine(torch.zeros(1, M, 1, C), torch.randn(1, M, 1, C))) == 0


def test_what_cannot_be_compared_is_refused_in_one_sentence(one_sentence: Callable[[str], str]) -> None:
    for compare in (cosine, lambda a, b: divergence(a, b, 1.0)):
        with pytest.raises(InvalidInput, match="as many superfeatures") as caught:
            compare(_log_y(1), _log_y(2)[:, :2])
        one_sentence(str(caught.value))
