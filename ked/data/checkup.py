"""What should be known about a data set before anything is trained on it: counts and suspicions, nothing is changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ked.data.byte_pixels import BytePixels
from ked.data.dataset import PARTS, Dataset

TELLING = 0.95  # a feature with such a correlation ratio gives the class away
_BLOCK = 1 << 22  # values of a part that are looked at in float64 at a time


@dataclass(frozen=True)
class Checkup:
    """What was found.

    Attributes:
        counts: (3, C) samples of each class in the train, validation and test split.
        constant: Features that have one value in all training samples.
        telling: Features whose correlation ratio with the class is at least TELLING, the highest first.
        duplicates: Samples that repeat an earlier one, feature for feature.
        contradictions: Those of them that have another class than the first of their kind.
        leaks: Validation and test samples that are also in the training split.
        ratios: (D,) correlation ratios of the features with the class, 0 to 1.
    """

    counts: Tensor
    constant: tuple[int, ...]
    telling: tuple[int, ...]
    duplicates: int
    contradictions: int
    leaks: int
    ratios: Tensor


def checkup(data: Dataset) -> Checkup:
    """Look at all samples once; about a second for a hundred million values."""
    ratios, varies = _of_features(data)
    order = ratios.argsort(descending=True)
    return Checkup(
        counts=torch.stack([data.part(part)[1].bincount(minlength=data.class_count) for part in PARTS]),
        constant=tuple((~varies).nonzero()[:, 0].tolist()),
        telling=tuple(order[ratios[order] >= TELLING].tolist()),
        ratios=ratios,
        **_repeats(data),
    )


def _of_features(data: Dataset) -> tuple[Tensor, Tensor]:
    """(D,) correlation ratios, and whether each feature varies at all over the training samples.

    A ratio is how much of the feature's spread lies between the classes, 0 none, 1 all of it: the root of the variance of the class
    means over the whole variance (Pearson 1905). For two classes it is the absolute correlation with the class; it also finds a
    feature that is a code of the class in any order. 0 for a constant feature.
    """
    x, y = data.part("train")
    if isinstance(x, BytePixels):
        return _of_bytes(x, y, data.class_count)
    counts = y.bincount(minlength=data.class_count).double()
    ratios = torch.empty(data.feature_count, dtype=torch.float64)
    varies = torch.empty(data.feature_count, dtype=torch.bool)
    width = max(1, _BLOCK // len(x))
    for start in range(0, data.feature_count, width):
        block = x[:, start : start + width].double()
        varies[start : start + width] = block.amax(0) > block.amin(0)
        block = block - block.mean(0)
        sums = torch.zeros(len(counts), block.shape[1], dtype=torch.float64).index_add_(0, y, block)
        whole = block.square().sum(0)
        between = (sums.square() / counts.clamp(min=1)[:, None]).sum(0)
        ratios[start : start + width] = torch.where(varies[start : start + width], between / whole, 0.0)
    return ratios.clamp(0, 1).sqrt(), varies


def _of_bytes(x: BytePixels, y: Tensor, class_count: int) -> tuple[Tensor, Tensor]:
    """The same of pictures that are kept as bytes, in one pass; sums of whole numbers are exact."""
    sums = torch.zeros(class_count, x.shape[1], dtype=torch.float64)
    low, high = torch.full(x.shape[1:], 255, dtype=torch.uint8), torch.zeros(x.shape[1:], dtype=torch.uint8)
    start = 0
    for block in x.blocks():
        sums.index_add_(0, y[start : start + len(block)], block.double())
        low, high = torch.minimum(low, block.amin(0)), torch.maximum(high, block.amax(0))
        start += len(block)
    counts = y.bincount(minlength=class_count).double()
    mean, variance = x.moments
    between = (counts[:, None] * (sums / counts.clamp(min=1)[:, None] / 255 - mean).square()).sum(0) / len(x)
    varies = low < high
    return torch.where(varies, between / variance, 0.0).clamp(0, 1).sqrt(), varies


def _repeats(data: Dataset) -> dict[str, int]:
    """How many samples are there more than once, by their bytes, training samples before all others."""
    found = {"duplicates": 0, "contradictions": 0, "leaks": 0}
    classes: dict[bytes, int] = {}  # of the first sample with these bytes
    training: frozenset[bytes] = frozenset()
    for part in PARTS:
        for row, label in zip(_rows(data, part), data.y[getattr(data, part)].tolist(), strict=True):
            digest = hashlib.blake2b(row.tobytes(), digest_size=16).digest()
            if digest in classes:
                found["duplicates"] += 1
                found["contradictions"] += classes[digest] != label
                found["leaks"] += digest in training
            else:
                classes[digest] = label
        training = training or frozenset(classes)
    return found


def _rows(data: Dataset, part: str) -> Iterator[np.ndarray]:
    """The samples of a part one after the other, as they are kept."""
    which = getattr(data, part)
    blocks = data.x.view_of(which).blocks() if isinstance(data.x, BytePixels) else [data.x[which]]
    return (row for block in blocks for row in block.numpy())
