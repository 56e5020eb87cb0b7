"""What an attribution is asked: which net, which samples and classes, and what stands for an absent feature."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from ked.attribution.evidence import Evidence
from ked.data import Dataset
from ked.errors import InvalidInput
from ked.groupings import blocks
from ked.nets.stack import Stack

SQUARES = 16  # parts of a picture where superfeatures are no pixels


@dataclass(frozen=True, eq=False)
class Reference:
    """What stands for an absent feature, the same for all methods: the training mean.

    baseline: (D,) mean of each feature over the training samples.
    spread: mean over the features of their standard deviation: the unit in which samples are disturbed.
    """

    baseline: Tensor
    spread: float

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """The reference of a data set's training samples."""
        x = dataset.part("train")[0]
        return cls(x.mean(dim=0), float(x.std(dim=0, correction=0).mean()))


@dataclass(frozen=True, eq=False)
class Question:
    """How much does each feature of x speak for class `target` of one replica of a net?

    stack, k: the net, of this package, or anybody's (then k is 0).  x: (B, D) samples.  target: (B,) a class for each.
    reference: what absent features are replaced by.
    parts: P groups of features, a disjoint cover, that methods which take features away by groups use.
    shape: how a sample is laid out, (H, W), (channels, H, W) or (D,).
    net: the replica's evidence, (B, D) to (B, C).

    Raises InvalidInput where these do not fit together.
    """

    stack: nn.Module
    k: int
    x: Tensor
    target: Tensor
    reference: Reference
    parts: Sequence[Sequence[int]]
    shape: tuple[int, ...]
    net: Evidence = field(init=False)

    def __post_init__(self) -> None:
        D = self.x.shape[-1]
        if math.prod(self.shape) != D or self.reference.baseline.shape != (D,):
            raise InvalidInput(f"samples of {D} features do not fit the layout {self.shape} or the baseline.")
        if sorted(i for part in self.parts for i in part) != list(range(D)):
            raise InvalidInput(f"the parts must hold each of the {D} features once.")
        object.__setattr__(self, "net", Evidence(self.stack, self.k, self.shape))
        classes = self.net(self.x[:1]).shape[-1]
        if self.target.shape != self.x.shape[:1] or not 0 <= int(self.target.min()) <= int(self.target.max()) < classes:
            raise InvalidInput(f"each of the {len(self.x)} samples needs one of the classes 0 to {classes - 1}.")

    @property
    def ours(self) -> Stack:
        """The net, where it is one of this package's; InvalidInput for others, whose weights and coalitions nobody here can set."""
        if not isinstance(self.stack, Stack):
            raise InvalidInput("this is asked of the package's own nets alone, not of a net whose form is not known.")
        return self.stack

    def about(self, x: Tensor, target: Tensor) -> Self:
        """The same question to the same net, about other samples (B, D) and a class for each (B,)."""
        other = copy.copy(self)
        object.__setattr__(other, "x", x)
        object.__setattr__(other, "target", target)
        return other

    @property
    def baselines(self) -> Tensor:
        """The baseline for every sample, (B, D)."""
        return self.reference.baseline.to(self.x).expand_as(self.x)

    @property
    def labels(self) -> Tensor:
        """(D,) the part of each feature."""
        return labels_of(self.parts, self.x.shape[-1])

    @torch.no_grad()
    def evidence(self, x: Tensor) -> Tensor:
        """(B,) what the net says for the class in question, of samples like this question's."""
        said: Tensor = self.net(x)
        return said.gather(1, self.target[:, None])[:, 0]


def labels_of(parts: Sequence[Sequence[int]], features: int) -> Tensor:
    """(D,) the part of each feature."""
    labels = torch.empty(features, dtype=torch.int64)
    for number, part in enumerate(parts):
        labels[list(part)] = number
    return labels


def squares(shape: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Parts for where no superfeatures of input features are known: 16 blocks of a picture, or each column of a table."""
    if len(shape) < 2:
        return tuple((d,) for d in range(shape[0]))
    height, width = shape[-2:]
    labels = np.tile(blocks(height, width, min(SQUARES, height * width)).ravel(), math.prod(shape[:-2]))
    return tuple(tuple(np.flatnonzero(labels == p).tolist()) for p in range(labels.max() + 1))
