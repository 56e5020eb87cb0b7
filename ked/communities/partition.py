"""Repairs of a partition of the features: join, split and fill groups until their number and sizes are as asked.

Everywhere W (D, D) is symmetric with an empty diagonal and, unless it has no links at all, adds up to one; labels (D,) are
the groups' numbers 0..K-1. Gains and losses are those of modularity at resolution 1. Nothing here is random.
"""

from __future__ import annotations

import numpy as np

_TIE = 1e-15  # gains that differ by less are the same, but for rounding


def compact(labels: np.ndarray) -> np.ndarray:
    """The same partition with its groups numbered 0..K-1."""
    compacted: np.ndarray = np.unique(labels, return_inverse=True)[1]
    return compacted


def between(W: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Weight of the links between each pair of groups, (K, K); the diagonal counts each inner link twice."""
    member = np.eye(labels.max() + 1)[labels]
    links: np.ndarray = member.T @ (W @ member)
    return links


def modularity(W: np.ndarray, labels: np.ndarray, resolution: float = 1.0) -> float:
    """Share of links inside groups minus `resolution` times what the degrees alone would give; 0 where there are no links."""
    E = between(W, labels)
    total = E.sum()
    return float(np.trace(E) / total - resolution * np.square(E.sum(axis=1) / total).sum()) if total > 0 else 0.0


def merge_small(W: np.ndarray, labels: np.ndarray, min_size: int, *, linkless_too: bool) -> tuple[np.ndarray, int]:
    """Join every group below min_size, the smallest first, with the one where that gains most; ties: with the smallest.

    linkless_too: also join groups that have no links to anything, whatever their size.
    Returns the labels and how many groups were joined to others.
    """
    merger = _Merger(W, labels)
    while merger.count > 1:
        small = merger.alive & ((merger.sizes < min_size) | (linkless_too & (merger.degrees <= 0)))
        if not small.any():
            break
        a = int(np.argmin(np.where(small, merger.sizes, np.inf)))
        gains = np.where(merger.alive, merger.links[a] - merger.degrees[a] * merger.degrees, -np.inf)
        gains[a] = -np.inf
        best = gains >= gains.max() - _TIE
        merger.join(a, int(np.argmin(np.where(best, merger.sizes, np.inf))))
    return merger.labels(), merger.joins


def merge_to(W: np.ndarray, labels: np.ndarray, M: int) -> np.ndarray:
    """Join the pair of groups that loses least modularity, until only M are left; ties: the smallest pair."""
    merger = _Merger(W, labels)
    while merger.count > M:
        alive = np.flatnonzero(merger.alive)
        degrees = merger.degrees[alive]
        gains = merger.links[np.ix_(alive, alive)] - np.outer(degrees, degrees)
        np.fill_diagonal(gains, -np.inf)
        union = np.add.outer(merger.sizes[alive], merger.sizes[alive])
        best = np.where(gains >= gains.max() - _TIE, union, np.inf)
        a, b = np.unravel_index(int(best.argmin()), best.shape)
        merger.join(int(alive[a]), int(alive[b]))
    return merger.labels()


def split_to(W: np.ndarray, labels: np.ndarray, M: int, min_size: int) -> np.ndarray:
    """Split the largest group along the leading eigenvector of its modularity matrix, until there are M.

    The cut is at the eigenvector's change of sign (Newman, arXiv physics/0602124), moved so that both halves have min_size
    features where that is possible.
    """
    labels, degrees = labels.copy(), W.sum(axis=1)
    for new in range(int(labels.max()) + 1, M):
        group = np.flatnonzero(labels == np.bincount(labels).argmax())
        vector = _leading_eigenvector(W, degrees, group)
        order, negative = np.argsort(vector, kind="stable"), int((vector < 0).sum())
        least = min(min_size, len(group) // 2)
        cut = len(group) // 2 if negative in (0, len(group)) else negative
        labels[group[order[: min(max(cut, least), len(group) - least)]]] = new
    return labels


def fill(W: np.ndarray, labels: np.ndarray, min_size: int) -> tuple[np.ndarray, int]:
    """Move single features into groups below min_size, each time the one that fits best; also returns how many moved.

    It always ends, as min_size is at most D // K.
    """
    labels, degrees, moved = labels.copy(), W.sum(axis=1), 0
    while True:
        sizes = np.bincount(labels)
        needy = int(sizes.argmin())
        if sizes[needy] >= min_size:
            return labels, moved
        gains = _gain_of_moving(W, labels, degrees, needy)
        gains[sizes[labels] <= min_size] = -np.inf
        labels[int(gains.argmax())] = needy
        moved += 1


class _Merger:
    """Joins of groups, with the links, degrees and sizes kept up to date; a join costs O(K)."""

    def __init__(self, W: np.ndarray, labels: np.ndarray) -> None:
        self.original = compact(labels)
        self.links = between(W, self.original)
        self.degrees = self.links.sum(axis=1)
        self.sizes = np.bincount(self.original)
        self.alive = np.ones(len(self.sizes), dtype=bool)
        self.target = np.arange(len(self.sizes))
        self.count, self.joins = len(self.sizes), 0

    def join(self, a: int, b: int) -> None:
        """Group a becomes part of group b."""
        self.links[b] += self.links[a]
        self.links[:, b] += self.links[:, a]
        self.degrees[b] += self.degrees[a]
        self.sizes[b] += self.sizes[a]
        self.alive[a] = False
        self.target[self.target == a] = b
        self.count, self.joins = self.count - 1, self.joins + 1

    def labels(self) -> np.ndarray:
        """The label of each feature after all joins, 0..K-1."""
        return compact(self.target[self.original])


def _leading_eigenvector(W: np.ndarray, degrees: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Of the modularity matrix of this group of features, its largest entry positive, so that the sign is settled."""
    from scipy.linalg import eigh

    B = W[np.ix_(group, group)] - np.outer(degrees[group], degrees[group])
    B -= np.diag(B.sum(axis=1))
    top = len(group) - 1
    vector: np.ndarray = eigh(B, subset_by_index=[top, top])[1][:, 0]
    return vector if vector[np.abs(vector).argmax()] > 0 else -vector


def _gain_of_moving(W: np.ndarray, labels: np.ndarray, degrees: np.ndarray, group: int) -> np.ndarray:
    """What modularity gains, up to a common factor, when each feature (D,) moves from its own group into this one."""
    member = np.eye(labels.max() + 1)[labels]
    links, volumes = W @ member, degrees @ member
    own = links[np.arange(len(W)), labels] - degrees * (volumes[labels] - degrees)
    gains: np.ndarray = links[:, group] - degrees * volumes[group] - own
    return gains
