"""Pictures become a Dataset with values in [0, 1]."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ked.data.byte_pixels import FEW, BytePixels
from ked.data.dataset import Dataset, pixel_names, stratified_split

VALIDATION = 5_000  # pictures that are taken from an official training part
_SEED = 0
_BLOCK = 4096  # pictures that are converted at a time
_TOPS = (16.0, 255.0, 4095.0, 65535.0)  # white in scikit-learn's digits, in bytes, in pictures of 12 and of 16 bits
ONE = 1.001  # the largest share of white, as rounded in half precision


def official(
    name: str,
    training: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    shape: tuple[int, ...],
    classes: tuple[str, ...],
) -> Dataset:
    """A data set with an official test part: that is the test split, and 5000 training pictures become the validation split.

    training, test: bytes (n, ...) in the layout of `shape`, and labels (n,).  At most half of the training part is held out.
    """
    y = np.concatenate([training[1], test[1]]).astype(np.int64)
    count = len(training[1])
    share = min(VALIDATION / count, 0.5)
    train, validation = stratified_split(training[1], (1 - share, share), _SEED)
    return Dataset(
        name=name,
        x=unit_interval([training[0], test[0]]),
        y=torch.from_numpy(y),
        train=train,
        validation=validation,
        test=torch.arange(count, len(y)),
        shape=shape,
        classes=classes,
        features=pixel_names(shape),
    )


def own_pictures(
    name: str,
    x: Tensor,
    y: np.ndarray,
    splits: tuple[Tensor, Tensor, Tensor],
    shape: tuple[int, ...],
    classes: tuple[str, ...],
    notes: tuple[str, ...],
) -> Dataset:
    """A user's own pictures x (N, D) in [0, 1] with labels (N,), the rows of the three splits, and what was done to them."""
    return Dataset(name, x, torch.from_numpy(y), *splits, shape, classes, pixel_names(shape), notes=notes)


def scale_of(low: float, high: float, *, whole: bool) -> tuple[float, float] | None:
    """What is added to pictures with these extremes, and what they are then divided by; None for another range.

    whole: whether all values are whole numbers.  Of fractions some beyond 1 are no shares, and so low ones no bytes either.

    >>> scale_of(0, 255, whole=True), scale_of(0, 0.9, whole=False), scale_of(-1, 1, whole=False), scale_of(-7, 9, whole=False)
    ((0.0, 255.0), (0.0, 1.0), (1.0, 2.0), None)
    >>> scale_of(0, 15, whole=True), scale_of(0, 15.5, whole=False), scale_of(0, 1.02, whole=False), scale_of(0, 60_000, whole=True)
    ((0.0, 16.0), None, None, (0.0, 65535.0))
    """
    if low >= 1 - ONE and high <= ONE:
        return 0.0, 1.0
    if low >= 0 and (whole or 16 < high <= 255):
        return next(((0.0, top) for top in _TOPS if high <= top), None)
    return (1.0, 2.0) if low >= -ONE and high <= ONE else None


def colours_first(flat: np.ndarray) -> np.ndarray:
    """Pictures (N, 3 side side), each colour by itself or the colours of each pixel together, as (N, 3, side, side).

    Neighbours in a picture are alike, so the smoother one of the two is right.
    """
    side = math.isqrt(flat.shape[1] // 3)
    apart = flat.reshape(-1, 3, side, side)
    together = np.ascontiguousarray(flat.reshape(-1, side, side, 3).transpose(0, 3, 1, 2))
    return min(apart, together, key=lambda pictures: float(np.abs(np.diff(pictures[:_BLOCK].astype(np.float32), axis=-1)).mean()))


def samples(pixels: np.ndarray) -> Tensor:
    """Bytes (n, ...) as samples (n, D) in [0, 1]; of many pictures the bytes alone are kept."""
    flat = torch.from_numpy(pixels.reshape(len(pixels), -1))
    return BytePixels(flat) if len(flat) > FEW else unit_interval([pixels])


def unit_interval(parts: Sequence[np.ndarray]) -> Tensor:
    """Bytes (n, ...) of several parts as one float32 table (N, D) in [0, 1]; it needs little more memory than its result."""
    D = int(np.prod(parts[0].shape[1:]))
    x = torch.empty(sum(map(len, parts)), D)
    row = 0
    for part in parts:
        for start in range(0, len(part), _BLOCK):
            block = np.asarray(part[start : start + _BLOCK])
            x[row : row + len(block)] = torch.from_numpy(block.reshape(len(block), D).astype(np.float32))
            row += len(block)
    return x.div_(255)
