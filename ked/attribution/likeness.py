"""How much two maps over the same features are alike: ranks, strongest features, sums over superfeatures (METHOD 4)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ked.agreement.pixels import overlap, strongest
from ked.agreement.similarity import ranks
from ked.errors import InvalidInput


@dataclass(frozen=True)
class Likeness:
    """Three views of it; NaN where a map is the same everywhere and so says nothing.

    spearman: rank correlation over the features, -1 to 1; unrelated maps have 0 on average.
    overlap: of the strongest tenth of the features, intersection over union, 0 to 1; by chance about 0.05.
    cosine: of the sums over the parts, -1 to 1.
    """

    spearman: float
    overlap: float
    cosine: float


def likeness(first: np.ndarray, second: np.ndarray, parts: Sequence[Sequence[int]], *, signed: bool = True) -> Likeness:
    """Compare two maps (D,).

    Args:
        first, second: The maps.
        parts: Groups of features over which maps are summed for the cosine.
        signed: Whether both maps know for and against; otherwise their magnitudes are compared.

    Raises:
        InvalidInput: The maps are of different length.
    """
    if first.shape != second.shape:
        raise InvalidInput(f"two maps are compared over the same features, but these have {first.size} and {second.size}.")
    a, b = (np.asarray(one if signed else np.abs(one), dtype=float) for one in (first, second))
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return Likeness(math.nan, math.nan, math.nan)
    sums = [np.array([one[list(part)].sum() for part in parts]) for one in (a, b)]
    shared = float(overlap(strongest(_tensor(a)), strongest(_tensor(b))))
    return Likeness(spearman(a, b), shared, _cosine(*sums))


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Rank correlation of two maps (D,), ties sharing their ranks; NaN where one is constant."""
    return _cosine(*(ranks(_tensor(one)).numpy() for one in (first, second)))


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=float))


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths > 0 else math.nan
