"""MNIST + Fashion-MNIST: a digit and a garment next to each other, and the class is the pair (METHOD 1.4, one row of the table).

Each half decides one part of the class alone, so the true superfeatures are known: the left and the right half.
The paper does not say how its pairs were drawn; the way below is ours.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ked.data import fashion_mnist, mnist
from ked.data.dataset import PARTS, Dataset, pixel_names

_SHAPE = (28, 56)
_SEED = 0


def load(name: str) -> Dataset:
    """Pairs of pictures, x (N, 28 * 56) in [0, 1], with 100 classes: ten times the digit plus the garment.

    In each split every picture is used at most once and meets a partner from the same split, drawn with a fixed seed.
    Raises Unavailable when one of the two data sets can be had nowhere.
    """
    left, right = mnist.load("mnist"), fashion_mnist.load("fashion-mnist")
    generator = torch.Generator().manual_seed(_SEED)
    pairs = [_pairs(getattr(left, part), getattr(right, part), generator) for part in PARTS]
    digits, garments = torch.cat(pairs).unbind(1)
    splits = torch.arange(len(digits)).split([len(part) for part in pairs])
    columns = torch.arange(28 * 56).reshape(_SHAPE)
    return Dataset(
        name=name,
        x=torch.cat([left.x[digits].reshape(-1, 28, 28), right.x[garments].reshape(-1, 28, 28)], dim=2).flatten(1),
        y=left.class_count * left.y[digits] + right.y[garments],
        train=splits[0],
        validation=splits[1],
        test=splits[2],
        shape=_SHAPE,
        classes=tuple(f"{digit} + {garment}" for digit in left.classes for garment in right.classes),
        features=pixel_names(_SHAPE),
        truth=tuple(tuple(half.flatten().tolist()) for half in columns.split(28, dim=1)),
    )


def here() -> bool:
    """Whether the files of both are on this machine."""
    return mnist.here() and fashion_mnist.here()


def _pairs(left: Tensor, right: Tensor, generator: torch.Generator) -> Tensor:
    """Rows of the two data sets (n, 2), each at most once; n is the smaller of the two sizes."""
    count = min(len(left), len(right))
    return torch.stack([rows[torch.randperm(len(rows), generator=generator)[:count]] for rows in (left, right)], dim=1)
