"""Planted data: the groups, the features and the labels are what the formula in the docstring says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ked import data
from ked.data import planted
from ked.errors import InvalidInput


def _probabilities(truth: planted.Truth, sample: Tensor) -> Tensor:
    """P(y | x) of one sample, term by term as the docstring has it."""
    C = len(truth.offset)
    logits = [float(truth.offset[c]) for c in range(C)]
    for m, group in enumerate(truth.groups):
        t = sum(float(truth.weights[m, i]) * float(sample[i]) for i in group)
        for c in range(C):
            logits[c] += float(truth.evidence[m, c]) * (t * t - 1)
    clean = torch.tensor(logits, dtype=torch.float64).softmax(0)
    return (1 - truth.noise) * clean + truth.noise / C


def test_probabilities_are_those_of_the_formula() -> None:
    dataset, truth = planted.make(11, 3, 4, correlation=0.4, noise=0.2, n=200, seed=3)
    found = truth.probabilities(dataset.x[:20])
    assert torch.allclose(found, torch.stack([_probabilities(truth, sample) for sample in dataset.x[:20]]))
    assert torch.allclose(found.sum(1), torch.ones(20, dtype=torch.float64))


@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0])
def test_labels_have_the_frequencies_that_the_true_distribution_says(noise: float) -> None:
    dataset, truth = planted.make(8, 2, 3, noise=noise, n=30_000, seed=1)
    p = truth.probabilities(dataset.x)
    hit = torch.nn.functional.one_hot(dataset.y, 3).double()
    for low in torch.arange(0, 1, 0.1):
        for c in range(3):
            rows = (p[:, c] >= low) & (p[:, c] < low + 0.1)
            if rows.sum() < 100:
                continue
            expected, found, spread = p[rows, c].mean(), hit[rows, c].mean(), (p[rows, c] * (1 - p[rows, c])).mean()
            assert abs(found - expected) < 4.5 * (spread / rows.sum()) ** 0.5


def test_groups_are_a_disjoint_cover_of_nearly_equal_sizes_and_the_dataset_knows_them() -> None:
    dataset, truth = planted.make(23, 5, 3, n=100)
    assert sorted(i for group in truth.groups for i in group) == list(range(23))
    assert sorted(len(group) for group in truth.groups) == [4, 4, 5, 5, 5]
    assert dataset.truth == truth.groups
    assert truth.groups[0] != tuple(range(5))  # drawn, not cut in order
    for m, group in enumerate(truth.groups):
        assert truth.weights[m].nonzero().flatten().tolist() == list(group)
        assert dataset.features[group[0]] == f"feature {group[0]} of group {m + 1}"


def test_a_feature_changes_the_log_odds_of_its_own_group_alone() -> None:
    dataset, truth = planted.make(9, 3, 4, n=100)

    def log_odds(sample: Tensor) -> Tensor:
        return truth.probabilities(sample[None]).log()[0].diff().sum()

    H = torch.autograd.functional.hessian(log_odds, dataset.x[0].double())
    together = torch.zeros(9, 9, dtype=torch.bool)
    for group in truth.groups:
        together[torch.tensor(group)[:, None], torch.tensor(group)] = True
    assert H[~together].abs().max() < 1e-9
    assert H[together].abs().min() > 1e-3


@pytest.mark.parametrize("across", [False, True])
def test_features_are_standard_normal_with_the_correlation_asked_for(across: bool) -> None:
    dataset, truth = planted.make(12, 3, 2, correlation=0.7, across=across, n=40_000)
    member = torch.empty(12, dtype=torch.int64)
    for group in truth.groups:
        member[list(group)] = torch.arange(4) if across else group[0]
    expected = torch.where(member[:, None] == member, 0.7, 0.0).fill_diagonal_(1.0)
    assert torch.allclose(dataset.x.T.cov(), expected, atol=0.04)
    assert torch.allclose(dataset.x.mean(0), torch.zeros(12), atol=0.03)
    t = dataset.x.double() @ truth.weights.T
    assert torch.allclose(t.var(0), torch.ones(3, dtype=torch.float64), atol=0.05)


def test_classes_are_equally_frequent() -> None:
    dataset, _ = planted.make(C=5, strength=3.0, n=20_000)
    assert np.allclose(dataset.y.bincount() / 20_000, 0.2, atol=0.015)


def test_planted_data_is_seeded() -> None:
    first, again, other = (planted.make(n=100, seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(first.x, again.x)
    assert torch.equal(first.y, again.y)
    assert not torch.equal(first.x, other.x)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"D": 0}, "D = 0"),
        ({"M": 21}, "M = 21.*1 to D = 20"),
        ({"C": 1}, "C = 1"),
        ({"correlation": 1.0}, r"correlation = 1\.0"),
        ({"correlation": float("nan")}, "correlation = nan"),
        ({"noise": 1.5}, r"noise = 1\.5"),
        ({"strength": 0}, "strength = 0"),
        ({"n": 39}, "n = 39.*10 C = 40"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        planted.make(**wrong)


def test_the_named_sources_know_their_groups() -> None:
    few, many = data.load("planted"), data.load("correlated")
    assert (few.shape, few.class_count, len(few.truth)) == ((20,), 4, 4)
    assert (many.shape, many.class_count, len(many.truth), many.name) == ((24,), 3, 4, "correlated")
    assert len(few.train) == pytest.approx(0.6 * 8000, abs=4)


def test_in_correlated_data_the_partners_of_a_feature_are_in_other_groups() -> None:
    dataset = data.load("correlated")
    member = torch.empty(24, dtype=torch.int64)
    for m, group in enumerate(dataset.truth):
        member[list(group)] = m
    R = dataset.x.T.corrcoef().fill_diagonal_(0)
    assert (R.abs().amax(1) > 0.85).all()
    assert (R > 0.5).sum(1).tolist() == [3] * 24
    assert not ((R > 0.5) & (member[:, None] == member)).any()


def test_dependency_finds_groups_that_correlation_cannot() -> None:
    """The Hessian of the true distribution stands in for a teacher's, so that nothing has to be trained."""
    from sklearn.metrics import adjusted_rand_score

    from ked.communities.superfeatures import find_superfeatures

    dataset, truth = planted.make(24, 4, 3, correlation=0.9, across=True, n=1000)
    labels = torch.empty(24, dtype=torch.int64)
    for m, group in enumerate(truth.groups):
        labels[list(group)] = m

    def total(sample: Tensor) -> Tensor:
        return truth.probabilities(sample[None]).log().sum()

    H = torch.stack([torch.autograd.functional.hessian(total, one) for one in dataset.x[:60].double()]).mean(0).abs()
    found = {
        name: adjusted_rand_score(labels, find_superfeatures(W.fill_diagonal_(0), 4).labels())
        for name, W in (("hessian", H), ("correlation", dataset.x.T.corrcoef().abs()))
    }
    assert found["hessian"] > 0.9 > 0.2 > found["correlation"]
