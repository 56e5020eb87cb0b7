"""Digits whose pixels have twins: real features that are correlated with each other by design, for which superfeatures can be looked at.

The digits are scikit-learn's (`ked.data.digits`), with their splits; right of each digit stand its twins, pixel by pixel. No twin tells
anything that its pixel does not, so that a difference to `digits` is due to the correlation.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ked.data import digits
from ked.data.dataset import Dataset, pixel_names

NOISE = 0.25  # standard deviation, where pixels are from 0 to 1
_SHAPE = (8, 16)
_SEED = 0


def load(name: str) -> Dataset:
    """The digits, x (1797, 8 * 16) in [0, 1]: the picture, and right of it its twin.

    `name`: digits+copied, where a twin is its pixel once more; digits+blurred, the mean of its pixel and those around it;
    digits+noisy, its pixel with normal noise of standard deviation 0.25, cut off at 0 and 1 and drawn with a fixed seed.
    """
    source = digits.load("digits")
    picture = source.x.reshape(-1, 8, 8)
    twin = _TWINS[name.partition("+")[2]](picture)
    splits = {part: getattr(source, part) for part in ("train", "validation", "test")}
    x = torch.cat([picture, twin], dim=2).flatten(1)
    return Dataset(name=name, x=x, y=source.y, shape=_SHAPE, classes=source.classes, features=pixel_names(_SHAPE), **splits)


def _blurred(picture: Tensor) -> Tensor:
    return avg_pool2d(picture, 3, stride=1, padding=1, count_include_pad=False)


def _noisy(picture: Tensor) -> Tensor:
    noise = torch.randn(picture.shape, generator=torch.Generator().manual_seed(_SEED))
    return (picture + NOISE * noise).clamp(0, 1)


_TWINS: dict[str, Callable[[Tensor], Tensor]] = {"copied": torch.clone, "blurred": _blurred, "noisy": _noisy}
