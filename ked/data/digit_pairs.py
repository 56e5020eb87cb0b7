"""Two handwritten digits side by side, and the class is the pair: 100 classes "00" to "99" of which a net is told no more.

Each half decides one figure of the class alone, so the true superfeatures are known, the left and the right half, and everybody
sees them. The digits are scikit-learn's (`ked.data.digits`), so the pairs are made in a moment and without any download.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ked.data import digits
from ked.data.dataset import PARTS, Dataset, pixel_names

_SHAPE = (8, 16)
_SEED = 0
_OF_A_CLASS = {"train": 48, "validation": 16, "test": 16}  # pairs: 8000 in all


def load(name: str) -> Dataset:
    """8000 pairs of digits, x (N, 8 * 16) in [0, 1]: 4800 for training, 1600 for validation, 1600 for testing, all classes alike.

    The parts are made of disjoint digits: those of the split of `digits`. Within a part a digit meets many partners, each drawn
    with a fixed seed, never itself, and no pair comes twice.
    """
    source, generator = digits.load("digits"), torch.Generator().manual_seed(_SEED)
    C = source.class_count
    pairs, splits, start = [], [], 0
    for part in PARTS:
        pairs.append(_pairs(source, getattr(source, part), _OF_A_CLASS[part], generator))
        splits.append(torch.arange(start, start + len(pairs[-1])))
        start += len(pairs[-1])
    left, right = torch.cat(pairs).unbind(1)
    pixels = torch.arange(8 * 16).reshape(_SHAPE)
    return Dataset(
        name=name,
        x=torch.cat([source.x[side].reshape(-1, 8, 8) for side in (left, right)], dim=2).flatten(1),
        y=C * source.y[left] + source.y[right],
        train=splits[0],
        validation=splits[1],
        test=splits[2],
        shape=_SHAPE,
        classes=tuple(f"{first}{second}" for first in source.classes for second in source.classes),
        features=pixel_names(_SHAPE),
        truth=tuple(tuple(half.flatten().tolist()) for half in pixels.split(8, dim=1)),
    )


def _pairs(source: Dataset, rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """(n, 2) rows of digits, `count` different pairs of each class, in a random order."""
    of_digit = [rows[source.y[rows] == c] for c in range(source.class_count)]
    drawn = []
    for left in of_digit:
        for right in of_digit:
            every = torch.cartesian_prod(left, right)
            every = every[every[:, 0] != every[:, 1]]
            drawn.append(every[torch.randperm(len(every), generator=generator)[:count]])
    pairs = torch.cat(drawn)
    return pairs[torch.randperm(len(pairs), generator=generator)]
