"""What modularity would be for nothing: of random groups, and of groups found among links that were shuffled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ked.communities.superfeatures import modularity, resolution_sweep

if TYPE_CHECKING:
    from torch import Tensor

_GROUPINGS = 5  # random ones, of which the mean is told


class Yardsticks(NamedTuple):
    """Modularities to compare with: of random groups of the same sizes, and of the communities found after the links were shuffled."""

    random_groups: float
    shuffled_links: float


def yardsticks(W: Tensor | np.ndarray, groups: Sequence[Sequence[int]], seed: int = 0) -> Yardsticks:
    """What groups on a graph W (D, D) would have for nothing.

    Random groups are at about 0, whatever W is. Communities are *searched for*, so they have some modularity in any graph: that of the
    graph whose weights were dealt anew to the pairs of features, so that nothing but their distribution is left, is what the search
    alone gives: at resolution 1, as many communities as there are then, since that is where modularity is the highest.

    Args:
        W: Dependencies, as `find_superfeatures` takes them.
        groups: M groups that cover the D features.
        seed: Of groups and shuffle.

    Examples:
        >>> W = np.kron(np.eye(2), np.ones((8, 8)))
        >>> found = yardsticks(W, [range(8), range(8, 16)])
        >>> abs(found.random_groups) < 0.1, found.shuffled_links < 0.3 < modularity(W, np.repeat([0, 1], 8))
        (True, True)
    """
    draw, labels = np.random.default_rng(seed), np.empty(len(W), dtype=int)
    for m, members in enumerate(groups):
        labels[list(members)] = m
    links = np.asarray(W, dtype=float)
    links = links + links.T
    random = float(np.mean([modularity(links, draw.permutation(labels).tolist()) for _ in range(_GROUPINGS)]))
    above = np.triu_indices(len(links), 1)
    shuffled = np.zeros_like(links)
    shuffled[above] = draw.permutation(links[above])
    return Yardsticks(random, resolution_sweep(shuffled, [1.0], seed=seed)[0][2])
