"""Every measure of agreement against its definition, written out; and cases whose answer is known beforehand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import oracles
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.stats import spearmanr
from torch import Tensor

from ked.agreements import FIDELITY, MEASURES, jensen_shannon, kullback_leibler, ranking, spearman
from ked.agreements.outputs import NetOutputs
from ked.agreements.similarity import ranks
from ked.errors import InvalidInput

K, M, N, C = 2, 4, 6, 5
TAU = 3.0
BASE = torch.linspace(-2.0, -1.0, C, dtype=torch.float64)
USUAL = torch.linspace(-1.0, 1.0, M * C, dtype=torch.float64).reshape(M, 1, C)  # what a teacher says of every class


def log_y(seed: int, replicas: int = K, samples: int = N) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(replicas, M, samples, C, generator=draw, dtype=torch.float64).log_softmax(-1)


def speaking(explanations: Tensor, asked: Tensor | None = None) -> NetOutputs:
    total = explanations.sum(dim=1) - (explanations.shape[1] - 1) * BASE
    said = NetOutputs(explanations, total.log_softmax(-1), BASE, TAU, asked)
    said.usual = USUAL.expand(explanations.shape[1:])
    return said


def pair(samples: int = N) -> tuple[NetOutputs, NetOutputs]:
    teacher = speaking(log_y(2, replicas=1, samples=samples))
    return speaking(log_y(1, samples=samples), teacher.asked), teacher


def phi(explanations: Tensor) -> np.ndarray:
    """(M, C) centred, of one net and sample."""
    values = (explanations - BASE).numpy()
    return values - values.mean(axis=1, keepdims=True)


# Second definitions: from both nets' log y (M, C) of one sample to the measure.


def slow_top(votes: Sequence[float], k: int) -> list[int]:
    return sorted(range(len(votes)), key=lambda m: -abs(votes[m]))[:k]


def votes_of(student: Tensor, teacher: Tensor) -> tuple[list[float], list[float]]:
    asked = int((teacher.sum(0) - (M - 1) * BASE).argmax())
    return phi(student)[:, asked].tolist(), phi(teacher)[:, asked].tolist()


def krishna(same: Callable[[list[int], list[int], int, list[float], list[float]], bool]) -> Callable[[Tensor, Tensor], float]:
    def measure(student: Tensor, teacher: Tensor) -> float:
        mine, theirs = votes_of(student, teacher)
        k = math.ceil(M / 2)
        a, b = slow_top(mine, k), slow_top(theirs, k)
        return sum(m in a and m in b and same(a, b, m, mine, theirs) for m in range(M)) / k

    return measure


def slow_pairwise(student: Tensor, teacher: Tensor) -> float:
    a, b = votes_of(student, teacher)
    pairs = list(itertools.combinations(range(M), 2))
    return sum((abs(a[i]) > abs(a[j])) == (abs(b[i]) > abs(b[j])) for i, j in pairs) / len(pairs)


def mean_over_superfeatures(one: Callable[[Tensor, Tensor], float]) -> Callable[[Tensor, Tensor], float]:
    return lambda student, teacher: sum(one(student[m], teacher[m]) for m in range(M)) / M


def slow_js(student: Tensor, teacher: Tensor) -> float:
    return float(jensenshannon(torch.softmax(student / TAU, 0).numpy(), torch.softmax(teacher / TAU, 0).numpy()) ** 2)


def same_place(a: list[int], b: list[int], m: int, *_: object) -> bool:
    return a.index(m) == b.index(m)


def same_sign(a: list[int], b: list[int], m: int, mine: list[float], theirs: list[float]) -> bool:
    return mine[m] * theirs[m] > 0


def slow_cosine(student: Tensor, teacher: Tensor) -> float:
    a, b = phi(student).ravel(), phi(teacher).ravel()
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def slow_beyond(student: Tensor, teacher: Tensor) -> float:
    a, b = (np.ravel(phi(net) - USUAL[:, 0].numpy()) for net in (student, teacher))
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


SLOW: dict[str, Callable[[Tensor, Tensor], float]] = {
    "cosine": slow_cosine,
    "beyond": slow_beyond,
    "spearman": lambda student, teacher: float(spearmanr(phi(student).ravel(), phi(teacher).ravel()).statistic),
    "jensen-shannon": mean_over_superfeatures(slow_js),
    "kullback-leibler": mean_over_superfeatures(lambda student, teacher: oracles.divergence(teacher, student, TAU)),
    "feature": krishna(lambda *_: True),
    "rank": krishna(same_place),
    "sign": krishna(same_sign),
    "signed-rank": krishna(lambda *given: same_place(*given) and same_sign(*given)),
    "pairwise": slow_pairwise,
}


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_is_what_its_definition_gives_sample_by_sample(name: str) -> None:
    student, teacher = pair()
    found = MEASURES[name].compare(student, teacher).whole
    for k, n in itertools.product(range(K), range(N)):
        expected = SLOW[name](student.log_y[k, :, n], teacher.log_y[0, :, n])
        assert float(found[k, n]) == pytest.approx(expected, rel=1e-6, abs=1e-9)


EACH: dict[str, Callable[[Tensor, Tensor], float]] = {
    "cosine": lambda a, b: float(np.corrcoef((a - BASE).numpy(), (b - BASE).numpy())[0, 1]),  # centred, so a correlation
    "spearman": lambda a, b: float(spearmanr((a - BASE).numpy(), (b - BASE).numpy()).statistic),
    "jensen-shannon": slow_js,
    "kullback-leibler": lambda a, b: oracles.divergence(b, a, TAU),
}


@pytest.mark.parametrize("name", EACH)
def test_each_superfeature_is_measured_by_itself(name: str) -> None:
    student, teacher = pair()
    each = MEASURES[name].compare(student, teacher).each
    assert each is not None
    for k, m, n in itertools.product(range(K), range(M), range(N)):
        assert float(each[k, m, n]) == pytest.approx(EACH[name](student.log_y[k, m, n], teacher.log_y[0, m, n]))


def test_a_superfeatures_sign_is_the_same_or_not() -> None:
    student, teacher = pair()
    each = MEASURES["sign"].compare(student, teacher).each
    assert each is not None
    for k, n in itertools.product(range(K), range(N)):
        mine, theirs = votes_of(student.log_y[k, :, n], teacher.log_y[0, :, n])
        assert each[k, :, n].tolist() == [float(a * b > 0) for a, b in zip(mine, theirs, strict=True)]


def test_fidelity_is_a_count_of_equal_answers_and_a_divergence_of_predictions() -> None:
    student, teacher = pair()
    answers, kl = (FIDELITY[name].compare(student, teacher).whole for name in ("answer", "prediction-kl"))
    for k, n in itertools.product(range(K), range(N)):
        mine, theirs = student.log_p[k, n], teacher.log_p[0, n]
        assert float(answers[k, n]) == float(int(mine.argmax()) == int(theirs.argmax()))
        assert float(kl[k, n]) == pytest.approx(oracles.divergence(theirs, mine, 1.0))


# Known cases


@pytest.mark.parametrize("name", MEASURES | FIDELITY)
def test_a_net_agrees_with_itself_as_well_as_can_be(name: str) -> None:
    measure, one = (MEASURES | FIDELITY)[name], speaking(log_y(3, replicas=1))
    found = measure.compare(one, one)
    torch.testing.assert_close(found.whole.double(), torch.full((1, N), measure.best, dtype=torch.float64))
    if found.each is not None:
        torch.testing.assert_close(found.each.double(), torch.full((1, M, N), measure.best, dtype=torch.float64))


OPPOSITE = {"cosine": -1.0, "spearman": -1.0, "feature": 1.0, "rank": 1.0, "sign": 0.0, "signed-rank": 0.0, "pairwise": 1.0}


@pytest.mark.parametrize("name", OPPOSITE)
def test_opposite_contributions_are_as_important_and_of_the_other_sign(name: str) -> None:
    teacher = speaking(log_y(4, replicas=1))
    student = speaking(2 * BASE - teacher.log_y, teacher.asked)
    found = MEASURES[name].compare(student, teacher).whole
    torch.testing.assert_close(found.double(), torch.full((1, N), OPPOSITE[name], dtype=torch.float64))


@pytest.mark.parametrize("superfeatures", [1, 2, 3, 4])
@pytest.mark.parametrize("name", [name for name in MEASURES if name in ("feature", "rank", "sign", "signed-rank", "pairwise")])
def test_the_chance_level_is_the_mean_over_all_orders_and_signs(name: str, superfeatures: int) -> None:
    orders = torch.tensor(list(itertools.permutations(range(superfeatures))))
    signs = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=superfeatures)))
    one = ranking.Ranking(torch.arange(superfeatures), torch.ones(superfeatures))  # by symmetry any
    other = ranking.Ranking(orders.repeat_interleave(len(signs), 0), signs.repeat(len(orders), 1))
    k = ranking.top(superfeatures)
    form = getattr(ranking, {"signed-rank": "signed_rank"}.get(name, {"pairwise": "pairwise_rank"}.get(name, name)) + "_agreement")
    found = form(other, one) if name == "pairwise" else form(other, one, k)
    formula = MEASURES[name].chance
    assert formula is not None
    assert float(found.double().mean()) == pytest.approx(formula(superfeatures, k))


def test_unrelated_explanations_are_at_chance() -> None:
    draw = torch.Generator().manual_seed(0)
    flat = torch.zeros(C, dtype=torch.float64)
    student, teacher = (
        NetOutputs(part, part.sum(1), flat, TAU, torch.zeros(8000, dtype=torch.int64))
        for part in torch.randn(2, 1, M, 8000, C, generator=draw, dtype=torch.float64)
    )
    teacher.usual = torch.zeros(M, 8000, C, dtype=torch.float64)
    for name, measure in MEASURES.items():
        if measure.chance is not None:
            assert float(measure.compare(student, teacher).whole.mean()) == pytest.approx(measure.chance(M, 2), abs=0.015), name


def test_jensen_shannon_is_symmetric_and_between_zero_and_log_two() -> None:
    a, b = 20 * log_y(5), 20 * log_y(6)  # far apart
    a, b = a.log_softmax(-1), b.log_softmax(-1)
    forth = jensen_shannon(a, b)
    torch.testing.assert_close(forth, jensen_shannon(b, a))
    assert float(forth.min()) >= 0
    assert float(forth.max()) <= math.log(2) + 1e-12
    apart = torch.tensor([[[[0.0, -math.inf]]]]), torch.tensor([[[[-math.inf, 0.0]]]])
    assert float(jensen_shannon(*apart)) == pytest.approx(math.log(2))
    assert float(kullback_leibler(b, a).min()) >= 0


def test_equal_values_share_their_mean_rank_and_a_net_that_says_nothing_agrees_with_nobody() -> None:
    assert ranks(torch.tensor([[3.0, 1.0, 1.0, 7.0]])).tolist() == [[0.5, -1.0, -1.0, 1.5]]
    tied = torch.tensor([0.0, 1.0, 1.0, 2.0, 2.0]).expand(1, M, 1, C).double()
    other = log_y(7, replicas=1, samples=1)
    expected = spearmanr(tied.flatten().numpy(), phi(other[0, :, 0] + BASE).ravel()).statistic
    assert float(spearman(tied, other)) == pytest.approx(float(expected))
    assert float(spearman(torch.zeros(1, M, 1, C), torch.randn(1, M, 1, C))) == 0


def test_of_equally_important_superfeatures_the_first_comes_first() -> None:
    assert ranking.rank(torch.tensor([1.0, -2.0, 2.0, 0.0])).ranks.tolist() == [2, 0, 1, 3]


@pytest.mark.parametrize("k", [0, M + 1])
def test_so_many_superfeatures_as_there_are_can_be_the_most_important(k: int, one_sentence: Callable[[str], str]) -> None:
    votes = ranking.rank(torch.randn(3, M))
    with pytest.raises(InvalidInput, match=f"k = {k} is not allowed") as caught:
        ranking.feature_agreement(votes, votes, k)
    one_sentence(str(caught.value))
