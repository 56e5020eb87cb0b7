"""Ways to group D features into M superfeatures: the paper's, and the controls that show whether it matters.

A grouping takes what is known before the explaining nets are trained and gives a disjoint cover by exactly M groups. The
modularity in the result is always that on the teacher's dependency matrix W, so that groupings can be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ked.communities.groups import Superfeatures
from ked.communities.superfeatures import exactly, find_superfeatures, from_labels, smallest_size
from ked.communities.units import Units, contracted, expanded, membership
from ked.errors import InvalidInput, quoted

if TYPE_CHECKING:
    from torch import Tensor

_ROWS = 1000  # training samples that the k-means grouping looks at
_LEAST_LINK = 1e-6  # of the mean link, added for the spectral grouping: its graph must be connected


@dataclass(frozen=True)
class Inputs:
    """What a grouping may look at; see `group`."""

    W: np.ndarray
    M: int
    x: np.ndarray
    shape: tuple[int, ...]
    seed: int
    engine: str | None
    units: Units = ()

    @property
    def features(self) -> int:
        """D, or the number of units."""
        return len(self.W)


@dataclass(frozen=True)
class Grouping:
    """One row of the table of groupings."""

    name: str
    label: str
    description: str
    find: Callable[[Inputs], Superfeatures]


def group(
    name: str,
    *,
    W: Tensor | np.ndarray,
    M: int,
    x: Tensor,
    shape: tuple[int, ...],
    seed: int,
    engine: str | None = None,
    units: Units = (),
) -> Superfeatures:
    """M superfeatures found in the named way, the largest first.

    W: (D, D) dependency matrix.  M: 1..D.  x: (N, D) training samples, finite.  shape: how one sample is laid out.
    seed: the same gives the same groups.  engine: of the community search, see `ked.communities.louvain`.
    units: features that stay in one superfeature, as groups that hold each feature once; empty where each stands for itself.
    Raises InvalidInput for an unknown grouping, or values that do not fit together.
    """
    if name not in GROUPINGS:
        raise InvalidInput(f"There is no grouping {quoted(name)}; choose one of {', '.join(GROUPINGS)}.")
    links, samples = contracted(W, units), x.detach().cpu().numpy()
    smallest_size(len(links), M)
    if samples.ndim != 2 or samples.shape[1] != len(W) or int(np.prod(shape)) != len(W):
        raise InvalidInput(f"W has {len(W)} features, but the samples have shape {samples.shape} and layout {shape}.")
    laid_out = (len(units),) if units else tuple(shape)
    return expanded(GROUPINGS[name].find(Inputs(links, M, samples, laid_out, seed, engine, units)), W, units)


def blocks(height: int, width: int, M: int) -> np.ndarray:
    """A height x width picture cut into M rectangles of about equal area: bands of rows, each cut into columns."""
    bands = int(np.clip(round((M * height / width) ** 0.5), -(-M // width), min(M, height)))
    counts = [len(part) for part in np.array_split(np.arange(M), bands)]
    heights = np.ones(bands, dtype=int)
    for _ in range(height - bands):  # each further row goes to the band whose blocks are the smallest
        heights[np.argmax(np.array(counts) / heights)] += 1
    labels, first = np.empty((height, width), dtype=int), 0
    for top, tall, count in zip(np.cumsum(heights) - heights, heights, counts, strict=True):
        labels[top : top + tall] = first + np.arange(width) * count // width
        first += count
    return labels


def _hessian(given: Inputs) -> Superfeatures:
    return find_superfeatures(given.W, given.M, given.engine, given.seed)


def _random(given: Inputs) -> Superfeatures:
    """The hessian grouping's sizes, filled with features drawn by lot."""
    sizes = _hessian(given).sizes
    labels = np.repeat(np.arange(given.M), sizes)
    return _named(given, np.random.default_rng(given.seed).permutation(labels), "random")


def _grid(given: Inputs) -> Superfeatures:
    """Blocks of neighbouring pixels of about equal size, through all channels; for a table, runs of columns."""
    height, width = given.shape[-2:] if len(given.shape) >= 2 else (1, given.features)
    if height * width < given.M:  # more groups than pixels: cut through the channels
        height, width = 1, given.features
    cut = blocks(height, width, given.M).ravel()
    return _named(given, np.tile(cut, given.features // len(cut)), "grid")


def _correlation(given: Inputs) -> Superfeatures:
    """Communities of |correlation| of the training features; a constant feature has no links."""
    centred, lengths = _centred(given.x)
    links = contracted(np.abs(centred.T @ centred) / np.outer(lengths, lengths), given.units)
    found = find_superfeatures(links, given.M, given.engine, given.seed)
    return replace(found, modularity=_named(given, found.labels().numpy(), "").modularity)


def _kmeans(given: Inputs) -> Superfeatures:
    """k-means over the features, each a point whose coordinates are its standardised training values; a unit goes with most of its own."""
    from sklearn.cluster import KMeans

    rows = np.random.default_rng(given.seed).permutation(len(given.x))[:_ROWS]
    centred, lengths = _centred(given.x[np.sort(rows)])
    points = (centred / lengths).T
    distinct = len(np.unique(points, axis=0))  # constant features, for one, are all the same point
    labels = KMeans(min(given.M, distinct), n_init=4, random_state=given.seed).fit_predict(points)
    if given.units:
        labels = (membership(given.units, len(labels)).T @ np.eye(given.M)[labels]).argmax(axis=1)
    return _repaired(given, labels, "k-means")


def _spectral(given: Inputs) -> Superfeatures:
    """Spectral clustering of the graph of W (Ng, Jordan and Weiss 2002)."""
    from sklearn.cluster import SpectralClustering

    if given.M in (1, given.features):  # nothing to cluster, and its eigenvalue solver refuses
        return _repaired(given, np.arange(given.features) * given.M // given.features, "spectral")
    links = given.W + _LEAST_LINK * max(given.W.mean(), 1 / given.features**2)
    clustering = SpectralClustering(given.M, affinity="precomputed", assign_labels="cluster_qr", random_state=given.seed)
    return _repaired(given, clustering.fit_predict(links), "spectral")


def _named(given: Inputs, labels: np.ndarray, engine: str, adjusted: str = "") -> Superfeatures:
    return from_labels(given.W, labels, 1.0, engine, adjusted)


def _repaired(given: Inputs, labels: np.ndarray, engine: str) -> Superfeatures:
    """A clustering that may have too few or too small groups, made into M of the same least size as the communities."""
    labels, adjusted = exactly(given.W, labels, given.M, smallest_size(given.features, given.M))
    return _named(given, labels, engine, adjusted)


def _centred(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns with mean 0, and their lengths (D,); a constant column becomes exactly zero and gets the length 1."""
    centred = x - x.mean(axis=0)
    centred[:, x.min(axis=0) == x.max(axis=0)] = 0  # without what rounding leaves
    lengths = np.linalg.norm(centred, axis=0)
    return centred, np.where(lengths > 0, lengths, 1.0)


GROUPINGS: dict[str, Grouping] = {
    grouping.name: grouping
    for grouping in (
        Grouping(
            "hessian",
            "Dependency (Hessian)",
            "Communities of the teacher's dependency matrix: the paper's way.",
            _hessian,
        ),
        Grouping(
            "random",
            "Random",
            "Features drawn by lot, in groups of the same sizes as the dependency groups.",
            _random,
        ),
        Grouping("grid", "Grid", "Blocks of neighbouring pixels or columns, blind to teacher and data.", _grid),
        Grouping(
            "correlation",
            "Correlation",
            "Communities of features that vary together in the training data.",
            _correlation,
        ),
        Grouping("kmeans", "k-means", "Features whose values over the training samples are alike.", _kmeans),
        Grouping("spectral", "Spectral", "Spectral clustering of the teacher's dependency matrix.", _spectral),
    )
}
