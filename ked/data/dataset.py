"""What every data source hands over: one frozen, validated table of samples with its splits and names."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ked.data.byte_pixels import BytePixels
from ked.data.columns import Column, Intake, number_in
from ked.errors import InvalidInput, quoted, shortened

PARTS = ("train", "validation", "test")
SHARES = (0.6, 0.2, 0.2)  # of the three parts where a source has no official ones
_TENSORS = ("x", "y", *PARTS)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with labels, three disjoint splits and names; it refuses to exist when these do not fit together.

    x: (N, D) float32, finite.  y: (N,) int64, class indices 0..C-1.
    train, validation, test: sorted int64 row indices into x, pairwise disjoint, train not empty.
    shape: how one row of x is laid out, (rows, columns), (channels, rows, columns) or (D,) for a table.
    classes, features: C and D names.
    truth: the superfeatures that the data was made of, where that is known: groups of feature indices that cover every
    feature once; empty where nobody knows.
    conditional: (N, C) float64, the true P(y | x) of each row of x, where that is known; None where nobody knows.
    units: mean and deviation (D,) that a table was standardised with; None where x holds the source's own values.
    notes: what was done to a user's own data on the way in, and what was left out, one sentence each.
    intake: the report on a user's own table, which also makes features of a row that somebody types in; None for other data.
    recorded: whether these are only samples that nets were asked about (`ked.record`): all are test samples, what the nets learnt from is
    not known, and nothing can be trained on them.
    Raises InvalidInput, which names the data set and what is wrong with it.
    """

    name: str
    x: Tensor
    y: Tensor
    train: Tensor
    validation: Tensor
    test: Tensor
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    features: tuple[str, ...]
    truth: tuple[tuple[int, ...], ...] = ()
    conditional: Tensor | None = None
    units: tuple[Tensor, Tensor] | None = None
    notes: tuple[str, ...] = ()
    intake: Intake | None = None
    recorded: bool = False

    def __post_init__(self) -> None:
        for check in (_wrong_samples, _wrong_splits, _wrong_names, _wrong_conditional):
            if problem := check(self):
                raise InvalidInput(f"The data set {quoted(self.name)} cannot be used: {problem}.")

    @property
    def feature_count(self) -> int:
        """D, the number of input features."""
        return self.x.shape[1]

    @property
    def class_count(self) -> int:
        """C, the number of classes."""
        return len(self.classes)

    @property
    def is_image(self) -> bool:
        """Whether the features are pixels of a picture."""
        return len(self.shape) >= 2

    def part(self, name: str) -> tuple[Tensor, Tensor]:
        """Samples (n, D) and labels (n,) of one split: 'train', 'validation' or 'test'; of recorded samples all stand for each.

        They are to be looked at: where a split's samples lie side by side, these are the data set's own memory.
        """
        if name not in PARTS:
            raise InvalidInput(f"There is no split {quoted(name)}; use one of {', '.join(PARTS)}.")
        rows: Tensor = getattr(self, "test" if self.recorded else name)
        if isinstance(self.x, Tensor) and len(rows) and int(rows[-1] - rows[0]) == len(rows) - 1:  # they are sorted and all differ
            side_by_side = slice(int(rows[0]), int(rows[-1]) + 1)
            return self.x[side_by_side], self.y[side_by_side]
        return self.x[rows], self.y[rows]

    def true_probabilities(self, name: str) -> Tensor:
        """P(y | x), (n, C) float64, of the samples of one split, from which their labels were drawn.

        Raises:
            InvalidInput: Nobody knows them.
        """
        if self.conditional is None:
            what = "the true class probabilities of the samples of"
            raise InvalidInput(f"Nobody knows {what} {quoted(self.name)}; data made here tell them.")
        return self.conditional[getattr(self, name)]

    def original(self, rows: Tensor) -> Tensor:
        """The rows (n, D) of x in the source's own units, float64 for tables that were standardised."""
        return self.in_units(self.x[rows])

    def in_units(self, x: Tensor) -> Tensor:
        """Any samples (n, D) that are scaled as x is, in the source's own units."""
        if self.units is None:
            return x
        mean, deviation = self.units
        return x.double().cpu() * deviation + mean

    def scaled(self, features: np.ndarray) -> Tensor:
        """Samples (n, D) or (D,) in the source's own units, scaled as x is, float32: the way back from `in_units`."""
        values = torch.from_numpy(np.asarray(features, np.float64))
        if self.units is not None:
            mean, deviation = self.units
            values = (values - mean) / deviation
        return values.float()

    @property
    def together(self) -> tuple[tuple[int, ...], ...]:
        """Groups of features that stem from one column each, and so belong into one superfeature; empty where each stands for itself."""
        return self.intake.units if self.intake else ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """Of a table, what its features stem from; where nothing was encoded, each feature is a column of numbers."""
        if self.intake and self.intake.columns:
            return self.intake.columns
        return tuple(Column(name, "number", place, 1) for place, name in enumerate(self.features))

    def row(self, x: Tensor) -> dict[str, str]:
        """Of a table, column name -> value as a text, "" for a gap, of a sample x (D,)."""
        values = self.in_units(x[None])[0].numpy()
        if self.intake and self.intake.encoder:
            return self.intake.decode(values)
        return dict(zip(self.features, map(str, values.tolist()), strict=True))

    def sample(self, row: Mapping[str, str]) -> Tensor:
        """(D,) the sample that texts such as those of `row` stand for.

        Raises:
            InvalidInput: A text that its column cannot hold.
        """
        if self.intake and self.intake.encoder:
            return self.scaled(self.intake.encode(row))
        return self.scaled(np.array([number_in(column, row.get(column.name, "")) for column in self.columns]))

    @property
    def group_count(self) -> int:
        """How many groups its features can be divided into: D, or how many columns they stem from."""
        return len(self.together) or self.feature_count

    def few(self, train_size: int, seed: int) -> Dataset:
        """The same data set with that many training samples, as equally divided among the classes as they allow.

        Drawn with the seed; a class that has fewer samples than its share gives all, and the others fill up.
        """
        if train_size > len(self.train):
            raise InvalidInput(
                f"train_size = {train_size} is not allowed: {self.name} has {len(self.train)} training samples."
            )
        order = self.train[torch.randperm(len(self.train), generator=torch.Generator().manual_seed(seed))]
        rank = torch.empty(len(order), dtype=torch.int64)  # how many samples of its class come before a sample
        for c in range(self.class_count):
            of_class = self.y[order] == c
            rank[of_class] = torch.arange(int(of_class.sum()))
        chosen = order[rank.argsort(stable=True)[:train_size]]
        return replace(self, train=chosen.sort().values)

    def to(self, device: torch.device | str) -> Dataset:
        """The same data set with its tensors on another device."""
        moved = copy.copy(self)  # not dataclasses.replace: what was checked once need not be checked again
        for field in _TENSORS:
            object.__setattr__(moved, field, getattr(self, field).to(device))
        if self.conditional is not None:
            object.__setattr__(moved, "conditional", self.conditional.to(device))
        return moved


def stratified_split(y: np.ndarray, shares: Sequence[float], seed: int) -> list[Tensor]:
    """Cut the rows into len(shares) disjoint parts in which every class has the same share.

    y: (N,) labels.  shares: fractions that add up to 1.  Returns sorted int64 row indices, one tensor a part.
    """
    generator = np.random.default_rng(seed)
    cuts = np.cumsum(shares)[:-1]
    parts: list[list[np.ndarray]] = [[] for _ in shares]
    for label in np.unique(y):
        rows = generator.permutation(np.flatnonzero(y == label))
        for part, piece in zip(parts, np.split(rows, np.rint(cuts * len(rows)).astype(int)), strict=True):
            part.append(piece)
    return [torch.from_numpy(np.sort(np.concatenate(part)).astype(np.int64)) for part in parts]


def pixel_names(shape: tuple[int, ...]) -> tuple[str, ...]:
    """A name for each pixel, in the order of the features: 'row 3, column 5', with the channel first if there is one."""
    axes = ("channel", "row", "column")[-len(shape) :]
    return tuple(", ".join(f"{a} {i}" for a, i in zip(axes, index, strict=True)) for index in np.ndindex(*shape))


def _wrong_samples(data: Dataset) -> str:
    """What is wrong with x and y, in words; empty if nothing is."""
    x, y = data.x, data.y
    if x.ndim != 2 or x.dtype != torch.float32 or 0 in x.shape:
        return f"its samples must be a non-empty float32 table (N, D), not {x.dtype} of shape {tuple(x.shape)}"
    if y.shape != x.shape[:1] or y.dtype != torch.int64:
        return f"it needs one int64 label for each of its {x.shape[0]} samples, not {y.dtype} of shape {tuple(y.shape)}"
    # not isfinite(x).all(), which for a moment needs as much memory again as x itself
    if not isinstance(x, BytePixels) and not all(math.isfinite(end) for end in x.aminmax()):
        row, column = (~torch.isfinite(x)).nonzero()[0].tolist()
        return f"sample {row} has the value {x[row, column].item()} in feature {column}, and all values must be finite"
    low, high = int(y.min()), int(y.max())
    if low < 0 or high >= len(data.classes):
        return f"its labels run from {low} to {high}, but it has the classes 0 to {len(data.classes) - 1}"
    return ""


def _wrong_splits(data: Dataset) -> str:
    """What is wrong with the three splits, in words; empty if nothing is."""
    for name in PARTS:
        rows: Tensor = getattr(data, name)
        if rows.ndim != 1 or rows.dtype != torch.int64 or not bool((rows.diff() > 0).all()):
            return f"its {name} split must hold sorted int64 row numbers without repeats"
        if len(rows) and (int(rows[0]) < 0 or int(rows[-1]) >= len(data.x)):
            return f"its {name} split points outside its {len(data.x)} samples"
    rows = torch.cat([data.train, data.validation, data.test])
    if int(rows.bincount(minlength=1).max()) > 1:
        return "its train, validation and test splits share samples"
    return "" if len(data.train) or data.recorded else "its train split is empty"


def _wrong_names(data: Dataset) -> str:
    """What is wrong with shape and names, in words; empty if nothing is."""
    D = data.x.shape[1]
    if math.prod(data.shape) != D or not 1 <= len(data.shape) <= 3:
        return f"the shape {data.shape} does not hold its {D} features"
    if len(data.features) != D:
        return f"it has {D} features but {len(data.features)} feature names"
    if len(set(data.classes)) < max(2, len(data.classes)):
        return f"it needs at least two classes with different names, not {shortened(data.classes)}"
    if data.truth and sorted(feature for group in data.truth for feature in group) != list(range(D)):
        return f"its true groups do not hold each of the features 0 to {D - 1} once"
    return ""


def _wrong_conditional(data: Dataset) -> str:
    """What is wrong with the true class probabilities, in words; empty if nothing is, or nobody knows them."""
    p, shape = data.conditional, (len(data.x), data.class_count)
    if p is None:
        return ""
    if p.shape != shape:
        return f"its true class probabilities must be of shape {shape}, not {tuple(p.shape)}"
    fine = bool((p >= 0).all()) and torch.allclose(p.sum(dim=1), p.new_ones(()))
    return "" if fine else "its true class probabilities must not be negative and must add up to 1 for each sample"
