"""Every grouping gives exactly M groups for whatever there is to group."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ked.communities.groups import Superfeatures
from ked.communities.superfeatures import find_superfeatures, modularity
from ked.errors import InvalidInput
from ked.groupings import GROUPINGS, group

every = pytest.mark.parametrize("name", GROUPINGS)


def _graph(D: int) -> torch.Tensor:
    W = torch.rand(D, D, generator=torch.Generator().manual_seed(0)) ** 4
    return W + W.T


def _rows(N: int, D: int) -> torch.Tensor:
    return torch.rand(N, D, generator=torch.Generator().manual_seed(1))


def _group(name: str, M: int, shape: tuple[int, ...] = (6, 8), *, seed: int = 0, **given: torch.Tensor) -> Superfeatures:
    D = int(np.prod(shape))
    return group(name, W=given.get("W", _graph(D)), M=M, x=given.get("x", _rows(50, D)), shape=shape, seed=seed)


def _is_cover(found: Superfeatures, D: int, M: int) -> bool:
    members = [feature for one in found.groups for feature in one]
    return len(found.groups) == M and all(found.groups) and sorted(members) == list(range(D))


@every
@pytest.mark.parametrize("shape", [(12,), (3, 4), (3, 2, 2), (1,)])
def test_exactly_the_wanted_number_of_groups(name: str, shape: tuple[int, ...]) -> None:
    D = int(np.prod(shape))
    for M in range(1, D + 1):
        assert _is_cover(_group(name, M, shape), D, M)


UNITS = ((0, 5), (1,), (2, 3, 4, 7), (6,), (8, 9, 10), (11,))


@every
@pytest.mark.parametrize("W", [_graph(12), torch.zeros(12, 12), torch.ones(12, 12)])
def test_features_that_belong_together_are_in_one_group(name: str, W: torch.Tensor) -> None:
    for M in range(1, len(UNITS) + 1):
        found = group(name, W=W, M=M, x=_rows(50, 12), shape=(12,), seed=0, units=UNITS)
        assert _is_cover(found, 12, M)
        assert all(any(set(unit) <= set(one) for one in found.groups) for unit in UNITS)
        assert found.modularity == pytest.approx(modularity(W, found.labels()))
    with pytest.raises(InvalidInput, match="from 1 to 6, not 7"):
        group(name, W=W, M=7, x=_rows(50, 12), shape=(12,), seed=0, units=UNITS)


def test_units_are_grouped_as_the_best_division_of_them_all_is() -> None:
    W = _graph(12)
    found = group("hessian", W=W, M=2, x=_rows(50, 12), shape=(12,), seed=0, units=UNITS)
    divisions = ([bool(bits >> unit & 1) for unit in range(6)] for bits in range(1, 63))
    owner = [next(u for u, unit in enumerate(UNITS) if feature in unit) for feature in range(12)]
    best = max(modularity(W, [int(sides[u]) for u in owner]) for sides in divisions)
    assert found.modularity == pytest.approx(best)


def test_units_must_hold_each_feature_once() -> None:
    with pytest.raises(InvalidInput, match="12 features, each in one unit"):
        group("hessian", W=_graph(12), M=2, x=_rows(50, 12), shape=(12,), seed=0, units=((0, 1), (1, 2)))


@every
@pytest.mark.parametrize("rows", [torch.zeros(5, 12), torch.ones(1, 12), torch.eye(12)])
def test_degenerate_samples_and_graphs_are_grouped_too(name: str, rows: torch.Tensor) -> None:
    for W in (torch.zeros(12, 12), torch.ones(12, 12), torch.eye(12).roll(1, 0)):
        for M in (2, 5, 11):
            assert _is_cover(_group(name, M, (12,), W=W, x=rows), 12, M)


@every
def test_same_seed_same_groups(name: str) -> None:
    assert _group(name, 4, seed=3) == _group(name, 4, seed=3)


@every
def test_modularity_is_that_on_the_dependency_matrix(name: str) -> None:
    found = _group(name, 4)
    assert found.modularity == pytest.approx(modularity(_graph(48), found.labels()))


def test_hessian_is_the_community_search() -> None:
    assert _group("hessian", 4).groups == find_superfeatures(_graph(48), 4).groups


def test_random_has_the_sizes_of_hessian_and_other_features() -> None:
    assert _group("random", 5).sizes == _group("hessian", 5).sizes
    assert _group("random", 5).groups != _group("hessian", 5).groups
    assert _group("random", 5, seed=1).groups != _group("random", 5, seed=2).groups


@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (3, 9, 7), (10,)])
@pytest.mark.parametrize("M", [1, 2, 3, 4, 7, 10])
def test_grid_blocks_are_rectangles_of_about_equal_size(shape: tuple[int, ...], M: int) -> None:
    found = _group("grid", M, shape)
    assert found.sizes[0] <= 2 * found.sizes[-1] + max(shape)
    for one in found.groups:
        axes = [np.unique(axis) for axis in np.unravel_index(one, shape)]
        assert all((np.diff(axis) == 1).all() for axis in axes)
        assert np.prod([len(axis) for axis in axes]) == len(one)


def _correlated() -> torch.Tensor:
    """Features 0..5 follow one signal, 6..11 another, 12 is constant."""
    signals = _rows(200, 2)
    rows = torch.cat([signals[:, :1].expand(-1, 6), signals[:, 1:].expand(-1, 6), torch.ones(200, 1)], dim=1)
    return rows + 0.01 * _rows(200, 13) * (rows != 1)


@pytest.mark.parametrize("name", ["correlation", "kmeans"])
def test_features_that_vary_together_are_grouped_together(name: str) -> None:
    labels = _group(name, 2, (13,), x=_correlated()).labels()[:12]
    assert len(labels[:6].unique()) == len(labels[6:].unique()) == 1
    assert labels[0] != labels[6]


def test_spectral_finds_planted_blocks() -> None:
    W = torch.full((12, 12), 0.01)
    W[:6, :6] = W[6:, 6:] = 1
    assert _group("spectral", 2, (12,), W=W).groups == (tuple(range(6)), tuple(range(6, 12)))


def test_names_of_the_table_are_those_of_the_command_line() -> None:
    assert {"hessian", "random", "grid", "correlation", "kmeans", "spectral"} <= set(GROUPINGS), "recipes and addresses name them"
    assert all(key == row.name and row.label and row.description for key, row in GROUPINGS.items())


def test_wrong_input_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"'louvain'.*hessian"):
        _group("louvain", 2)
    for name in GROUPINGS:
        for M in (0, 49):
            with pytest.raises(InvalidInput, match=f"not {M}"):
                _group(name, M)
    with pytest.raises(InvalidInput, match="12 features"):
        _group("grid", 2, (12,), x=_rows(5, 11))
