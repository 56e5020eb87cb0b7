"""Features that stay together, such as the parts of one encoded column: they are grouped as if they were one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ked.communities.groups import Superfeatures
from ked.communities.superfeatures import from_labels, normalised
from ked.errors import InvalidInput

if TYPE_CHECKING:
    from torch import Tensor

Units = Sequence[Sequence[int]]


def membership(units: Units, features: int) -> np.ndarray:
    """(D, U) ones where a feature is of a unit; InvalidInput if the units do not hold each of the D features once."""
    if sorted(feature for unit in units for feature in unit) != list(range(features)):
        raise InvalidInput(f"Features that stay together must be {features} features, each in one unit.")
    member = np.zeros((features, len(units)))
    for number, unit in enumerate(units):
        member[list(unit), number] = 1
    return member


def contracted(W: Tensor | np.ndarray, units: Units) -> np.ndarray:
    """(U, U) of W (D, D): between two units the sum of the links between their features, which leaves modularity what it is.

    Without units, W in the form that communities are searched in.

    >>> import numpy as np
    >>> contracted(np.ones((3, 3)), [(0, 1), (2,)])
    array([[0.33333333, 0.33333333],
           [0.33333333, 0.        ]])
    """
    links = normalised(W)
    if not units:
        return links
    member = membership(units, len(links))
    joined: np.ndarray = member.T @ links @ member
    return joined


def expanded(found: Superfeatures, W: Tensor | np.ndarray, units: Units) -> Superfeatures:
    """Groups of units as groups of their features, with their modularity on W (D, D)."""
    if not units:
        return found
    links = normalised(W)
    owner = membership(units, len(links)).argmax(axis=1)
    unit_labels = np.empty(len(units), dtype=int)
    for m, group in enumerate(found.groups):
        unit_labels[list(group)] = m
    return from_labels(links, unit_labels[owner], found.resolution, found.engine, found.adjusted)
