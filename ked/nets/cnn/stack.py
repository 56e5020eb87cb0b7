"""The convolutional counterpart of `ked.nets.SubnetStack`: training, losses and explanations treat both alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from ked.errors import InvalidInput
from ked.nets.cnn.architectures import architecture_named
from ked.nets.cnn.blocks import Conv, separate
from ked.nets.cnn.branches import BranchedNet, matched_width
from ked.nets.stack import Stack


class ConvStack(Stack):
    """K replicas of a convolutional net whose M superfeatures are groups of channels (METHOD 1.5).

    Trunk (all but the last stage), 1x1 convolution with batch norm and ReLU to M*f channels, M copies of the last stage
    with a head each: log y_m is the log-softmax of head m, total logit = sum_m log y_m - (M - 1) base.

    Branches run as grouped convolutions, replicas one after the other: K replicas in one convolution no longer fit into a CPU's
    cache and take 1.2 to 1.7 times as long, but for pictures as small as 8x8.

    Args:
        architecture: A key of `ked.nets.cnn.ARCHITECTURES`.
        shape: (H, W) or (channels, H, W) of a picture; D is their product, channels first.
        classes: C.
        superfeatures: M; 1 is the plain form: no split, one head.
        width: f, channels of a group and of its branch; by default the most that the plain form's budget allows.
        replicas: K independent nets (one a seed).
        base: (C,) zeros unless given; explaining nets of runs get their black box's, so that phi stays a Shapley value.

    >>> net = ConvStack("small-cnn", (8, 8), 10, superfeatures=4, replicas=2)
    >>> net(torch.rand(5, 64)).shape, len(net.groups)
    (torch.Size([2, 5, 10]), 4)
    """

    activation = "relu"
    chunk = 512
    of_channels = True

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
        form, picture = architecture_named(architecture), _picture(shape)
        if superfeatures < 1 or (width is not None and width < 1):
            raise InvalidInput(f"{superfeatures} superfeatures of {width} channels make no net; use at least one of each.")
        if width is None and superfeatures > 1:
            width = matched_width(form, picture[1:], classes, superfeatures)
        self.width = form.widths[-1] if width is None else width
        self.architecture, self.shape, self.classes = architecture, tuple(shape), classes
        self.replicas, self.superfeatures = replicas, superfeatures
        self.groups = tuple(tuple(range(m * self.width, (m + 1) * self.width)) for m in range(superfeatures))
        self.hidden = (*form.widths[:-1], self.width)
        self.register_buffer("base", torch.zeros(classes) if base is None else base.detach().clone())
        self.nets = nn.ModuleList(BranchedNet(form, picture, classes, superfeatures, self.width) for _ in range(replicas))
        self.reset(range(replicas))

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
        """Start afresh: replica k from seeds[k] alone, weights drawn as torch draws them by default, and no batch seen."""
        if len(seeds) != self.replicas:
            raise InvalidInput(f"{self.replicas} replicas need as many seeds, not {len(seeds)}.")
        for net, seed in zip(self._nets(), seeds, strict=True):
            net.reset(seed)

    def arrange(self, x: Tensor) -> Tensor:
        """The samples (..., D) as they are, once it is clear that they are pictures of the right size."""
        expected = math.prod(self.shape)
        if x.shape[-1] != expected:
            raise InvalidInput(f"the samples have {x.shape[-1]} features, but the net was built for {expected}.")
        return x

    def subnet_log_probabilities(self, arranged: Tensor) -> Tensor:
        """log y_m with the batch last, (K, M, C, B), of inputs (B, D) shared or (K, B, D) one batch a replica."""
        return torch.stack([net(x)[0] for net, x in self._pairs(arranged)])

    def features(self, arranged: Tensor) -> tuple[Tensor, Tensor]:
        """log y_m (K, M, C, B) and the last stage's maps before pooling (K, M, B, f, h, w), in one pass (METHOD 1.6)."""
        return self._stacked([net(x) for net, x in self._pairs(arranged)])

    def split(self, arranged: Tensor) -> Tensor:
        """The M channel groups (K, M, B, f, H', W') of inputs (B, D) or (K, B, D); the plain form's is the trunk's map."""
        return torch.stack([net.split(x) for net, x in self._pairs(arranged)])

    def from_split(self, groups: Tensor) -> tuple[Tensor, Tensor]:
        """What `features` gives, from the channel groups (K, M, B, f, H', W') on."""
        return self._stacked([net.from_split(one) for net, one in zip(self._nets(), groups, strict=True)])

    def replica(self, k: int) -> Self:
        """A copy that holds replica k alone (K = 1), running statistics too, on the same device and in the same dtype."""
        one = type(self)(**(self.config | {"replicas": 1}), base=self.base).to(self.base)
        one.nets[0].load_state_dict(self.nets[k].state_dict())
        return one.train(self.training)

    def kernels(self) -> list[nn.Parameter]:
        """The convolutions' kernels: what METHOD 1.5's weight decay is for, and nothing else."""
        return [layer.weight for layer in self.modules() if isinstance(layer, Conv)]

    @property
    def parameter_count(self) -> int:
        """Trainable parameters of one replica."""
        return sum(parameter.numel() for parameter in self.nets[0].parameters())

    def _nets(self) -> list[BranchedNet]:
        return [net for net in self.nets if isinstance(net, BranchedNet)]

    def _pairs(self, x: Tensor) -> list[tuple[BranchedNet, Tensor]]:
        batches = [x] * self.replicas if x.dim() == 2 else x.unbind()
        return list(zip(self._nets(), batches, strict=True))

    def _stacked(self, results: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        log_y = torch.stack([log_y for log_y, _ in results])
        return log_y, torch.stack([separate(maps, self.superfeatures) for _, maps in results])


def explaining_cnn(counterpart: ConvStack, superfeatures: int, base: Tensor | None = None, *, replicas: int = 1) -> ConvStack:
    """The explaining form of a plain net: no more parameters than it, base zeros unless given.

    >>> plain = ConvStack("small-cnn", (8, 8), 10)
    >>> explaining = explaining_cnn(plain, superfeatures=4)
    >>> len(explaining.groups), explaining.parameter_count <= plain.parameter_count
    (4, True)
    """
    config = counterpart.config | {"superfeatures": superfeatures, "width": None, "replicas": replicas}
    return ConvStack(**config, base=base)


def _picture(shape: Sequence[int]) -> tuple[int, ...]:
    """(channels, H, W)."""
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise InvalidInput(
            f"samples of shape {tuple(shape)} are no pictures; a convolutional net needs (H, W) or (channels, H, W)."
        )
    return tuple(shape) if len(shape) == 3 else (1, *shape)
