"""Chimeras: every superfeature is its donor's, donors are uniform and reproducible, targets equal a forward pass."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import oracles
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch import Tensor

from ked.chimeras import Chimeras, ExplainingTeacher, black_box_targets, compose
from ked.errors import InvalidInput
from ked.losses import Objective, soften, weights
from ked.methods import METHODS
from ked.nets.subnets import Predictor, SubnetStack, mlp

N, D, C, B = 30, 9, 4, 16
GROUPS = ((7, 0, 3, 5), (1,), (8, 2, 4, 6))  # uneven and unsorted
M = len(GROUPS)
SEEDS = (5, 6)
K = len(SEEDS)
T, TAU = 3.0, 5.0


def _donors_by_hand(seed: int, m: int, number: int, samples: int) -> int:
    """Splitmix64 in Python's own integers, which never overflow."""
    whole = (1 << 64) - 1

    def mix(z: int) -> int:
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & whole
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & whole
        return z ^ (z >> 31)

    golden = 0x9E3779B97F4A7C15
    key = mix(mix(seed * golden & whole) + m * 0xBF58476D1CE4E5B9 & whole)
    return (mix(key + (number + 1) * golden & whole) >> 33) * samples >> 31


def _compose_by_hand(x: Tensor, donors: Tensor) -> Tensor:
    """(K, B, D) feature by feature."""
    chimeras = torch.full((*donors.shape[:2], D), torch.nan, dtype=x.dtype)
    for k, b, m in itertools.product(range(donors.shape[0]), range(donors.shape[1]), range(M)):
        for feature in GROUPS[m]:
            chimeras[k, b, feature] = x[donors[k, b, m], feature]
    return chimeras


def _samples() -> Tensor:
    return torch.randn(N, D, dtype=torch.float64)


def _teacher() -> SubnetStack:
    """An explaining teacher with random weights and a base that is not uniform."""
    base = torch.randn(C, dtype=torch.float64).log_softmax(0)
    return SubnetStack(GROUPS, (6, 5), C, base=base).double()


def _explaining(teacher: SubnetStack, x: Tensor) -> ExplainingTeacher:
    with torch.no_grad():
        return ExplainingTeacher(teacher.explanations(x)[0].transpose(0, 1), teacher.base, T, TAU)


def test_a_chimera_by_hand() -> None:
    donors = torch.tensor([[1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0], [100.0, 200.0, 300.0, 400.0]])
    assert compose(donors, [(3, 0), (1,), (2,)]).tolist() == [1.0, 20.0, 300.0, 4.0]


def test_a_chimera_of_one_sample_is_that_sample() -> None:
    x = _samples()
    assert torch.equal(compose(x[4].expand(M, D), GROUPS), x[4])
    assert torch.equal(Chimeras(x, GROUPS, [0]).features(torch.full((1, 2, M), 4)), x[4].expand(1, 2, D))


def test_every_superfeature_of_a_chimera_is_found_in_its_donor() -> None:
    x = _samples()
    chimeras = Chimeras(x, GROUPS, SEEDS)
    donors = chimeras.donors(0, B)
    drawn = chimeras.features(donors)
    assert torch.equal(drawn, _compose_by_hand(x, donors))
    for k, b in itertools.product(range(K), range(B)):
        assert torch.equal(drawn[k, b], compose(x[donors[k, b]], GROUPS))


@pytest.mark.parametrize("order", [torch.tensor([i for group in GROUPS for i in group]), torch.arange(D).flip(0)])
def test_features_come_in_the_wanted_order_and_into_the_given_memory(order: Tensor) -> None:
    x = _samples()
    chimeras, out = Chimeras(x, GROUPS, SEEDS, order=order), torch.full((K, B, D), torch.nan, dtype=x.dtype)
    donors = chimeras.donors(7, B)
    drawn = chimeras.features(donors, out)
    assert drawn.data_ptr() == out.data_ptr()
    assert torch.equal(drawn, _compose_by_hand(x, donors)[..., order])
    assert torch.equal(chimeras.features(donors), drawn)


@given(seed=st.integers(0, 2**31), first=st.integers(0, 10**9), samples=st.integers(1, 10**5))
def test_donors_are_splitmix64s(seed: int, first: int, samples: int) -> None:
    donors = Chimeras(torch.empty(samples, 2), [(0,), (1,)], [seed, seed + 1]).donors(first, 3)
    for k, j, m in itertools.product(range(2), range(3), range(2)):
        assert int(donors[k, j, m]) == _donors_by_hand(seed + k, m, first + j, samples)


def test_donors_are_uniform_and_independent() -> None:
    samples, count = 12, 60_000
    donors = Chimeras(torch.empty(samples, D), GROUPS, SEEDS).donors(0, count)
    singles = [donors[k, :, m] for k in range(K) for m in range(M)]
    pairs = [donors[0, :, 0] * samples + donors[0, :, 1], donors[0, :, 1] * samples + donors[0, :, 2]]
    pairs += [donors[0, :, 0] * samples + donors[1, :, 0]]  # of replicas with neighbouring seeds
    pairs += [donors[0, :-1, 0] * samples + donors[0, 1:, 0]]  # of neighbouring chimeras
    for drawn, cells in [(one, samples) for one in singles] + [(two, samples**2) for two in pairs]:
        assert chisquare(torch.bincount(drawn, minlength=cells).numpy()).pvalue > 1e-3


def test_a_replicas_stream_is_reproducible_and_its_own() -> None:
    x = _samples()
    together = Chimeras(x, GROUPS, SEEDS).donors(0, 50)
    for k, seed in enumerate(SEEDS):
        assert torch.equal(Chimeras(x, GROUPS, [seed]).donors(0, 50)[0], together[k])
    assert not torch.equal(together[0], together[1])


def test_a_stream_that_resumes_goes_on_as_if_it_had_not_stopped() -> None:
    chimeras = Chimeras(_samples(), GROUPS, SEEDS)
    whole = list(chimeras.batches(10_010, 100))
    assert [batch.shape[1] for batch in whole] == [100] * 100 + [10]
    assert torch.equal(torch.cat(whole, 1), chimeras.donors(0, 10_010))
    resumed = list(chimeras.batches(10_010 - 4700, 100, start=4700))
    assert all(torch.equal(one, other) for one, other in zip(whole[47:], resumed, strict=True))


def test_batches_larger_than_a_block_and_no_batches_at_all() -> None:
    chimeras = Chimeras(_samples(), GROUPS, SEEDS)
    assert [batch.shape for batch in chimeras.batches(9000, 6000)] == [(K, 6000, M), (K, 3000, M)]
    assert list(chimeras.batches(0, 100)) == []


def test_the_explanation_of_a_chimera_is_its_donors_explanations() -> None:
    x, teacher = _samples(), _teacher()
    chimeras, explaining = Chimeras(x, GROUPS, SEEDS), _explaining(teacher, x)
    donors = chimeras.donors(0, B)
    drawn = chimeras.features(donors)
    for k in range(K):  # the forward pass of the stack, and of the nets that anybody would write
        forward = teacher.explanations(drawn[k])[0].transpose(0, 1)
        torch.testing.assert_close(explaining.explanations(donors[k]), forward)
        torch.testing.assert_close(forward, oracles.explanations(oracles.subnets(teacher), GROUPS, drawn[k]).transpose(0, 1))
        torch.testing.assert_close(explaining.total(donors[k]), teacher(drawn[k])[0])
        assert torch.equal(explaining.labels(donors[k]), teacher(drawn[k])[0].argmax(1))


def test_soft_targets_are_those_of_a_forward_pass() -> None:
    x, teacher = _samples(), _teacher()
    chimeras = Chimeras(x, GROUPS, SEEDS)
    donors = chimeras.donors(0, B)
    targets, flat = _explaining(teacher, x)(donors), chimeras.features(donors).flatten(0, 1)
    assert targets.explanation is not None
    with torch.no_grad():
        prediction, explanation = teacher(flat).transpose(0, 1), teacher.explanations(flat)[0].transpose(0, 1)
    for found, expected in ((targets.prediction, soften(prediction, T)), (targets.explanation, soften(explanation, TAU))):
        torch.testing.assert_close(found.probabilities, expected.probabilities)
        torch.testing.assert_close(found.negentropy, expected.negentropy)
        assert found.temperature == expected.temperature
    assert torch.equal(targets.y, prediction[:, 0].argmax(1).view(K, B))


def test_the_loss_on_chimeras_is_the_loss_on_them_as_ordinary_samples() -> None:
    x, teacher = _samples(), _teacher()
    student = SubnetStack(GROUPS, (5,), C, replicas=K, base=teacher.base.flip(0)).double()
    chimeras = Chimeras(x, GROUPS, SEEDS, order=student.order)
    donors = chimeras.donors(0, B)
    targets, batch = _explaining(teacher, x)(donors), chimeras.features(donors)
    log_y = student.subnet_log_probabilities(batch)
    shares = weights(METHODS["ked"], T, TAU, 0.7, 0.6)
    objective = targets.objective(shares)
    found = objective.terms(log_y, student.total(log_y), targets.y, targets.rows)
    for k in range(K):
        samples = _compose_by_hand(x, donors)[k]
        with torch.no_grad():
            prediction, explanation = teacher(samples).transpose(0, 1), teacher.explanations(samples)[0].transpose(0, 1)
        ordinary = Objective(shares, soften(prediction, T), soften(explanation, TAU))
        alone, rows = student.replica(k), torch.arange(B)[None]
        own = alone.subnet_log_probabilities(alone.arrange(samples))
        expected = ordinary.terms(own, alone.total(own), prediction[:, 0].argmax(1)[None], rows)
        for name, value in expected.items():
            torch.testing.assert_close(found[name][k], value[0])
    assert set(found) == {"ce", "prediction", "explanation"}


def test_an_objective_has_the_terms_that_have_a_weight() -> None:
    x = _samples()
    targets = _explaining(_teacher(), x)(Chimeras(x, GROUPS, SEEDS).donors(0, B))
    assert targets.objective(weights(METHODS["mu0"], T, TAU, 0.7, 0.6)).explanation is None
    assert targets.objective({"ce": 1.0}).prediction is None


def test_a_black_box_teaches_the_same_inputs_by_a_forward_pass() -> None:
    x, teacher = _samples(), mlp(D, (7,), C).double()
    chimeras = Chimeras(x, GROUPS, SEEDS)
    donors = chimeras.donors(0, B)
    targets = black_box_targets(Predictor(teacher), chimeras.features(donors), T)
    with torch.no_grad():
        expected = teacher(_compose_by_hand(x, donors).flatten(0, 1))[0]
    torch.testing.assert_close(targets.prediction.probabilities[:, 0], (expected / T).softmax(1))
    assert torch.equal(targets.y, expected.argmax(1).view(K, B))
    assert targets.explanation is None
    assert not targets.prediction.probabilities.requires_grad


def test_there_are_as_many_chimeras_as_choices_of_donors() -> None:
    assert Chimeras(_samples(), GROUPS, [0]).count == N**M
    assert Chimeras(_samples(), [range(D)], [0]).count == N


@pytest.mark.parametrize("groups", [((0, 1), (1, 2)), ((0, 1),), ((0, 1, 2), ()), ((0, 1, 2, 3),)])
def test_groups_that_are_no_cover_are_refused(groups: tuple[tuple[int, ...], ...], one_sentence: Callable[[str], str]) -> None:
    for refused in (lambda: compose(torch.zeros(len(groups), 3), groups), lambda: Chimeras(torch.zeros(5, 3), groups, [0])):
        with pytest.raises(InvalidInput) as error:
            refused()
        one_sentence(str(error.value))


def test_a_wrong_number_of_donors_and_none_at_all_are_refused(one_sentence: Callable[[str], str]) -> None:
    for refused in (lambda: compose(torch.zeros(2, D), GROUPS), lambda: Chimeras(torch.zeros(0, D), GROUPS, [0])):
        with pytest.raises(InvalidInput) as error:
            refused()
        one_sentence(str(error.value))


_MANY = """
import torch
from ked.chimeras import Chimeras, ExplainingTeacher
torch.set_num_threads(1)
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) / 1024
x = torch.rand(5_000, 784)
log_y = torch.randn(5_000, 4, 10).log_softmax(-1)
groups = torch.randperm(784).split([350, 232, 201, 1])
torch.rand(200, 784) @ torch.rand(784, 10)
before = peak()
chimeras = Chimeras(x, [group.tolist() for group in groups], [0])
teacher, out = ExplainingTeacher(log_y, torch.zeros(10), 10.0, 10.0), torch.empty(1, 100, 784)
drawn = 0
for donors in chimeras.batches(200_000, 100):
    drawn += chimeras.features(donors, out).shape[1]
    if drawn % 1000 == 0:
        teacher(donors)
assert drawn == 200_000
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_chimeras_need_little_more_memory_than_a_copy_of_their_donors() -> None:
    root = Path(__file__).parents[1]
    ran = subprocess.run([sys.executable, "-c", _MANY], cwd=root, capture_output=True, text=True, check=True)
    copy = 5_000 * 784 * 4 / 2**20
    assert float(ran.stdout) < copy + 40  # side by side they would be 598 MiB
