"""The layers of convolutional nets, each holding K replicas of M branches side by side along the channels.

A map is (B, K*M*c, H, W) in channels_last memory: one grouped convolution then serves all replicas and branches, and in
this memory format (and only in this one) it is at least as fast on a CPU as a loop over them.
Every parameter and every running statistic has K as its first dimension, so a replica is a slice.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

BN_MOMENTUM = 0.01  # Keras calls it 0.99: what stays of the running value
BN_EPSILON = 1e-3


class Lanes(NamedTuple):
    """How many independent nets lie side by side: K replicas of M branches (M = 1 in a trunk)."""

    K: int
    M: int


class Drawn(nn.Module):
    """A layer whose weights are drawn uniformly within 1/sqrt(fan in): torch's default for `Conv2d` and `Linear` alike."""

    weight: nn.Parameter
    bias: nn.Parameter | None

    def fan_in(self) -> int:
        """Inputs of one output unit."""
        return math.prod(self.weight.shape[3:])

    @torch.no_grad()
    def draw(self, k: int, generator: torch.Generator) -> None:
        """Fresh weights for replica k."""
        bound = 1 / math.sqrt(self.fan_in())
        for tensor in (self.weight, self.bias):
            if tensor is not None:
                fresh = torch.empty(tensor.shape[1:], dtype=torch.float32, device="cpu")
                tensor[k].copy_(fresh.uniform_(-bound, bound, generator=generator))


class Conv(Drawn):
    """A grouped convolution that keeps the size of the map, or halves it with stride 2.

    A bias is for convolutions without a batch norm after them (it would take the bias out again).
    """

    def __init__(self, lanes: Lanes, fan_in: int, out: int, kernel: int = 3, stride: int = 1, *, bias: bool = False) -> None:
        super().__init__()
        self.inputs, self.stride = fan_in, stride
        # Input channels last: flattened and permuted, this is a channels_last kernel without any copy.
        self.weight = nn.Parameter(torch.empty(*lanes, out, kernel, kernel, fan_in))
        self.bias = nn.Parameter(torch.empty(*lanes, out)) if bias else None

    def forward(self, h: Tensor) -> Tensor:
        """(B, K*M*out, H, W) of (B, K*M*in, H, W), or of (B, in, H, W) that all lanes share."""
        weight = self.weight.flatten(0, 2).permute(0, 3, 1, 2)
        bias = None if self.bias is None else self.bias.flatten()
        groups = h.shape[1] // self.inputs  # 1 when the lanes share their input: still a single convolution
        return nn.functional.conv2d(h, weight, bias, self.stride, weight.shape[-1] // 2, groups=groups)


class Norm(nn.Module):
    """Batch norm of every channel of every replica and branch by itself, with Keras's constants (METHOD 1.5).

    Running statistics are averages of the batches seen, weighted as Keras weighs them but without its start at mean 0 and
    variance 1: `seen` is the weight that the batches have so far (as in Adam's bias correction), and tends to 1. With
    Keras's start, a net trained for less than some 300 steps is useless in eval mode.
    """

    mean: Tensor
    variance: Tensor
    seen: Tensor

    def __init__(self, lanes: Lanes, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(*lanes, channels))
        self.shift = nn.Parameter(torch.zeros(*lanes, channels))
        self.register_buffer("mean", torch.zeros(*lanes, channels))
        self.register_buffer("variance", torch.zeros(*lanes, channels))
        self.register_buffer("seen", torch.zeros(lanes.K, 1, 1))

    @torch.no_grad()
    def restart(self) -> None:
        """As if no batch had been seen."""
        self.scale.fill_(1.0)
        for tensor in (self.shift, self.mean, self.variance, self.seen):
            tensor.zero_()

    def forward(self, h: Tensor) -> Tensor:
        """The same shape, each channel with mean `shift` and deviation `scale`."""
        # A channel with a single value (one sample, 1x1 map) has no variance: it is normalised as in eval mode.
        batch_statistics = self.training and h.numel() > h.shape[1]
        mean, variance = (self.mean, self.variance) if batch_statistics else self._corrected()
        if batch_statistics:
            self.seen.mul_(1 - BN_MOMENTUM).add_(BN_MOMENTUM)
        return nn.functional.batch_norm(
            h,
            mean.flatten(),
            variance.flatten(),
            self.scale.flatten(),
            self.shift.flatten(),
            batch_statistics,
            BN_MOMENTUM,
            BN_EPSILON,
        )

    def _corrected(self) -> tuple[Tensor, Tensor]:
        mean = torch.where(self.seen > 0, self.mean / self.seen, torch.zeros_like(self.mean))
        return mean, torch.where(self.seen > 0, self.variance / self.seen, torch.ones_like(self.variance))


class Unit(nn.Sequential):
    """Convolution, batch norm and, unless `active` is false, ReLU."""

    def __init__(self, lanes: Lanes, fan_in: int, out: int, kernel: int = 3, stride: int = 1, *, active: bool = True) -> None:
        super().__init__(Conv(lanes, fan_in, out, kernel, stride), Norm(lanes, out))
        if active:
            self.append(nn.ReLU(inplace=True))  # batch norm keeps its input for the backward pass, not its output


class Residual(nn.Module):
    """Two units and a shortcut around them, ReLU after the sum.

    The shortcut is either a 1x1 convolution with a bias and no batch norm (`project`), or costs nothing: every `stride`-th
    pixel, and new channels that are zero, half of them before and half after the old ones (option A, arXiv 1512.03385).
    """

    def __init__(self, lanes: Lanes, fan_in: int, out: int, stride: int, *, project: bool) -> None:
        super().__init__()
        self.lanes, self.stride, self.new = lanes, stride, out - fan_in
        self.body = nn.Sequential(Unit(lanes, fan_in, out, stride=stride), Unit(lanes, out, out, active=False))
        self.projection = Conv(lanes, fan_in, out, 1, stride, bias=True) if project else None

    def forward(self, h: Tensor) -> Tensor:
        """(B, K*M*out, H/stride, W/stride) of (B, K*M*in, H, W)."""
        return torch.relu_(self.body(h) + self._shortcut(h))

    def _shortcut(self, h: Tensor) -> Tensor:
        if self.projection is not None:
            return torch.as_tensor(self.projection(h))
        h = h[:, :, :: self.stride, :: self.stride]
        if self.new == 0:
            return h
        apart = h.unflatten(1, (math.prod(self.lanes), -1))
        padded = nn.functional.pad(apart, (0, 0, 0, 0, self.new - self.new // 2, self.new // 2))
        return padded.flatten(1, 2).contiguous(memory_format=torch.channels_last)


class Dense(Drawn):
    """A fully connected layer, the batch last as in `ked.nets`."""

    bias: nn.Parameter

    def __init__(self, lanes: Lanes, fan_in: int, out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(*lanes, out, fan_in))
        self.bias = nn.Parameter(torch.empty(*lanes, out, 1))

    def forward(self, h: Tensor) -> Tensor:
        """(K, M, out, B) of (K, M, in, B)."""
        out = torch.baddbmm(self.bias.flatten(0, 1), self.weight.flatten(0, 1), h.flatten(0, 1))
        return torch.unflatten(out, 0, h.shape[:2])


def separate(h: Tensor, lanes: Lanes) -> Tensor:
    """(K, M, B, c, H, W) of a map (B, K*M*c, H, W); no copy."""
    apart: Tensor = h.unflatten(1, (*lanes, -1))
    return apart.permute(1, 2, 0, 3, 4, 5)


def join(maps: Tensor) -> Tensor:
    """(B, K*M*c, H, W), channels_last, of separate maps (K, M, B, c, H, W); no copy if they come from `separate`."""
    return maps.permute(2, 0, 1, 3, 4, 5).flatten(1, 3).contiguous(memory_format=torch.channels_last)
