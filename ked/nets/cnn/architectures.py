"""The convolutional nets of METHOD 1.5 as a table: a trunk, which all branches share, and the last stage, which each has.

The forms are those for which the paper's branch widths f come out (tests/test_cnn.py): ResNets with shortcuts free of
parameters; wide ResNets with activations after the sum, a first layer as wide as the first stage and a projection in the
first block of every stage; VGGs whose last stage is all that follows the third pooling, with two hidden dense layers as wide
as its convolutions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from ked.errors import InvalidInput
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


Trunk = Callable[[Sequence[int]], nn.Module]  # (channels, H, W) of the picture
Last = Callable[[int, int, int, Sequence[int]], LastStage]  # branches, channels in, width, (H, W) of the picture


@dataclass(frozen=True)
class Architecture:
    """A net but for its heads.

    Attributes:
        name: As on the command line.
        label: As on a chart.
        teacher: The name of the net that teaches it where none is asked for: the paper's pairs (METHOD 1.5).
        widths: Channels of the trunk's stages and of the last stage of the plain form.
        trunk: Makes the trunk, from a picture to a map of widths[-2] channels.
        last: Makes the last stage, of any width.
    """

    name: str
    label: str
    teacher: str
    widths: tuple[int, ...]
    trunk: Trunk
    last: Last


def architecture_named(name: str) -> Architecture:
    """The row of `ARCHITECTURES` with that name; an error that lists what there is."""
    if name not in ARCHITECTURES:
        raise InvalidInput(f"net {name!r} is unknown; use one of {', '.join(ARCHITECTURES)}.")
    return ARCHITECTURES[name]


def _halve() -> nn.Module:
    return nn.MaxPool2d(2, ceil_mode=True)  # a picture of any size goes through, also one of 8x8 through five of them


def _blocks(branches: int, fan_in: int, out: int, count: int, stride: int, wide: bool) -> nn.Sequential:
    first = Residual(branches, fan_in, out, stride, project=wide)
    return nn.Sequential(first, *(Residual(branches, out, out, 1, project=False) for _ in range(count - 1)))


def _residual_trunk(width: int, count: int, wide: bool, picture: Sequence[int]) -> nn.Module:
    return nn.Sequential(
        Unit(1, picture[0], width),
        _blocks(1, width, width, count, 1, wide),
        _blocks(1, width, 2 * width, count, 2, wide),
    )


def _residual_last(count: int, wide: bool, branches: int, fan_in: int, width: int, picture: Sequence[int]) -> LastStage:
    return Averaged(branches, _blocks(branches, fan_in, width, count, 2, wide), width)


def _residual(name: str, label: str, teacher: str, count: int, times: int, wide: bool) -> Architecture:
    widths = (16 * times, 32 * times, 64 * times)
    trunk, last = partial(_residual_trunk, widths[0], count, wide), partial(_residual_last, count, wide)
    return Architecture(name, label, teacher, widths, trunk, last)


def _resnet(depth: int, times: int = 1) -> Architecture:
    suffix = f"x{times}" if times > 1 else ""
    label = f"ResNet-{depth}" + (f", {times} times as wide" if times > 1 else "")
    return _residual(f"resnet{depth}{suffix}", label, "resnet44x2", (depth - 2) // 6, times, wide=False)


def _wrn(depth: int, times: int) -> Architecture:
    teacher = "wrn-28-4" if depth == 10 else "wrn-16-8"
    return _residual(f"wrn-{depth}-{times}", f"WRN-{depth}-{times}", teacher, (depth - 4) // 6, times, wide=True)


def _convolutions(branches: int, fan_in: int, out: int, count: int) -> list[nn.Module]:
    return [Unit(branches, fan_in, out), *(Unit(branches, out, out) for _ in range(count - 1))]


def _vgg_trunk(count: int, picture: Sequence[int]) -> nn.Module:
    layers: list[nn.Module] = []
    for fan_in, out in ((picture[0], 64), (64, 128), (128, 256)):
        layers += [*_convolutions(1, fan_in, out, count), _halve()]
    return nn.Sequential(*layers)


def _vgg_last(count: int, branches: int, fan_in: int, width: int, picture: Sequence[int]) -> LastStage:
    early, late = _convolutions(branches, fan_in, width, count), _convolutions(branches, width, width, count)
    area = math.prod(math.ceil(side / 32) for side in picture)  # five poolings in all
    return Flattened(branches, nn.Sequential(*early, _halve(), *late), width, area)


def _vgg(depth: int) -> Architecture:
    count = (depth - 3) // 5
    return Architecture(
        f"vgg{depth}", f"VGG-{depth}", "vgg13", (64, 128, 256, 512), partial(_vgg_trunk, count), partial(_vgg_last, count)
    )


def _small_trunk(times: int, picture: Sequence[int]) -> nn.Module:
    """Halves the picture until it is 8x8 or smaller, at most twice: fine enough to look at, coarse enough to be quick."""
    channels, *sides = picture
    strides = [2 if max(sides) > 8 * halved else 1 for halved in (1, 2)]
    first, second = 16 * times, 32 * times
    return nn.Sequential(Unit(1, channels, first, stride=strides[0]), Unit(1, first, second, stride=strides[1]))


def _small_last(branches: int, fan_in: int, width: int, picture: Sequence[int]) -> LastStage:
    return Averaged(branches, Unit(branches, fan_in, width, stride=2), width)


def _small(times: int = 1) -> Architecture:
    suffix, size = (f"x{times}", f", {times} times as wide") if times > 1 else ("", "")
    widths = (16 * times, 32 * times, 80 * times)
    return Architecture(
        f"small-cnn{suffix}", f"small CNN{size}", "small-cnnx2", widths, partial(_small_trunk, times), _small_last
    )


ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        _small(),
        _small(2),  # its teacher
        *(_resnet(depth) for depth in (8, 20, 44, 56)),
        *(_resnet(depth, 2) for depth in (44, 56)),  # the paper's teachers
        *(_wrn(depth, times) for depth in (10, 16, 28) for times in (1, 2, 4, 8)),
        *(_vgg(depth) for depth in (8, 13)),
    )
}
