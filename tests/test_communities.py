"""Communities are always a disjoint cover by exactly M groups, and find what is there to be found."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import oracles
import pandas as pd
import pytest
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ked.communities.groups import Superfeatures, align
from ked.communities.louvain import ENGINES
from ked.communities.superfeatures import find_superfeatures, modularity, normalised, resolution_sweep
from ked.errors import InvalidInput, Unavailable

engines = pytest.mark.parametrize("engine", ENGINES)


def _random_graph(D: int, seed: int = 0) -> np.ndarray:
    W = np.random.default_rng(seed).gamma(0.5, size=(D, D))
    return W + W.T


def _planted(sizes: list[int], inside: float = 1.0, outside: float = 0.05, seed: int = 0) -> tuple[np.ndarray, list[set[int]]]:
    """Blocks of these sizes under a random order of the features."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(sum(sizes))
    groups = [set(part.tolist()) for part in np.split(order, np.cumsum(sizes)[:-1])]
    W = outside * generator.random((len(order), len(order)))
    for group in groups:
        W[np.ix_(list(group), list(group))] += inside
    return W + W.T, groups


def _is_cover(found: Superfeatures, D: int, M: int) -> bool:
    members = [feature for group in found.groups for feature in group]
    return len(found.groups) == M and all(found.groups) and sorted(members) == list(range(D))


@engines
@pytest.mark.parametrize("M", range(1, 17))
def test_every_number_of_groups_is_met_exactly(engine: str, M: int) -> None:
    W = _random_graph(40)
    found = find_superfeatures(W, M, engine)
    assert _is_cover(found, 40, M)
    assert found.engine == engine
    assert found.modularity == pytest.approx(oracles.modularity(W - np.diag(np.diag(W)), found.labels().tolist()), abs=1e-9)


@engines
def test_every_number_of_groups_up_to_every_feature_by_itself(engine: str) -> None:
    for M in range(1, 12):
        assert _is_cover(find_superfeatures(_random_graph(11), M, engine), 11, M)


SMALL_GRAPHS = st.integers(1, 9).flatmap(
    lambda D: hnp.arrays(float, (D, D), elements=st.sampled_from([0.0, 1e-300, 1e-9, 0.3, 1.0, 2.5, 1e12, 1e300]))
)


@settings(max_examples=60, deadline=None)
@given(W=SMALL_GRAPHS, share=st.floats(0, 1), engine=st.sampled_from(sorted(ENGINES)), seed=st.integers(0, 3))
def test_any_matrix_gives_a_cover_with_no_group_below_the_least_size(
    W: np.ndarray, share: float, engine: str, seed: int
) -> None:
    D = len(W)
    M = 1 + round(share * (D - 1))
    found = find_superfeatures(W, M, engine, seed, min_size=D // M)
    assert _is_cover(found, D, M)
    assert min(found.sizes) >= D // M
    assert list(found.sizes) == sorted(found.sizes, reverse=True)
    assert np.isfinite([found.modularity, found.resolution]).all()
    assert found == find_superfeatures(W, M, engine, seed, min_size=D // M)


@engines
@pytest.mark.parametrize("sizes", [[10, 10, 10, 10], [20, 12, 8], [5] * 8, [30, 10]])
def test_planted_blocks_are_recovered(engine: str, sizes: list[int]) -> None:
    W, groups = _planted(sizes)
    found = find_superfeatures(W, len(sizes), engine)
    assert {frozenset(group) for group in found.groups} == {frozenset(group) for group in groups}
    assert found.adjusted == ""


def test_default_engine_is_the_compiled_one_above_128_features() -> None:
    assert find_superfeatures(_random_graph(128), 2).engine == "python-louvain"
    assert find_superfeatures(_random_graph(129), 2).engine == "scikit-network"


@engines
def test_a_matrix_without_links_is_divided_evenly_and_says_so(engine: str) -> None:
    found = find_superfeatures(np.zeros((10, 10)), 3, engine)
    assert found.sizes == (4, 3, 3)
    assert "no links" in found.adjusted
    assert found.modularity == 0


@engines
def test_one_dominant_edge_leaves_groups_of_a_decent_size(engine: str) -> None:
    W = np.zeros((300, 300))
    W[3, 200] = 1
    found = find_superfeatures(W, 4, engine)
    assert _is_cover(found, 300, 4)
    assert min(found.sizes) >= 3
    assert found.labels()[3] == found.labels()[200]
    assert found.adjusted


@engines
def test_features_without_links_do_not_make_groups_of_their_own(engine: str) -> None:
    W, _ = _planted([10, 10, 10])
    padded = np.zeros((36, 36))
    padded[:30, :30] = W
    found = find_superfeatures(padded, 3, engine)
    assert found.sizes == (16, 10, 10)
    assert "without links" in found.adjusted


@engines
def test_more_components_than_groups_are_joined_and_it_says_so(engine: str) -> None:
    W, _ = _planted([8] * 6, outside=0.0)
    found = find_superfeatures(W, 4, engine)
    assert sorted(found.sizes) == [8, 8, 16, 16]
    assert "from 6 to 4" in found.adjusted


@engines
def test_a_graph_without_structure_is_split_and_it_says_so(engine: str) -> None:
    found = find_superfeatures(np.ones((24, 24)), 5, engine)
    assert _is_cover(found, 24, 5)
    assert "to 5" in found.adjusted


def test_no_group_is_smaller_than_one_percent_of_the_features() -> None:
    W, _ = _planted([150, 100, 48, 2], outside=0.001)
    for M in (2, 3, 4, 5, 8):
        assert min(find_superfeatures(W, M).sizes) >= 3


@engines
def test_same_seed_same_groups(engine: str) -> None:
    W = _random_graph(60)
    runs = [find_superfeatures(W, 5, engine, seed) for seed in (0, 0, 1, 2, 3, 4)]
    assert runs[0] == runs[1]
    assert len({run.groups for run in runs}) > 1  # the seed does reach the engine


def test_torch_and_numpy_and_any_scale_give_the_same_groups() -> None:
    W = _random_graph(30)
    reference = find_superfeatures(W, 4)
    assert find_superfeatures(torch.from_numpy(W), 4) == reference
    for scale in (1e-30, 1e30):
        assert find_superfeatures(W * scale, 4).groups == reference.groups


def test_inputs_are_left_as_they_are() -> None:
    W = torch.from_numpy(_random_graph(12))
    before = W.clone()
    find_superfeatures(W, 3)
    modularity(W, [0] * 12)
    assert torch.equal(W, before)


@engines
def test_a_larger_resolution_gives_more_communities(engine: str) -> None:
    W, _ = _planted([12] * 4, outside=0.3)
    counts = [count for _, count, _ in resolution_sweep(W, [0.05, 0.2, 1.0, 4.0, 30.0], engine)]
    assert counts == sorted(counts)
    assert counts[0] == 1
    assert counts[2] == 4
    assert counts[-1] > 12


@engines
def test_sweep_reports_the_modularity_at_resolution_one(engine: str) -> None:
    W, groups = _planted([12, 12])
    labels = [0 if feature in groups[0] else 1 for feature in range(24)]
    (step,) = resolution_sweep(W, [1.0], engine)
    assert step == (1.0, 2, pytest.approx(oracles.modularity(W - np.diag(np.diag(W)), labels)))


@pytest.mark.parametrize("resolution", [0.5, 1.0, 2.0])
def test_modularity_agrees_with_networkx(resolution: float) -> None:
    W = _random_graph(15)
    np.fill_diagonal(W, 0)
    labels = np.random.default_rng(1).integers(0, 4, 15).tolist()
    assert modularity(W, torch.tensor(labels), resolution) == pytest.approx(oracles.modularity(W, labels, resolution))


def test_align_restores_the_colours_of_shuffled_groups() -> None:
    found = find_superfeatures(_random_graph(40), 5)
    shuffled = Superfeatures(found.groups[::-1], found.modularity, found.resolution, found.engine)
    assert align(found, shuffled).groups == found.groups


def test_align_matches_by_overlap_also_where_the_numbers_differ() -> None:
    three = Superfeatures(((0, 1, 2, 3), (4, 5, 6), (7, 8)), 0.0, 1.0, "")
    four = Superfeatures(((7,), (8,), (0, 1, 2), (3, 4, 5, 6)), 0.0, 1.0, "")
    assert align(three, four).groups == ((0, 1, 2), (3, 4, 5, 6), (7,), (8,))
    assert align(four, three).groups == ((7, 8), (0, 1, 2, 3), (4, 5, 6))
    with pytest.raises(InvalidInput, match="9 features"):
        align(three, Superfeatures(((0, 1),), 0.0, 1.0, ""))


def test_superfeatures_survive_json() -> None:
    found = find_superfeatures(_random_graph(20), 3)
    assert Superfeatures.from_json(found.to_json()) == found
    assert set(json.loads(found.to_json())) == {"groups", "modularity", "resolution", "engine", "adjusted"}


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"groups": 3}', '{"groups": [[0], [0]]}', '{"groups": [["x"]]}'])
def test_damaged_json_is_one_sentence(text: str) -> None:
    with pytest.raises(Unavailable, match="damaged"):
        Superfeatures.from_json(text)


@pytest.mark.parametrize("groups", ["0,1", [["a"], ["b"]], [[0.0, 1.5], [2.0]]])
def test_groups_of_something_else_than_numbers_of_features_are_refused_and_never_rounded(groups: Any) -> None:
    with pytest.raises(InvalidInput, match="numbers of features, from 0"):
        Superfeatures.checked(groups)


@pytest.mark.parametrize("groups", [(), ((),), ((0, 1), (1, 2)), ((0,), (2,)), ((0, 1), ())])
def test_groups_that_are_no_disjoint_cover_cannot_exist(groups: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(InvalidInput, match="disjoint cover"):
        Superfeatures(groups, 0.0, 1.0, "")


@pytest.mark.parametrize(
    ("W", "M", "options", "named"),
    [
        (np.ones((4, 4)), 0, {}, "not 0"),
        (np.ones((4, 4)), 5, {}, "1 to 4, not 5"),
        (np.ones((4, 4)), 2.0, {}, r"not 2\.0"),
        (np.ones((4, 3)), 2, {}, r"\(4, 3\)"),
        (np.ones(4), 2, {}, r"\(4,\)"),
        (np.full((4, 4), "a", object), 2, {}, "numbers, not ndarray"),
        ({"a": 1}, 2, {}, "numbers, not dict"),
        (np.full((4, 4), np.nan), 2, {}, "finite"),
        (np.full((4, 4), np.inf), 2, {}, "finite"),
        (-np.ones((4, 4)), 2, {}, "not negative"),
        (np.ones((4, 4)), 2, {"engine": "leiden"}, "leiden"),
        (np.ones((4, 4)), 2, {"min_size": 3}, "not 3"),
        (np.ones((4, 4)), 2, {"min_size": 0}, "not 0"),
    ],
)
def test_wrong_input_is_refused(W: np.ndarray, M: int, options: dict, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        find_superfeatures(W, M, **options)


def test_a_matrix_is_the_same_in_every_form() -> None:
    W = np.kron(np.eye(2), np.ones((3, 3)))
    for form in (W.tolist(), W.astype(object), pd.DataFrame(W), scipy.sparse.csr_matrix(W), torch.tensor(W).to_sparse()):
        assert find_superfeatures(form, 2).groups == ((0, 1, 2), (3, 4, 5))


def test_wrong_labels_and_resolutions_are_refused() -> None:
    with pytest.raises(InvalidInput, match="one label"):
        modularity(np.ones((3, 3)), [0, 1])
    with pytest.raises(InvalidInput, match="resolution"):
        resolution_sweep(np.ones((3, 3)), [0.0])


def test_the_resolution_that_is_tried_first_is_the_one_that_is_given() -> None:
    W = torch.rand(40, 40, generator=torch.Generator().manual_seed(5))
    found = find_superfeatures(W, 3, "scikit-network")
    again = find_superfeatures(W, 3, "scikit-network", start=found.resolution)
    assert (again.groups, again.resolution) == (found.groups, found.resolution)
    for wrong in (0.0, float("inf"), float("nan")):
        with pytest.raises(InvalidInput, match="positive number"):
            find_superfeatures(W, 3, start=wrong)


def test_a_matrix_that_is_not_symmetric_counts_each_link_both_ways() -> None:
    W = np.triu(np.random.default_rng(3).random((12, 12)), 1)
    np.testing.assert_allclose(normalised(W), normalised(W.T))
    np.testing.assert_allclose(normalised(W), normalised(W + W.T))
    one, both = (find_superfeatures(torch.from_numpy(matrix), 3) for matrix in (W, W + W.T))
    assert one == both
