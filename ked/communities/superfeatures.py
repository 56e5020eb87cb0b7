"""From a dependency matrix W and a wanted number M to exactly M superfeatures: disjoint groups that cover all features.

Louvain on the weighted graph of W (arXiv 2310.02572, 0803.0476). The resolution is bracketed and bisected until there are M
communities; where their number jumps over M, groups are joined or split, and the result says so. So it does where joining or
splitting the communities at resolution 1 gives better groups, as modularity is told at that resolution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from ked.communities import partition
from ked.communities.groups import Superfeatures
from ked.communities.louvain import ENGINES, Cluster, default_engine, thinning
from ked.errors import InvalidInput

if TYPE_CHECKING:
    from torch import Tensor

_CALLS = 14  # of the engine, at most, in one search; each takes some 0.06 s on a dense graph of 784 features
_FINEST = 1e-3  # bracket, in log resolution, below which a jump is taken for a jump
_FARTHEST = 30.0  # log resolution at which every link counts for nothing, or everything


@dataclass(frozen=True, eq=False)
class _Found:
    """Communities of a size that counts, and what it took to get them."""

    labels: np.ndarray
    resolution: float
    note: str

    @property
    def count(self) -> int:
        return int(self.labels.max()) + 1


def find_superfeatures(
    W: Tensor | np.ndarray,
    M: int,
    engine: str | None = None,
    seed: int = 0,
    *,
    min_size: int | None = None,
    start: float = 1.0,
) -> Superfeatures:
    """Exactly M communities of the graph with weights W, the largest first.

    Louvain's method (arXiv 0803.0476) at the resolution g that gives M groups: they raise the modularity
    Q = 1/(2m) sum_ij (W_ij - g k_i k_j / 2m) [i and j in one group], with k_i = sum_j W_ij and 2m = sum_i k_i.

    W: (D, D), finite, >= 0; the diagonal is ignored and W + W' is used.  M: 1..D.
    engine: 'python-louvain' or 'scikit-network'; by default the first up to 128 features.
    min_size: no group is smaller; 1..D // M, by default 1 % of D. Features without links join other groups.
    start: the resolution that is tried first; that of a graph much like this one saves most of the search.
    The same seed gives the same result.  Raises InvalidInput for a value outside these limits.

    Examples:
        >>> import numpy as np
        >>> W = np.kron(np.eye(2), np.ones((3, 3)))  # two triangles without a link between them
        >>> found = find_superfeatures(W, 2)
        >>> found.groups, round(found.modularity, 3), found.adjusted
        (((0, 1, 2), (3, 4, 5)), 0.5, '')
    """
    if not 0 < start < math.inf:
        raise InvalidInput(f"A resolution must be a positive number, not {start}.")
    links = normalised(W)
    name = checked_engine(engine, len(links))
    least = smallest_size(len(links), M, min_size)
    obvious = _obvious(links, M)
    if obvious is not None:
        candidates, thinned = [obvious], ""
    else:
        at = cache(_large_enough(links, M, ENGINES[name](links), seed, least))
        candidates, thinned = [*_search(M, at, start), at(1.0)], thinning(name, len(links))
    made = [(found, *exactly(links, found.labels, M, least)) for found in dict.fromkeys(candidates)]
    found, labels, note = max(made, key=lambda one: partition.modularity(links, one[1]))
    return from_labels(links, labels, found.resolution, name, "; ".join(filter(None, (thinned, found.note, note))))


def resolution_sweep(
    W: Tensor | np.ndarray, resolutions: Iterable[float], engine: str | None = None, seed: int = 0
) -> list[tuple[float, int, float]]:
    """(resolution, number of communities, their modularity at resolution 1) as the engine finds them, nothing adjusted.

    W, engine, seed: as in `find_superfeatures`.  Raises InvalidInput for a resolution that is not positive.

    Examples:
        >>> import numpy as np
        >>> W = np.kron(np.eye(2), np.ones((3, 3)))
        >>> [count for _, count, _ in resolution_sweep(W, [1.0, 50.0])]  # a larger resolution gives more groups
        [2, 6]
    """
    links = normalised(W)
    cluster = ENGINES[checked_engine(engine, len(links))](links) if links.any() else _singletons(len(links))
    steps = []
    for resolution in resolutions:
        if not 0 < resolution < math.inf:
            raise InvalidInput(f"A resolution must be a positive number, not {resolution}.")
        labels = partition.compact(cluster(resolution, seed))
        steps.append((float(resolution), int(labels.max()) + 1, partition.modularity(links, labels)))
    return steps


def modularity(W: Tensor | np.ndarray, labels: Tensor | Sequence[int], resolution: float = 1.0) -> float:
    """Modularity of a partition on the graph of W (arXiv cond-mat/0603718); 0 for a graph without links.

    W: as in `find_superfeatures`.  labels: (D,) the group of each feature.  Raises InvalidInput if their lengths differ.

    Examples:
        >>> import numpy as np
        >>> W = np.kron(np.eye(2), np.ones((3, 3)))
        >>> round(modularity(W, [0, 0, 0, 1, 1, 1]), 3), modularity(W, [0] * 6)
        (0.5, 0.0)
    """
    import torch

    links, given = normalised(W), torch.as_tensor(labels).cpu().numpy()
    if given.shape != links.shape[:1]:
        raise InvalidInput(
            f"There must be one label for each of the {len(links)} features, not labels of shape {given.shape}."
        )
    return partition.modularity(links, partition.compact(given), resolution)


def normalised(W: Tensor | np.ndarray) -> np.ndarray:
    """W as float64 on the CPU: symmetric, empty diagonal, sum 1 (or all zero); InvalidInput where it is no graph."""
    import torch

    if isinstance(W, torch.Tensor):
        links = W.detach().to_dense().cpu().double().numpy().copy()
    else:
        try:
            links = np.array(W.toarray() if hasattr(W, "toarray") else W, np.float64)  # of scipy's sparse matrices
        except (TypeError, ValueError) as error:
            raise InvalidInput(f"The dependency matrix must be a tensor or an array of numbers, not {type(W).__name__}.") from error
    if links.ndim != 2 or links.shape[0] != links.shape[1] or not len(links):
        raise InvalidInput(f"The dependency matrix must be square, not of shape {links.shape}.")
    if not np.isfinite(links).all() or (links < 0).any():
        raise InvalidInput("The dependency matrix must hold finite numbers that are not negative.")
    np.fill_diagonal(links, 0)
    links /= links.max() or 1  # first, so that the sum of huge or tiny numbers stays a number
    links += links.T.copy()
    return links / (links.sum() or 1)


def checked_engine(engine: str | None, features: int) -> str:
    """The name of the engine to use; InvalidInput if there is none of that name."""
    if engine is not None and engine not in ENGINES:
        raise InvalidInput(f"There is no engine '{engine}'; choose one of {', '.join(ENGINES)}.")
    return engine or default_engine(features)


def smallest_size(features: int, M: int, min_size: int | None = None) -> int:
    """The smallest number of features a group may have; InvalidInput if M or min_size is impossible."""
    if isinstance(M, bool) or not isinstance(M, Integral) or not 1 <= M <= features:
        raise InvalidInput(f"The number of superfeatures must be a whole number from 1 to {features}, not {M}.")
    if min_size is None:
        return min(max(1, features // 100), features // M)
    if not 1 <= min_size <= features // M:
        raise InvalidInput(
            f"The smallest size of {M} groups of {features} features must be 1 to {features // M}, not {min_size}."
        )
    return min_size


def exactly(W: np.ndarray, labels: np.ndarray, M: int, min_size: int) -> tuple[np.ndarray, str]:
    """Any partition made into M groups of at least min_size features, and what was done, in words.

    W: from `normalised`.  Too many groups are joined, too few split (see `ked.communities.partition`), small ones filled up.
    """
    labels, notes = partition.compact(labels), []
    K = int(labels.max()) + 1
    if K > M:
        labels = partition.merge_to(W, labels, M)
        notes.append(f"{_count(K - M, 'pair')} of groups whose union loses least modularity joined to get from {K} to {M}")
    if K < M:
        labels = partition.split_to(W, labels, M, min_size)
        notes.append(f"the largest group split {_count(M - K, 'time')} to get from {K} to {M}")
    labels, moved = partition.fill(W, labels, min_size)
    if moved:
        notes.append(f"{_count(moved, 'feature')} moved so that no group has fewer than {min_size}")
    return labels, "; ".join(notes)


def from_labels(W: np.ndarray, labels: np.ndarray, resolution: float, engine: str, adjusted: str) -> Superfeatures:
    """Superfeatures from the label of each feature, the largest group first, ties by the smallest feature."""
    labels = partition.compact(labels)
    groups = [tuple(np.flatnonzero(labels == m).tolist()) for m in range(int(labels.max()) + 1)]
    groups.sort(key=lambda group: (-len(group), group[0]))
    return Superfeatures(tuple(groups), partition.modularity(W, labels), resolution, engine, adjusted)


def _obvious(W: np.ndarray, M: int) -> _Found | None:
    """The answer where there is nothing to search: one group, every feature by itself, or no links."""
    D, degrees = len(W), W.sum(axis=1)
    if M == 1:
        return _Found(np.zeros(D, dtype=int), 0.0, "")
    if M == D:  # above this resolution no pair gains by joining
        pairs = np.outer(degrees, degrees)
        return _Found(np.arange(D), float(np.max(W[pairs > 0] / pairs[pairs > 0], initial=1.0)), "")
    if not W.any():
        return _Found(
            np.arange(D) * M // D,
            1.0,
            "there are no links, so the features were divided evenly in their order",
        )
    return None


def _search(M: int, at: Callable[[float], _Found], start: float) -> list[_Found]:
    """Communities whose number is M; or else those with the nearest numbers above and below, as far as there are any."""
    below: _Found | None = None
    above: _Found | None = None
    low, high, log_resolution, step = -math.inf, math.inf, math.log(start), math.log(2)
    for _ in range(_CALLS):
        found = at(math.exp(log_resolution))
        if found.count == M:
            return [found]
        if found.count < M:
            low, below = log_resolution, max(below or found, found, key=lambda f: f.count)
            log_resolution += step
        else:
            high, above = log_resolution, min(above or found, found, key=lambda f: f.count)
            log_resolution -= step
        step *= 2
        if math.isfinite(high - low):
            log_resolution = (low + high) / 2
        if abs(high - low) < _FINEST or abs(log_resolution) > _FARTHEST:
            break
    return [found for found in (above, below) if found is not None]


def _large_enough(W: np.ndarray, M: int, cluster: Cluster, seed: int, min_size: int) -> Callable[[float], _Found]:
    """The engine's communities at a resolution, those too small or without links joined to others before they count."""
    linked = int((W.sum(axis=1) > 0).sum())
    enough = linked >= M * min_size  # else features without links must make groups of their own

    def at(resolution: float) -> _Found:
        labels, joined = partition.merge_small(W, cluster(resolution, seed), min_size, linkless_too=enough)
        note = f"{_count(joined, 'group')} too small or without links joined to others" if joined else ""
        return _Found(labels, resolution, note)

    return at


def _singletons(features: int) -> Cluster:
    return lambda resolution, seed: np.arange(features)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
