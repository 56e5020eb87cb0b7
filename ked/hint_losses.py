"""The losses of hints (`ked.hints`): the student's last maps before pooling against the teacher's, branch by branch (METHOD 1.6).

FitNet (arXiv 1412.6550), attention transfer (AT, arXiv 1612.03928), similarity preserving (SP, arXiv 1907.09682).
Maps are (K, M, B, channels, height, width): a plain net has one branch, a KED net one for each superfeature.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ked.errors import InvalidInput
from ked.nets.cnn.stack import ConvStack

_MOMENTUM, _EPS = 0.01, 1e-3  # of batch normalisation, as METHOD 1.5 has it
_STREAM = 1 << 32  # added to a replica's seed, so that its projection is not drawn from the numbers of its own first layer


class MapShape(NamedTuple):
    """Size of one branch's map for one sample."""

    channels: int
    height: int
    width: int


def map_shape(stack: ConvStack) -> MapShape:
    """Size of the maps that a net gives to hints, found without computing any."""
    ghost = copy.deepcopy(stack).to("meta").eval()
    maps = ghost.features(torch.empty(1, math.prod(stack.shape), device="meta"))[1]
    return MapShape(*maps.shape[3:])


class HintLoss(nn.Module):
    """How far the student's maps are from the teacher's; what it learns itself, if anything, trains with the student.

    Where the maps differ in height or width, those that are larger are averaged down to the smaller (adaptive average
    pooling, for each side by itself), unless the hint does not look at pixels one by one.
    """

    scale = 1.0
    pixelwise = True

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The hint's loss (K,), mean over the M branches; no gradient flows to the teacher.

        Args:
            student: (K, M, B, channels, H, W).
            teacher: (1, M, B, channels', H', W'), or K of them where each replica has a batch of its own.

        Raises:
            InvalidInput: The two differ in branches or samples.
        """
        if student.shape[1:3] != teacher.shape[1:3]:
            raise InvalidInput(
                f"a hint compares branch with branch and sample with sample, but the student's maps are {student.shape[1]} x "
                f"{student.shape[2]} and the teacher's {teacher.shape[1]} x {teacher.shape[2]}."
            )
        teacher = teacher.detach()
        if self.pixelwise:
            size = (min(student.shape[4], teacher.shape[4]), min(student.shape[5], teacher.shape[5]))
            student, teacher = _pool(student, size), _pool(teacher, size)
        student = self.project(student)
        # Squares and Gram matrices leave the range of half precision.
        with torch.autocast(student.device.type, enabled=False):
            loss: Tensor = self.scale * self.compare(_full(student), _full(teacher)).mean(dim=1)
        return loss

    def project(self, student: Tensor) -> Tensor:
        """The student's maps, brought to the teacher's form."""
        return student

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """(K, M) the loss of each branch, before scaling."""
        raise NotImplementedError


class FitNet(HintLoss):
    """MSE between the teacher's map and a projection of the student's: 3x3 convolution, batch normalisation, ReLU.

    Each branch of each replica has a projection of its own; all are one grouped convolution. They train with the student
    (give their parameters to its optimiser) and are thrown away afterwards, so they do not count as its parameters.

    Args:
        student, teacher: Shapes of the maps.
        branches: M.
        seeds: K seeds; replica k's projections are drawn from seeds[k] alone.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, student: MapShape, teacher: MapShape, branches: int, seeds: Sequence[int]) -> None:
        super().__init__()
        self.form = (len(seeds), branches)
        K_M, fan_in = len(seeds) * branches, student.channels * 9
        self.weight = nn.Parameter(torch.empty(K_M * teacher.channels, student.channels, 3, 3))
        self.gain = nn.Parameter(torch.ones(len(self.weight)))
        self.bias = nn.Parameter(torch.zeros(len(self.weight)))
        self.register_buffer("mean", torch.zeros(len(self.weight)))
        self.register_buffer("variance", torch.ones(len(self.weight)))
        bound = 1 / math.sqrt(fan_in)
        for weight, seed in zip(self.weight.data.chunk(len(seeds)), seeds, strict=True):
            weight.uniform_(-bound, bound, generator=torch.Generator().manual_seed(seed + _STREAM))

    def project(self, student: Tensor) -> Tensor:
        """(K, M, B, teacher's channels, H, W)."""
        K, M = self.form
        maps = student.permute(2, 0, 1, 3, 4, 5).flatten(1, 3)
        maps = functional.conv2d(maps, self.weight, padding=1, groups=K * M)
        # One value a channel has no spread to normalise by (a last batch of one sample, 1x1 maps).
        several = maps.shape[0] * maps.shape[2] * maps.shape[3] > 1
        maps = functional.batch_norm(
            maps, self.mean, self.variance, self.gain, self.bias, self.training and several, _MOMENTUM, _EPS
        )
        projected: Tensor = maps.relu().unflatten(1, (K, M, -1)).permute(1, 2, 0, 3, 4, 5)
        return projected

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """(K, M) mean squared difference."""
        return (student - teacher).square().mean(dim=(2, 3, 4, 5))


class AttentionTransfer(HintLoss):
    """1000 times the MSE between the maps' attention: squares summed over the channels, of length 1 for each sample.

    Of a map of one pixel that is 1 whatever the net does: the loss would be identically zero, and is refused.
    """

    scale = 1000.0

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """(K, M) mean squared difference over samples and pixels."""
        refuse_one_pixel(*student.shape[4:])
        return (_attention(student) - _attention(teacher)).square().mean(dim=(2, 3))


class SimilarityPreserving(HintLoss):
    """3000 times the MSE between the batch's Gram matrices (B, B) of flattened maps, each row of length 1.

    The matrices do not depend on the maps' sizes, so nothing is averaged down.
    """

    scale = 3000.0
    pixelwise = False

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """(K, M) mean squared difference over pairs of samples."""
        return (_gram(student) - _gram(teacher)).square().mean(dim=(2, 3))


def _attention(maps: Tensor) -> Tensor:
    return functional.normalize(maps.square().sum(dim=3).flatten(3), dim=3)


def _gram(maps: Tensor) -> Tensor:
    flat = maps.flatten(3)
    return functional.normalize(flat @ flat.transpose(2, 3), dim=3)


def _pool(maps: Tensor, size: tuple[int, int]) -> Tensor:
    if maps.shape[4:] == size:
        return maps
    pooled: Tensor = functional.adaptive_avg_pool2d(maps.flatten(0, 2), size).unflatten(0, maps.shape[:3])
    return pooled


def _full(maps: Tensor) -> Tensor:
    return maps.float() if maps.dtype in (torch.float16, torch.bfloat16) else maps


def refuse_one_pixel(height: int, width: int) -> None:
    """InvalidInput for maps whose attention says nothing."""
    if height * width == 1:
        raise InvalidInput(
            "the hint 'at' needs maps larger than 1x1, on which its loss is zero whatever the student does; "
            "use 'fitnet' or 'sp', or a net whose last map is larger."
        )
