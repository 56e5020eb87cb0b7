"""The M groups are good ones: groups within groups are found at both levels, and no plainer way gives a higher modularity."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ked.communities import partition
from ked.communities.louvain import ENGINES
from ked.communities.superfeatures import _Found, _search, exactly, find_superfeatures, modularity, normalised, smallest_size
from ked.communities.yardsticks import yardsticks

engines = pytest.mark.parametrize("engine", ENGINES)


def _nested(outer: int, inner: int, size: int, seed: int = 0, middle: float = 0.3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """W of groups within groups under a random order of the features; the labels of the outer and of the inner groups."""
    generator = np.random.default_rng(seed)
    fine = generator.permutation(np.repeat(np.arange(outer * inner), size))
    coarse = fine // inner
    noise = generator.random((len(fine), len(fine)))
    W = 1.0 * (fine[:, None] == fine) + middle * noise * (coarse[:, None] == coarse) + 0.02 * noise
    return W + W.T, coarse, fine


def _groups(labels: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(np.flatnonzero(labels == one).tolist()) for one in np.unique(labels)}


def _hollow(W: np.ndarray) -> np.ndarray:
    return W - np.diag(np.diag(W))


@engines
@pytest.mark.parametrize(("outer", "inner", "size"), [(3, 4, 5), (4, 3, 3), (2, 6, 4), (5, 2, 6)])
def test_groups_within_groups_are_found_at_both_levels_without_repair(engine: str, outer: int, inner: int, size: int) -> None:
    W, coarse, fine = _nested(outer, inner, size)
    for labels in (coarse, fine):
        found = find_superfeatures(W, len(np.unique(labels)), engine)
        assert set(found.groups) == _groups(labels)
        assert found.adjusted == ""
        assert found.modularity == pytest.approx(oracles.modularity(_hollow(W), labels.tolist()))


@engines
@pytest.mark.parametrize("start", [1e-3, 0.3, 1.0, 5.0, 1e3])
def test_the_search_goes_the_right_way_from_wherever_it_starts(engine: str, start: float) -> None:
    W, coarse, fine = _nested(3, 4, 5)
    for labels in (coarse, fine):
        assert set(find_superfeatures(W, len(np.unique(labels)), engine, start=start).groups) == _groups(labels)


def test_more_groups_have_a_larger_resolution() -> None:
    W, _, _ = _nested(3, 4, 5)
    resolutions = [find_superfeatures(W, M).resolution for M in (1, 3, 12, 60)]
    assert resolutions[1] < resolutions[2] < resolutions[3]


@pytest.mark.parametrize("M", [2, 4, 5, 7, 9, 11, 14])
@pytest.mark.parametrize("middle", [0.05, 0.3, 0.6])
def test_where_the_number_jumps_over_m_the_better_of_joining_and_splitting_is_kept(
    middle: float, M: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that knows groups in groups, and nothing in between."""
    W, coarse, fine = _nested(3, 4, 5, middle=middle)
    monkeypatch.setitem(ENGINES, "two levels", lambda W: lambda resolution, seed: coarse if resolution < 3 else fine)
    links = normalised(W)
    found = find_superfeatures(W, M, "two levels")
    forced = [partition.modularity(links, exactly(links, labels, M, 1)[0]) for labels in (fine, coarse)]
    assert found.modularity == pytest.approx(max(forced))
    assert f"to get from {12 if forced[0] > forced[1] else 3} to {M}" in found.adjusted


@pytest.mark.parametrize("start", [0.05, 1.0, 20.0])
def test_a_staircase_is_climbed_to_the_step_that_is_asked_for(start: float) -> None:
    """A community more at every tenth of a unit of log resolution: each number is met, from below and from above."""
    tried: list[float] = []

    def at(resolution: float) -> _Found:
        tried.append(resolution)
        return _Found(np.arange(60) * min(60, max(1, 20 + round(10 * np.log(resolution)))) // 60, resolution, "")

    for M in range(2, 60, 3):
        tried.clear()
        (found,) = _search(M, at, start)
        assert found.count == M
        assert tried[0] == pytest.approx(start)
        assert len(tried) <= 12


def _kinds(D: int, seed: int) -> dict[str, np.ndarray]:
    """Graphs with and without structure: noise, few factors as a teacher with few classes has, blocks."""
    generator = np.random.default_rng(seed)
    factors = generator.normal(size=(4, D)) * generator.lognormal(size=D)
    block = generator.integers(4, size=D)
    return {
        "noise": generator.gamma(0.5, size=(D, D)),
        "factors": np.abs(factors.T @ factors),
        "blocks": (block[:, None] == block) + generator.random((D, D)),
    }


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(["noise", "factors", "blocks"]), M=st.integers(2, 9), seed=st.integers(0, 200),
    engine=st.sampled_from(sorted(ENGINES)),
)  # fmt: skip
def test_modularity_is_never_below_that_of_a_plain_louvain_partition_forced_to_m(kind: str, M: int, seed: int, engine: str) -> None:
    W = _kinds(18, seed)[kind]
    links = normalised(W)
    plain = partition.compact(ENGINES[engine](links)(1.0, 0))
    forced, _ = exactly(links, plain, M, smallest_size(18, M))
    found = find_superfeatures(W, M, engine)
    assert found.modularity >= oracles.modularity(links, forced.tolist()) - 1e-12
    assert found.modularity == pytest.approx(oracles.modularity(links, found.labels().tolist()))


def test_half_a_matrix_and_its_mirror_image_are_the_same_graph() -> None:
    """W need not be symmetric: what it says of (i, j) and of (j, i) is added up."""
    W = np.random.default_rng(2).gamma(0.5, size=(20, 20))
    reference = find_superfeatures(W + W.T, 4)
    for same in (W, W.T, np.triu(W + W.T, 1), np.tril(W + W.T, -1), torch.from_numpy(W)):
        found = find_superfeatures(same, 4)
        assert found.groups == reference.groups
        assert found.modularity == pytest.approx(reference.modularity)
        assert modularity(same, reference.labels()) == pytest.approx(reference.modularity)
    assert normalised(np.array([[9.0, 3.0], [1.0, 9.0]])).tolist() == [[0.0, 0.5], [0.5, 0.0]]


@pytest.mark.parametrize(
    ("features", "M", "least"),
    [(8, 2, 1), (64, 4, 1), (199, 4, 1), (200, 4, 2), (784, 4, 7), (784, 100, 7), (784, 112, 7), (784, 113, 6), (784, 784, 1)],
)
def test_the_least_size_is_a_hundredth_of_the_features_as_far_as_m_groups_allow(features: int, M: int, least: int) -> None:
    assert smallest_size(features, M) == least
    assert smallest_size(features, M, min_size=1) == 1


def test_a_speck_is_no_group_by_default_but_may_be_one() -> None:
    """Two features with a strong link, of three hundred: fewer than a hundredth."""
    W = np.full((300, 300), 0.01)
    W[:150, :150] = W[150:298, 150:298] = W[298:, 298:] = 1.0
    assert find_superfeatures(W, 3).sizes[-1] >= 3
    assert find_superfeatures(W, 3, min_size=1).sizes == (150, 148, 2)


def test_modularity_for_nothing_is_that_of_random_groups_and_of_a_search_among_shuffled_links() -> None:
    """Random groups have none, a search finds some in noise, and planted groups are far above both."""
    draw, labels = np.random.default_rng(0), np.repeat(np.arange(3), 12)
    W = draw.random((36, 36)) * np.where(labels[:, None] == labels, 5.0, 1.0)
    groups = tuple(tuple(np.flatnonzero(labels == m).tolist()) for m in range(3))
    found = yardsticks(W, groups)
    assert -1 / 35 < found.random_groups < 0.02
    assert found.random_groups < 0.05 < found.shuffled_links < modularity(W, labels.tolist()) / 2
    assert yardsticks(W, groups) == found
    assert yardsticks(W, [range(12), range(12, 36)]).shuffled_links == found.shuffled_links, "whatever the groups are"
