"""The layers of convolutional nets, each holding M branches side by side along the channels (a trunk has M = 1).

A map is (B, M*c, H, W) in channels_last memory: one grouped convolution then serves all branches. In this memory format a CPU
is as fast with it as with a loop over them, and faster where maps are small; in the other one it takes up to twice as long.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

BN_MOMENTUM = 0.01  # Keras calls it 0.99: what stays of the running value
BN_EPSILON = 1e-3


class Drawn(nn.Module):
    """A layer whose weights are drawn uniformly within 1/sqrt(fan in): torch's default for `Conv2d` and `Linear` alike."""

    weight: nn.Parameter
    bias: nn.Parameter | None

    def fan_in(self) -> int:
        """Inputs of one output unit."""
        return math.prod(self.weight.shape[2:])

    @torch.no_grad()
    def draw(self, generator: torch.Generator) -> None:
        """Fresh weights."""
        bound = 1 / math.sqrt(self.fan_in())
        for tensor in (self.weight, self.bias):
            if tensor is not None and not tensor.is_meta:
                fresh = torch.empty(tensor.shape, dtype=torch.float32, device="cpu")
                tensor.copy_(fresh.uniform_(-bound, bound, generator=generator))


class Conv(Drawn):
    """A grouped convolution that keeps the size of the map, or halves it with stride 2.

    A bias is for convolutions without a batch norm after them (it would take the bias out again).
    """

    def __init__(self, branches: int, fan_in: int, out: int, kernel: int = 3, stride: int = 1, *, bias: bool = False) -> None:
        super().__init__()
        self.stride = stride
        # Input channels last: flattened and permuted, this is a channels_last kernel without any copy.
        self.weight = nn.Parameter(torch.empty(branches, out, kernel, kernel, fan_in))
        self.bias = nn.Parameter(torch.empty(branches, out)) if bias else None

    def forward(self, h: Tensor) -> Tensor:
        """(B, M*out, H/stride, W/stride) of (B, M*in, H, W)."""
        weight = self.weight.flatten(0, 1).permute(0, 3, 1, 2)
        bias = None if self.bias is None else self.bias.flatten()
        padding = weight.shape[-1] // 2
        return nn.functional.conv2d(h, weight, bias, self.stride, padding, groups=len(self.weight))


class Norm(nn.Module):
    """Batch norm of every channel of every branch by itself, with Keras's constants (METHOD 1.5).

    Running statistics are averages of the batches seen, weighted as Keras weighs them but without its start at mean 0 and
    variance 1: `seen` is the weight that the batches have so far (as in Adam's bias correction), and tends to 1. With
    Keras's start, a net trained for less than some 300 steps is useless in eval mode.
    """

    mean: Tensor
    variance: Tensor
    seen: Tensor

    def __init__(self, branches: int, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(branches, channels))
        self.shift = nn.Parameter(torch.zeros(branches, channels))
        self.register_buffer("mean", torch.zeros(branches, channels))
        self.register_buffer("variance", torch.zeros(branches, channels))
        self.register_buffer("seen", torch.zeros(()))

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

    def __init__(self, branches: int, fan_in: int, out: int, kernel: int = 3, stride: int = 1, *, active: bool = True) -> None:
        super().__init__(Conv(branches, fan_in, out, kernel, stride), Norm(branches, out))
        if active:
            self.append(nn.ReLU(inplace=True))  # batch norm keeps its input for the backward pass, not its output


class Residual(nn.Module):
    """Two units and a shortcut around them, ReLU after the sum.

    The shortcut is either a 1x1 convolution with a bias and no batch norm (`project`), or costs nothing: every `stride`-th
    pixel, and new channels that are zero, half of them before and half after the old ones (option A, arXiv 1512.03385).
    """

    def __init__(self, branches: int, fan_in: int, out: int, stride: int, *, project: bool) -> None:
        super().__init__()
        self.branches, self.stride, self.new = branches, stride, out - fan_in
        self.body = nn.Sequential(Unit(branches, fan_in, out, stride=stride), Unit(branches, out, out, active=False))
        self.projection = Conv(branches, fan_in, out, 1, stride, bias=True) if project else None
        self.activate = nn.ReLU(inplace=True)

    def forward(self, h: Tensor) -> Tensor:
        """(B, M*out, H/stride, W/stride) of (B, M*in, H, W)."""
        total: Tensor = self.activate(self.body(h) + self._shortcut(h))
        return total

    def _shortcut(self, h: Tensor) -> Tensor:
        if self.projection is not None:
            return torch.as_tensor(self.projection(h))
        h = h[:, :, :: self.stride, :: self.stride]
        if self.new == 0:
            return h
        apart = h.unflatten(1, (self.branches, -1))
        padded = nn.functional.pad(apart, (0, 0, 0, 0, self.new - self.new // 2, self.new // 2))
        return padded.flatten(1, 2).contiguous(memory_format=torch.channels_last)


class Dense(Drawn):
    """A fully connected layer, the batch last as in `ked.nets`."""

    bias: nn.Parameter

    def __init__(self, branches: int, fan_in: int, out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(branches, out, fan_in))
        self.bias = nn.Parameter(torch.empty(branches, out, 1))

    def forward(self, h: Tensor) -> Tensor:
        """(M, out, B) of (M, in, B)."""
        return torch.baddbmm(self.bias, self.weight, h)


def separate(h: Tensor, branches: int) -> Tensor:
    """(M, B, c, H, W) of a map (B, M*c, H, W); no copy."""
    apart: Tensor = h.unflatten(1, (branches, -1))
    return apart.transpose(0, 1)


def join(maps: Tensor) -> Tensor:
    """(B, M*c, H, W), channels_last, of separate maps (M, B, c, H, W); no copy if they come from `separate`."""
    return maps.transpose(0, 1).flatten(1, 2).contiguous(memory_format=torch.channels_last)
