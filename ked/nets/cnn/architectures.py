"""The convolutional nets of METHOD 1.5 as a table: a trunk, which all branches share, and the last stage, which each has.

The forms are those for which the paper's branch widths f come out (tests/test_cnn.py): ResNets with shortcuts free of
parameters; wide ResNets with activations after the sum, a first layer as wide as the first stage and a projection in the
first block of every stage; VGGs whose last stage is all that follows the third pooling, with two hidden dense layers as wide
as its convolutions. The table is names and numbers; `ked.nets.cnn.stages` makes layers of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ked.errors import InvalidInput

if TYPE_CHECKING:
    from torch import nn

    from ked.nets.cnn.stages import LastStage


@dataclass(frozen=True)
class Architecture:
    """A net but for its heads.

    Attributes:
        name: As on the command line.
        label: As on a chart.
        teacher: The name of the net that teaches it where none is asked for: the paper's pairs (METHOD 1.5).
        widths: Channels of the trunk's stages and of the last stage of the plain form.
        family: What its stages are made of, a key of `ked.nets.cnn.stages.FAMILIES`.
        depth: Blocks, or convolutions, of a stage.

    >>> ARCHITECTURES["small-cnn"].widths[-1], ARCHITECTURES["small-cnn"].label
    (80, 'small CNN')
    """

    name: str
    label: str
    teacher: str
    widths: tuple[int, ...]
    family: str
    depth: int = 1

    def trunk(self, picture: Sequence[int]) -> nn.Module:
        """The trunk, from a picture (channels, H, W) to a map of widths[-2] channels."""
        from ked.nets.cnn.stages import FAMILIES

        return FAMILIES[self.family].trunk(self.widths, self.depth, picture)

    def last(self, branches: int, fan_in: int, width: int, picture: Sequence[int]) -> LastStage:
        """The last stage of any width, for so many branches and channels in; picture: (H, W)."""
        from ked.nets.cnn.stages import FAMILIES

        return FAMILIES[self.family].last(self.depth, branches, fan_in, width, picture)


def architecture_named(name: str) -> Architecture:
    """The row of `ARCHITECTURES` with that name; an error that lists what there is.

    >>> architecture_named("resnet8").teacher
    'resnet44x2'
    """
    if name not in ARCHITECTURES:
        raise InvalidInput(f"net {name!r} is unknown; use one of {', '.join(ARCHITECTURES)}.")
    return ARCHITECTURES[name]


def _times(times: int) -> tuple[str, str]:
    """What a name and a label say of a net that is so many times as wide."""
    return (f"x{times}", f", {times} times as wide") if times > 1 else ("", "")


def _small(times: int = 1) -> Architecture:
    suffix, size = _times(times)
    return Architecture(f"small-cnn{suffix}", f"small CNN{size}", "small-cnnx2", (16 * times, 32 * times, 80 * times), "small")


def _resnet(depth: int, times: int = 1) -> Architecture:
    suffix, size = _times(times)
    widths = (16 * times, 32 * times, 64 * times)
    return Architecture(f"resnet{depth}{suffix}", f"ResNet-{depth}{size}", "resnet44x2", widths, "resnet", (depth - 2) // 6)


def _wrn(depth: int, times: int) -> Architecture:
    teacher, widths = "wrn-28-4" if depth == 10 else "wrn-16-8", (16 * times, 32 * times, 64 * times)
    return Architecture(f"wrn-{depth}-{times}", f"WRN-{depth}-{times}", teacher, widths, "wrn", (depth - 4) // 6)


def _vgg(depth: int) -> Architecture:
    return Architecture(f"vgg{depth}", f"VGG-{depth}", "vgg13", (64, 128, 256, 512), "vgg", (depth - 3) // 5)


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
