"""The convolutional counterpart of `ked.nets.SubnetStack`: a trunk, a split into M channel groups, M branches.

It offers what a `SubnetStack` offers, so training, losses and explanations treat both alike. A net of one branch is the
plain form: no split, one head.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ked.cnn.architectures import Architecture, architecture_named
from ked.cnn.blocks import Conv, Dense, Drawn, Lanes, Norm, Unit, join, separate
from ked.errors import InvalidInput


class ConvStack(nn.Module):
    """K replicas of a convolutional net whose M superfeatures are groups of channels (METHOD 1.5).

    Trunk (all but the last stage), 1x1 convolution with batch norm and ReLU to M*f channels, M copies of the last stage
    with a head each: log y_m is the log-softmax of head m, total logit = sum_m log y_m - (M - 1) base.

    Args:
        architecture: A key of `ked.cnn.ARCHITECTURES`.
        shape: (H, W) or (channels, H, W) of a picture; D is their product, channels first.
        classes: C.
        superfeatures: M; 1 is the plain form.
        width: f, channels of a group and of its branch; by default the most that the plain form's budget allows.
        replicas: K independent nets (one a seed).
        base: (C,) zeros unless given: the paper leaves it out, as classes are balanced.
    """

    base: Tensor
    activation = "relu"

    def __init__(
        self,
        architecture: str,
        shape: Sequence[int],
        classes: int,
        *,
        superfeatures: int = 1,
        width: int | None = None,
        replicas: int = 1,
        base: Tensor | None = None,
    ) -> None:
        super().__init__()
        form = architecture_named(architecture)
        channels, *self.picture = _picture(shape)
        if superfeatures < 1 or (width is not None and width < 1):
            raise InvalidInput(f"{superfeatures} superfeatures of {width} channels make no net; use at least one of each.")
        if width is None and superfeatures > 1:
            width = matched_width(form, self.picture, classes, superfeatures)
        self.architecture, self.shape, self.classes = architecture, tuple(shape), classes
        self.replicas, self.superfeatures = replicas, superfeatures
        self.width = form.widths[-1] if width is None or superfeatures == 1 else width
        self.lanes = Lanes(replicas, superfeatures)
        self.register_buffer("base", torch.zeros(classes) if base is None else base.detach().clone())
        self.trunk = form.trunk(Lanes(replicas, 1), channels)
        self.branches = Branches(form, self.picture, classes, self.lanes, self.width)
        self.reset(range(replicas))

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """M tuples: which channels at the split are whose."""
        return tuple(tuple(range(m * self.width, (m + 1) * self.width)) for m in range(self.superfeatures))

    @property
    def hidden(self) -> tuple[int, ...]:
        """Channels of each stage, the last of which is a branch's."""
        return (*architecture_named(self.architecture).widths[:-1], self.width)

    @property
    def config(self) -> dict[str, Any]:
        """What builds the same net again, `ConvStack(**config)`, but for weights and base; plain JSON types."""
        return {
            "architecture": self.architecture,
            "shape": list(self.shape),
            "classes": self.classes,
            "superfeatures": self.superfeatures,
            "width": self.width,
            "replicas": self.replicas,
        }

    def reset(self, seeds: Sequence[int]) -> None:
        """Start afresh: replica k's weights from seeds[k] alone, drawn as torch draws by default, and no batch seen."""
        if len(seeds) != self.replicas:
            raise InvalidInput(f"{self.replicas} replicas need as many seeds, not {len(seeds)}.")
        for k, seed in enumerate(seeds):
            generator = torch.Generator().manual_seed(seed)
            for layer in self.modules():
                if isinstance(layer, Drawn):
                    layer.draw(k, generator)
        for layer in self.modules():
            if isinstance(layer, Norm):
                layer.restart()

    def arrange(self, x: Tensor) -> Tensor:
        """The samples (..., D) as they are, once it is clear that they are pictures of the right size."""
        expected = math.prod(self.shape)
        if x.shape[-1] != expected:
            raise InvalidInput(f"the samples have {x.shape[-1]} features, but the net was built for {expected}.")
        return x

    def split(self, arranged: Tensor) -> Tensor:
        """The M channel groups (K, M, B, f, H', W') of inputs (B, D) shared or (K, B, D); the plain form's is the trunk's map."""
        return separate(self.branches.divide(self.trunk(self._as_maps(arranged))), self.lanes)

    def from_split(self, groups: Tensor) -> tuple[Tensor, Tensor]:
        """log y_m (K, M, C, B), and the last stage's maps before pooling (K, M, B, f, h, w), of the channel groups."""
        log_y, maps = self.branches(join(groups))
        return log_y, separate(maps, self.lanes)

    def features(self, arranged: Tensor) -> tuple[Tensor, Tensor]:
        """log y_m (K, M, C, B) and the last stage's maps before pooling (K, M, B, f, h, w), in one pass (METHOD 1.6)."""
        return self.from_split(self.split(arranged))

    def subnet_log_probabilities(self, arranged: Tensor) -> Tensor:
        """log y_m with the batch last, (K, M, C, B), of inputs (B, D) shared or (K, B, D) one batch a replica."""
        return self.features(arranged)[0]

    def total(self, log_y: Tensor) -> Tensor:
        """Total logits (K, C, B) of log y_m (K, M, C, B), batch last: sum_m log y_m - (M - 1) base."""
        if log_y.shape[1] == 1:
            return log_y[:, 0]
        return log_y.sum(dim=1) - (log_y.shape[1] - 1) * self.base[:, None]

    def explanations(self, x: Tensor) -> Tensor:
        """The net's own explanations log y_m, (K, M, B, C), of x (B, D) or (K, B, D)."""
        return self.subnet_log_probabilities(self.arrange(x)).transpose(-1, -2)

    def forward(self, x: Tensor) -> Tensor:
        """Total logits (K, B, C) of x (B, D) or (K, B, D); softmax over the last axis gives the prediction."""
        return self.total(self.subnet_log_probabilities(self.arrange(x))).transpose(-1, -2)

    def replica(self, k: int) -> ConvStack:
        """A copy that holds replica k alone (K = 1), running statistics too, on the same device and in the same dtype."""
        one = ConvStack(**(self.config | {"replicas": 1}), base=self.base).to(self.base)
        mine = one.state_dict()
        with torch.no_grad():
            for name, theirs in self.state_dict().items():
                if name != "base":
                    mine[name].copy_(theirs[k : k + 1])
        return one.train(self.training)

    def kernels(self) -> Iterator[nn.Parameter]:
        """The convolutions' kernels: what METHOD 1.5's weight decay is for, and nothing else."""
        return (layer.weight for layer in self.modules() if isinstance(layer, Conv))

    @property
    def parameter_count(self) -> int:
        """Trainable parameters of one replica."""
        return sum(parameter[0].numel() for parameter in self.parameters())

    def _as_maps(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) of (B, D), (B, K*channels, H, W) of (K, B, D); channels_last."""
        h: Tensor = x.unflatten(-1, (-1, *self.picture))
        h = h if x.dim() == 2 else h.transpose(0, 1).flatten(1, 2)
        return h.contiguous(memory_format=torch.channels_last)


class Branches(nn.Module):
    """All that comes after the trunk: the split, the M last stages and the M heads."""

    def __init__(self, form: Architecture, picture: Sequence[int], classes: int, lanes: Lanes, width: int) -> None:
        super().__init__()
        trunk, plain = form.widths[-2], lanes.M == 1
        self.divide = nn.Identity() if plain else Unit(Lanes(lanes.K, 1), trunk, lanes.M * width, 1)
        self.stage = form.last(lanes, trunk if plain else width, width, picture)
        self.head = Dense(lanes, self.stage.features, classes)

    def forward(self, divided: Tensor) -> tuple[Tensor, Tensor]:
        """log y_m (K, M, C, B) and the maps before pooling (B, K*M*f, h, w) of the divided map (B, K*M*f, H, W)."""
        maps = self.stage(divided)
        return self.head(self.stage.pool(maps)).log_softmax(dim=-2), maps

    def stored(self) -> int:
        """Numbers that one replica keeps: trainable parameters, and two running statistics a normalised channel."""
        norms = [layer for layer in self.modules() if isinstance(layer, Norm)]
        trainable = sum(parameter[0].numel() for parameter in self.parameters())
        return trainable + sum(layer.mean[0].numel() + layer.variance[0].numel() for layer in norms)


def matched_width(form: Architecture, picture: Sequence[int], classes: int, superfeatures: int) -> int:
    """Largest f with which M branches store no more than the plain form's last stage; an error if even one channel does.

    Stored numbers are parameters and running statistics, as Keras counts. Counting trainable parameters alone gives the same
    for the paper's nets but for WRN-10-2, where it gives 53 and the paper has 52.
    """

    def stored(branches: int, width: int) -> int:
        with torch.device("meta"):
            return Branches(form, picture, classes, Lanes(1, branches), width).stored()

    plain = form.widths[-1]
    budget = stored(1, plain)
    width = bisect_right(range(1, plain + 1), budget, key=lambda f: stored(superfeatures, f))
    if width == 0:
        raise InvalidInput(
            f"{superfeatures} superfeatures do not fit into the last stage of {form.label} even with one channel each; "
            "use fewer superfeatures or a wider net."
        )
    return width


def explaining_cnn(counterpart: ConvStack, superfeatures: int, base: Tensor | None = None, *, replicas: int = 1) -> ConvStack:
    """The explaining form of a plain net: no more parameters than it, base zeros unless given."""
    one = counterpart.config | {"superfeatures": superfeatures, "width": None, "replicas": replicas}
    return ConvStack(**one, base=base)


def _picture(shape: Sequence[int]) -> tuple[int, ...]:
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise InvalidInput(
            f"samples of shape {tuple(shape)} are no pictures; a convolutional net needs (H, W) or (channels, H, W)."
        )
    return tuple(shape) if len(shape) == 3 else (1, *shape)
