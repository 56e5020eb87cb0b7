"""What the stages of convolutional nets are made of, family by family: trunks, and last stages of any number of branches."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn

from ked.nets.cnn.blocks import Dense, Residual, Unit, separate


class LastStage(nn.Module):
    """The last stage of a net: convolutions to the map that hints and Grad-CAM look at, then pooling to a vector."""

    features: int  # length of the pooled vector

    def __init__(self, branches: int, body: nn.Module) -> None:
        super().__init__()
        self.branches, self.body = branches, body

    def forward(self, h: Tensor) -> Tensor:
        """The map before pooling, (B, M*f, h, w)."""
        final: Tensor = self.body(h)
        return final

    def pool(self, final: Tensor) -> Tensor:
        """Its pooled vectors, (M, features, B)."""
        raise NotImplementedError


class Averaged(LastStage):
    """A last stage that ends in the mean over the map."""

    def __init__(self, branches: int, body: nn.Module, width: int) -> None:
        super().__init__(branches, body)
        self.features = width

    def pool(self, final: Tensor) -> Tensor:
        """The mean of every channel."""
        return separate(final, self.branches).mean(dim=(-2, -1)).transpose(-1, -2)


class Flattened(LastStage):
    """A last stage that ends in max-pooling and two hidden dense layers, as VGG does."""

    def __init__(self, branches: int, body: nn.Module, width: int, area: int) -> None:
        super().__init__(branches, body)
        self.features = width
        self.halve = _halve()
        self.dense = nn.Sequential(Dense(branches, width * area, width), nn.ReLU(), Dense(branches, width, width), nn.ReLU())

    def pool(self, final: Tensor) -> Tensor:
        """The activations of the second dense layer."""
        pooled: Tensor = self.dense(separate(self.halve(final), self.branches).flatten(2).transpose(-1, -2))
        return pooled


class Family(NamedTuple):
    """How the nets of a family are made.

    Attributes:
        trunk: From widths, depth and a picture (channels, H, W).
        last: From depth, branches, channels in, width and the picture's (H, W).
    """

    trunk: Callable[[Sequence[int], int, Sequence[int]], nn.Module]
    last: Callable[[int, int, int, int, Sequence[int]], LastStage]


def _halve() -> nn.Module:
    return nn.MaxPool2d(2, ceil_mode=True)  # a picture of any size goes through, also one of 8x8 through five of them


def _blocks(branches: int, fan_in: int, out: int, count: int, stride: int, wide: bool) -> nn.Sequential:
    first = Residual(branches, fan_in, out, stride, project=wide)
    return nn.Sequential(first, *(Residual(branches, out, out, 1, project=False) for _ in range(count - 1)))


def _residual_trunk(widths: Sequence[int], depth: int, picture: Sequence[int], *, wide: bool) -> nn.Module:
    first, second = widths[:2]
    return nn.Sequential(
        Unit(1, picture[0], first),
        _blocks(1, first, first, depth, 1, wide),
        _blocks(1, first, second, depth, 2, wide),
    )


def _residual_last(depth: int, branches: int, fan_in: int, width: int, picture: Sequence[int], *, wide: bool) -> LastStage:
    return Averaged(branches, _blocks(branches, fan_in, width, depth, 2, wide), width)


def _convolutions(branches: int, fan_in: int, out: int, count: int) -> list[nn.Module]:
    return [Unit(branches, fan_in, out), *(Unit(branches, out, out) for _ in range(count - 1))]


def _vgg_trunk(widths: Sequence[int], depth: int, picture: Sequence[int]) -> nn.Module:
    layers: list[nn.Module] = []
    for fan_in, out in pairwise((picture[0], *widths[:-1])):
        layers += [*_convolutions(1, fan_in, out, depth), _halve()]
    return nn.Sequential(*layers)


def _vgg_last(depth: int, branches: int, fan_in: int, width: int, picture: Sequence[int]) -> LastStage:
    early, late = _convolutions(branches, fan_in, width, depth), _convolutions(branches, width, width, depth)
    area = math.prod(math.ceil(side / 32) for side in picture)  # five poolings in all
    return Flattened(branches, nn.Sequential(*early, _halve(), *late), width, area)


def _small_trunk(widths: Sequence[int], depth: int, picture: Sequence[int]) -> nn.Module:
    """Halves the picture until it is 8x8 or smaller, at most twice: fine enough to look at, coarse enough to be quick."""
    channels, *sides = picture
    strides = [2 if max(sides) > 8 * halved else 1 for halved in (1, 2)]
    first, second = widths[:2]
    return nn.Sequential(Unit(1, channels, first, stride=strides[0]), Unit(1, first, second, stride=strides[1]))


def _small_last(depth: int, branches: int, fan_in: int, width: int, picture: Sequence[int]) -> LastStage:
    return Averaged(branches, Unit(branches, fan_in, width, stride=2), width)


FAMILIES: dict[str, Family] = {
    "small": Family(_small_trunk, _small_last),
    "resnet": Family(partial(_residual_trunk, wide=False), partial(_residual_last, wide=False)),
    "wrn": Family(partial(_residual_trunk, wide=True), partial(_residual_last, wide=True)),
    "vgg": Family(_vgg_trunk, _vgg_last),
}
