"""How much two maps over the same features are alike: ranks, strongest features, sums over superfeatures (METHOD 4)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ked.agreements.map_similarity import PixelMaps, overlap, ssim, strongest
from ked.agreements.similarity import ranks
from ked.errors import InvalidInput


@dataclass(frozen=True)
class Likeness:
    """Four views of it; NaN where a map is the same everywhere and so says nothing.

    spearman: rank correlation over the features, -1 to 1; unrelated maps have 0 on average.
    overlap: of the strongest tenth of the features, intersection over union, 0 to 1; by chance about 0.05.
    cosine: of the sums over the parts, -1 to 1.
    structure: structural similarity of the pictures (`ked.agreements.map_similarity.ssim`), -1 to 1; NaN for tables.
    """

    spearman: float
    overlap: float
    cosine: float
    structure: float = math.nan


def likeness(
    first: np.ndarray, second: np.ndarray, parts: Sequence[Sequence[int]], *, signed: bool = True, shape: Sequence[int] = ()
) -> Likeness:
    """Compare two maps (D,).

    Args:
        first, second: The maps.
        parts: Groups of features over which maps are summed for the cosine.
        signed: Whether both maps know for and against; otherwise their magnitudes are compared.
        shape: How a picture is laid out, (H, W) or (channels, H, W).

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
    return Likeness(spearman(a, b), shared, _cosine(*sums), _alike(a, b, shape) if len(shape) > 1 else math.nan)


def _alike(a: np.ndarray, b: np.ndarray, shape: Sequence[int]) -> float:
    first, second = (PixelMaps(_tensor(one), shape).structure for one in (a, b))
    return float(ssim(first, second))


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Rank correlation of two maps (D,), ties sharing their ranks; NaN where one is constant."""
    return _cosine(*(ranks(_tensor(one)).numpy() for one in (first, second)))


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=float))


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths > 0 else math.nan
