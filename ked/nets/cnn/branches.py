"""One convolutional net: a trunk, a split into M channel groups, M branches; and how wide branches may be (METHOD 1.5)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ked.errors import InvalidInput
from ked.nets.cnn.architectures import Architecture
from ked.nets.cnn.blocks import Dense, Drawn, Norm, Unit, join, separate


class Branches(nn.Module):
    """All that comes after the trunk: the split, the M last stages and the M heads. One branch is the plain form, unsplit."""

    def __init__(self, form: Architecture, picture: Sequence[int], classes: int, branches: int, width: int) -> None:
        super().__init__()
        trunk, plain = form.widths[-2], branches == 1
        self.divide = nn.Identity() if plain else Unit(1, trunk, branches * width, 1)
        self.stage = form.last(branches, trunk if plain else width, width, picture)
        self.head = Dense(branches, self.stage.features, classes)

    def forward(self, divided: Tensor) -> tuple[Tensor, Tensor]:
        """log y_m (M, C, B) and the maps before pooling (B, M*f, h, w) of the divided map (B, M*f, H, W)."""
        maps = self.stage(divided)
        return self.head(self.stage.pool(maps)).log_softmax(dim=-2), maps

    def stored(self) -> int:
        """How many numbers a saved net holds: trainable parameters and two running statistics a normalised channel."""
        norms = [layer for layer in self.modules() if isinstance(layer, Norm)]
        statistics = sum(layer.mean.numel() + layer.variance.numel() for layer in norms)
        return statistics + sum(parameter.numel() for parameter in self.parameters())


class BranchedNet(nn.Module):
    """One replica: pictures (B, D) to log y_m.

    Args:
        form: The architecture.
        picture: (channels, H, W).
        classes: C.
        branches: M; 1 is the plain form.
        width: f, channels of a group and of its branch.
    """

    def __init__(self, form: Architecture, picture: Sequence[int], classes: int, branches: int, width: int) -> None:
        super().__init__()
        self.picture, self.branch_count = tuple(picture), branches
        self.trunk = form.trunk(picture)
        self.branches = Branches(form, picture[1:], classes, branches, width)

    def reset(self, seed: int) -> None:
        """Start afresh: weights from the seed alone, and no batch seen."""
        generator = torch.Generator().manual_seed(seed)
        for layer in self.modules():
            if isinstance(layer, Drawn):
                layer.draw(generator)
            elif isinstance(layer, Norm):
                layer.restart()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """log y_m (M, C, B) and the last stage's maps before pooling (B, M*f, h, w) of x (B, D)."""
        log_y, maps = self.branches(self._divided(x))
        return log_y, maps

    def split(self, x: Tensor) -> Tensor:
        """The M channel groups (M, B, f, H', W') of x (B, D); the plain form's single one is the trunk's map."""
        return separate(self._divided(x), self.branch_count)

    def from_split(self, groups: Tensor) -> tuple[Tensor, Tensor]:
        """log y_m (M, C, B) and the maps before pooling (B, M*f, h, w) of the channel groups (M, B, f, H', W')."""
        log_y, maps = self.branches(join(groups))
        return log_y, maps

    def _divided(self, x: Tensor) -> Tensor:
        divided: Tensor = self.branches.divide(self.trunk(self._pictures(x)))
        return divided

    def _pictures(self, x: Tensor) -> Tensor:
        """(B, channels, H, W), channels_last, of (B, D)."""
        channels, *sides = self.picture
        flat = x.unflatten(-1, self.picture).movedim(1, -1).flatten(1)
        # Not `contiguous`: it leaves the strides of a grey picture as they are, and convolutions then fall back to channels first.
        pictures: Tensor = flat.unflatten(-1, (*sides, channels)).movedim(-1, 1)
        return pictures


def matched_width(form: Architecture, picture: Sequence[int], classes: int, superfeatures: int) -> int:
    """Largest f with which M branches store no more than the plain form's last stage; an error if even one channel does.

    Stored numbers are parameters and running statistics, as Keras counts. With trainable parameters alone the paper's nets
    get the same widths, but for WRN-10-2: 53, where the paper has 52.

    Args:
        form: The architecture.
        picture: (H, W).
        classes: C; the paper's widths are those of C = 10, also where it has more classes.
        superfeatures: M.
    """

    def stored(branches: int, width: int) -> int:
        with torch.device("meta"):
            return Branches(form, picture, classes, branches, width).stored()

    plain = form.widths[-1]
    budget = stored(1, plain)
    width = bisect_right(range(1, plain + 1), budget, key=lambda f: stored(superfeatures, f))
    if width == 0:
        raise InvalidInput(
            f"{superfeatures} superfeatures do not fit into the last stage of {form.label} even with one channel each; "
            "use fewer superfeatures or a wider net."
        )
    return width
