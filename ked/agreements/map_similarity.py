"""How alike two maps over the same pixels are: ranks, the strongest tenth, structural similarity (METHOD 4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ked.agreements.similarity import ranks

TOP = 0.1  # the share of the pixels that counts as the strongest
WINDOW, SIGMA = 11, 1.5  # pixels: structure is compared in such Gaussian windows
LUMINANCE, CONTRAST = 0.01**2, 0.03**2  # the paper's C1 and C2, for grey levels from 0 to 1


class Structure(NamedTuple):
    """Maps (..., H, W) as grey levels, and their local means and variances.

    0 is as strongly against as the map's strongest place is, 0.5 is nothing, 1 is for. On maps with signs themselves the measure would
    be of no use: where local means are opposite and patterns are too, the product of its two factors is positive.
    """

    values: Tensor
    mean: Tensor
    variance: Tensor


class PixelMaps:
    """Maps in every form in which they are compared; each form is made once, when it is asked for.

    Args:
        values: (..., D) a value a feature.
        shape: How a sample is laid out, (H, W), (channels, H, W) or (D,); a pixel's channels are added up.
    """

    def __init__(self, values: Tensor, shape: Sequence[int]) -> None:
        self._sides = tuple(shape[-2:])
        self.values = values.unflatten(-1, (-1, *self._sides)).sum(dim=-1 - len(self._sides)).flatten(-len(self._sides))

    @cached_property
    def rank_directions(self) -> Tensor:
        """(..., P) ranks as unit vectors: two maps' rank correlation is their product; zero where a map is flat."""
        return normalize(ranks(self.values), dim=-1)

    @cached_property
    def strongest(self) -> Tensor:
        """(..., P) membership in the strongest tenth."""
        return strongest(self.values)

    @cached_property
    def structure(self) -> Structure:
        """What structural similarity compares; of pictures only."""
        largest = self.values.abs().amax(dim=-1, keepdim=True)
        shares = self.values / largest.clamp_min(torch.finfo(largest.dtype).tiny)
        values = (0.5 + shares / 2).unflatten(-1, self._sides)
        mean = smooth(values)
        return Structure(values, mean, smooth(values**2) - mean**2)


def strongest(values: Tensor) -> Tensor:
    """(..., P) membership in the top tenth of values, 0 to 1: pixels that tie for the last places share them equally."""
    count = max(1, round(TOP * values.shape[-1]))
    least = values.topk(count, dim=-1).values[..., -1:]
    above, tied = (values > least).to(values), (values == least).to(values)
    return above + tied * ((count - above.sum(dim=-1, keepdim=True)) / tied.sum(dim=-1, keepdim=True))


def overlap(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of two sets with shares of members, (...) of (..., P)."""
    return torch.minimum(a, b).sum(dim=-1) / torch.maximum(a, b).sum(dim=-1)


def ssim(a: Structure, b: Structure) -> Tensor:
    """Mean structural similarity, -1 to 1, (...) (Wang et al. 2004, equation 13 and the mean over all windows).

    A window that reaches over the picture's edge is cut there and weighed anew, so that pictures smaller than it have one too.
    """
    covariance = smooth(a.values * b.values) - a.mean * b.mean
    luminance = (2 * a.mean * b.mean + LUMINANCE) / (a.mean**2 + b.mean**2 + LUMINANCE)
    structure = (2 * covariance + CONTRAST) / (a.variance + b.variance + CONTRAST)
    return (luminance * structure).mean(dim=(-2, -1))


def smooth(maps: Tensor) -> Tensor:
    """Local means of maps (..., H, W): a Gaussian window falls into a row's and a column's, so two matrix products."""
    across, down = (_windows(side).to(maps) for side in (maps.shape[-1], maps.shape[-2]))
    return down @ maps @ across.T


def _windows(side: int) -> Tensor:
    """(side, side) the weights of each place's window."""
    away = torch.arange(side)[:, None] - torch.arange(side)
    weights = torch.exp(-(away.double() ** 2) / (2 * SIGMA**2)) * (away.abs() <= WINDOW // 2)
    return weights / weights.sum(dim=1, keepdim=True)
