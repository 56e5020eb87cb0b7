"""Joins, splits and fills of groups against trying everything, on graphs of eight nodes or so."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import oracles
import pytest

from ked.communities import partition
from ked.communities.superfeatures import normalised

SEEDS = range(12)


def _graph(seed: int, D: int = 8) -> np.ndarray:
    """A dense random graph whose strengths differ widely, so that degrees matter, of total weight one."""
    generator = np.random.default_rng(seed)
    strength = generator.lognormal(sigma=0.8, size=D)
    return normalised(generator.gamma(0.5, size=(D, D)) * np.outer(strength, strength))


def _labels(seed: int, K: int, D: int = 8) -> np.ndarray:
    """K groups of D nodes, none of them empty."""
    generator = np.random.default_rng(100 + seed)
    return generator.permutation(np.concatenate([np.arange(K), generator.integers(K, size=D - K)]))


def _joined(labels: np.ndarray, a: int, b: int) -> np.ndarray:
    return np.where(labels == a, b, labels)


def _bisections(labels: np.ndarray, group: int) -> Iterator[np.ndarray]:
    """The partition with that group cut in two, in every way."""
    members = np.flatnonzero(labels == group)
    for count in range(1, len(members) // 2 + 1):
        for part in combinations(members, count):
            cut = labels.copy()
            cut[list(part)] = labels.max() + 1
            yield cut


def _q(W: np.ndarray, labels: np.ndarray) -> float:
    return oracles.modularity(W, labels.tolist())


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two labellings are one partition."""
    return bool(((a[:, None] == a) == (b[:, None] == b)).all())


@pytest.mark.parametrize("seed", SEEDS)
def test_joining_takes_the_pair_that_loses_least_again_and_again(seed: int) -> None:
    W, labels = _graph(seed), _labels(seed, 6)
    for K in range(5, 0, -1):
        best = max((_joined(labels, a, b) for a, b in combinations(np.unique(labels), 2)), key=lambda one: _q(W, one))
        assert _same(partition.merge_to(W, labels, K), best)
        labels = best


@pytest.mark.parametrize("seed", SEEDS)
def test_a_small_group_joins_the_one_where_that_gains_most(seed: int) -> None:
    W = _graph(seed, 9)
    labels = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4])  # one group of a single node
    found, joined = partition.merge_small(W, labels, 2, linkless_too=False)
    assert joined == 1
    assert _same(found, max((_joined(labels, 4, b) for b in range(4)), key=lambda one: _q(W, one)))


def test_small_groups_join_the_smallest_first_and_nothing_else_does() -> None:
    W = np.zeros((9, 9))  # no join is better than another, so the smallest groups come together
    found, joined = partition.merge_small(W, np.array([0, 1, 1, 2, 2, 2, 2, 2, 2]), 3, linkless_too=False)
    assert joined == 1  # the single joins the pair, which makes three: no group is small any more
    assert sorted(np.bincount(found)) == [3, 6]


def test_a_group_without_links_joins_whatever_its_size_only_where_that_is_asked() -> None:
    W = np.zeros((9, 9))
    W[:3, :3] = W[3:6, 3:6] = 1
    labels = np.repeat([0, 1, 2], 3)
    assert partition.merge_small(normalised(W), labels, 2, linkless_too=False)[1] == 0
    found, joined = partition.merge_small(normalised(W), labels, 2, linkless_too=True)
    assert joined == 1
    assert sorted(np.bincount(found)) == [3, 6]


def _blocks(sizes: list[int], noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Blocks of strong links in random order, with noise everywhere."""
    generator = np.random.default_rng(seed)
    block = generator.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return normalised((block[:, None] == block) + noise * generator.random((len(block), len(block)))), block


@pytest.mark.parametrize("seed", SEEDS)
def test_a_split_of_two_blocks_is_the_best_of_all_bisections(seed: int) -> None:
    """Of the group alone, and within a graph where it has links to others."""
    for sizes in ([4, 4], [3, 5], [4, 4, 4]):
        W, block = _blocks(sizes, 0.8, seed)
        labels = np.where(block == 2, 1, 0)
        group = int(np.bincount(labels).argmax())
        best = max(_bisections(labels, group), key=lambda one: _q(W, one))
        assert _same(partition.split_to(W, labels, int(labels.max()) + 2, 1), best)


def test_a_split_comes_close_to_the_best_bisection_where_there_are_no_blocks() -> None:
    """Eight of twelve nodes: on average it gains more than nine tenths of what there is between the worst and the best cut."""
    shares = []
    for seed in range(25):
        W, labels = _graph(seed, 12), np.repeat([0, 1], [8, 4])
        all_cuts = [partition.modularity(W, cut) for cut in _bisections(labels, 0)]
        found = _q(W, partition.split_to(W, labels, 3, 1))
        shares.append((found - min(all_cuts)) / (max(all_cuts) - min(all_cuts)))
    assert np.mean(shares) > 0.9
    assert max(shares) <= 1 + 1e-9


def test_it_is_the_largest_group_that_is_split_into_parts_of_the_least_size() -> None:
    W, labels = _graph(1, 12), np.repeat([0, 1, 2], [3, 7, 2])
    once = partition.split_to(W, labels, 4, 1)
    assert all(_same(once[labels == one], labels[labels == one]) for one in (0, 2))
    assert len(set(once[labels == 1])) == 2
    for least in (1, 2, 3):
        parts = np.bincount(partition.split_to(W, labels, 4, least))
        assert sorted(parts[[1, 3]])[0] >= least


def test_a_group_that_gains_from_no_cut_is_halved() -> None:
    """Without any links its eigenvector has one sign, or none."""
    assert sorted(np.bincount(partition.split_to(np.zeros((8, 8)), np.zeros(8, dtype=int), 2, 1))) == [4, 4]


@pytest.mark.parametrize("seed", SEEDS)
def test_filling_moves_the_feature_that_fits_best(seed: int) -> None:
    W, labels = _graph(seed), np.array([0, 1, 1, 1, 2, 2, 2, 2])
    trials = []
    for feature in range(1, 8):
        trial = labels.copy()
        trial[feature] = 0
        trials.append(trial)
    found, moved = partition.fill(W, labels, 2)
    assert moved == 1
    assert _same(found, max(trials, key=lambda one: _q(W, one)))


def test_filling_takes_from_no_group_that_would_be_too_small_afterwards() -> None:
    W = np.zeros((6, 6))
    W[0, 1] = W[0, 2] = 1  # what fits best is in a group of the least size
    found, moved = partition.fill(normalised(W), np.array([0, 1, 1, 2, 2, 2]), 2)
    assert moved == 1
    assert sorted(np.bincount(found)) == [2, 2, 2]
    assert found[1] == found[2]


@pytest.mark.parametrize("seed", SEEDS)
def test_gains_of_moves_are_differences_of_modularity(seed: int) -> None:
    W, labels = _graph(seed), _labels(seed, 3)
    gains = partition._gain_of_moving(W, labels, W.sum(axis=1), 1)
    for feature in np.flatnonzero(labels != 1):
        moved = labels.copy()
        moved[feature] = 1
        assert 2 * gains[feature] == pytest.approx(_q(W, moved) - _q(W, labels), abs=1e-12)
