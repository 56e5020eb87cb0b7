"""Superfeatures: a disjoint cover of the features by M groups, and the same groups in another's order."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from ked.errors import InvalidInput, Unavailable, shortened
from ked.showing import figure

if TYPE_CHECKING:
    from pandas import DataFrame
    from torch import Tensor


@dataclass(frozen=True)
class Superfeatures:
    """A disjoint cover of D features by M groups, S_1 to S_M, and how it came about.

    groups: M tuples of sorted feature indices.  modularity: of these groups on W, at resolution 1.
    resolution: at which the communities were found; larger gives more.  engine: what found them.
    adjusted: what was changed afterwards, in plain words; empty if nothing was.
    Raises InvalidInput if the groups are not a disjoint cover of 0..D-1 by non-empty groups.

    Examples:
        >>> halves = Superfeatures(((0, 1), (2, 3)), modularity=0.5, resolution=1.0, engine="by hand")
        >>> halves.sizes, halves.labels().tolist()
        ((2, 2), [0, 0, 1, 1])
    """

    groups: tuple[tuple[int, ...], ...]
    modularity: float
    resolution: float
    engine: str
    adjusted: str = ""

    def __post_init__(self) -> None:
        self.checked(self.groups)

    @staticmethod
    def checked(groups: Iterable[Iterable[int]]) -> tuple[tuple[int, ...], ...]:
        """Groups as tuples; InvalidInput unless they hold each of some features once, and none is empty."""
        try:
            found = tuple(tuple(index(feature) for feature in group) for group in groups)
        except TypeError as error:
            raise InvalidInput(f"Groups hold the numbers of features, from 0, such as [(0, 1), (2, 3)]: {shortened(error)}.") from error
        members = sorted(feature for group in found for feature in group)
        if not members or not all(found) or members != list(range(len(members))):
            raise InvalidInput(f"These {len(found)} groups are not a disjoint cover of the features by non-empty groups.")
        return found

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many features each group holds."""
        return tuple(len(group) for group in self.groups)

    def labels(self) -> Tensor:
        """The group of each feature, (D,) int64."""
        import torch

        labels = torch.empty(sum(self.sizes), dtype=torch.int64)
        for number, group in enumerate(self.groups):
            labels[list(group)] = number
        return labels

    def to_frame(self, names: Sequence[str] | None = None) -> DataFrame:
        """A table with a row for each feature: its superfeature, from 1, and its name where `names` (D,) are given."""
        from pandas import DataFrame

        labels = self.labels().numpy()
        if names is not None and len(names) != len(labels):
            raise InvalidInput(f"names holds {len(names)} names, but there are {len(labels)} features.")
        columns = {"superfeature": labels + 1} if names is None else {"superfeature": labels + 1, "name": list(names)}
        return DataFrame(columns).rename_axis("feature")

    def plot(self, shape: Sequence[int] | None = None, names: Sequence[str] | None = None) -> Any:
        """The app's figure of them (plotly): `shape` lays features out as a picture, (H, W) or (channels, H, W); bars without one."""
        if shape is not None and math.prod(shape) != sum(self.sizes):
            raise InvalidInput(f"shape {tuple(shape)} does not hold the {sum(self.sizes)} features.")
        return figure("superfeatures", self, shape, names)

    def _repr_html_(self) -> str:
        sizes = "".join(f"<tr><th>{m}</th><td>{size}</td></tr>" for m, size in enumerate(self.sizes, start=1))
        head = "<tr><th>superfeature</th><th>features</th></tr>"
        return f"<table>{head}{sizes}</table><p>Modularity {self.modularity:.3f}, {html.escape(self.engine)}</p>"

    def to_json(self) -> str:
        """The text of superfeatures.json."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Superfeatures:
        """Superfeatures from the text of superfeatures.json; Unavailable if it is damaged."""
        try:
            found = json.loads(text)
            groups = tuple(tuple(int(feature) for feature in group) for group in found["groups"])
            numbers = float(found["modularity"]), float(found["resolution"])
            return Superfeatures(groups, *numbers, str(found["engine"]), str(found["adjusted"]))
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise Unavailable(
                f"The stored superfeatures are damaged ({error!r}): delete them and run this stage again."
            ) from error


def align(reference: Superfeatures, other: Superfeatures) -> Superfeatures:
    """`other` with its groups in the order in which they overlap `reference` most, so that colours stay where they were.

    Groups are matched one to one (Hungarian method); those without a partner come last, in their own order.
    Raises InvalidInput if the two do not have the same features.

    Examples:
        >>> before, after = (Superfeatures(groups, 0.5, 1.0, "") for groups in (((0, 1), (2, 3)), ((2, 3), (0, 1))))
        >>> align(before, after).groups
        ((0, 1), (2, 3))
    """
    from scipy.optimize import linear_sum_assignment

    old, new = reference.labels().numpy(), other.labels().numpy()
    if len(old) != len(new):
        raise InvalidInput(f"Groups of {len(new)} features cannot be matched with groups of {len(old)} features.")
    overlap = np.zeros((len(reference.groups), len(other.groups)))
    np.add.at(overlap, (old, new), 1)
    partner = {int(column): int(row) for row, column in zip(*linear_sum_assignment(-overlap), strict=True)}
    order = sorted(range(len(other.groups)), key=lambda m: (partner.get(m, len(old)), m))
    return replace(other, groups=tuple(other.groups[m] for m in order))
