"""Are the channel groups of a convolutional net independent? The dependency graph of the channels at the split (METHOD 1.1, 1.5).

A channel's coordinate is its mean over the map: moving it by one adds one to every pixel of the channel. The net after the
split is piecewise linear in the maps, up to a shift common to all classes, so the closed form of `ked.dependency` holds, with
the gradients summed over each channel's pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ked.communities.partition import between
from ked.dependency.piecewise_linear import factor_rows
from ked.nets.cnn.stack import ConvStack

_CHUNK = 128  # samples at a time


class _AfterSplit(nn.Module):
    """The net from the split on: maps (B, M * f * H * W) to total logits (B, C)."""

    def __init__(self, stack: ConvStack, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.stack, self.shape = stack, shape

    def forward(self, flat: Tensor) -> Tensor:
        """Total logits (B, C)."""
        maps = flat.unflatten(1, self.shape).movedim(0, 1)  # (M, B, f, H, W)
        log_y, _ = self.stack.from_split(maps[None])
        return self.stack.total(log_y)[0].T


def channel_dependency(
    stack: ConvStack, x: Tensor, k: int = 0, *, reduce: str = "abs_mean", progress: Callable[[float], None] | None = None
) -> Tensor:
    """W (F, F) of the F = M * f channels at the split, in the order of `stack.groups`.

    Args:
        stack: A net with branches; of the plain form the one group is the trunk's map.
        x: (N, D) the samples that it is averaged over.
        k: The replica.
        reduce: "abs_mean" or "mean_abs", as in `ked.dependency.dependency_matrix`.
        progress: Called with the finished share, 0 to 1.
    """
    one = stack.replica(k).eval()
    H, done = x.new_zeros(()), 0
    for part in x.split(_CHUNK):
        with torch.no_grad():
            maps = one.split(part)[0].movedim(1, 0)  # (B, M, f, H, W)
        net = _AfterSplit(one, tuple(maps.shape[1:]))
        with torch.enable_grad():
            rows = [
                row.view(len(part), maps.shape[1] * maps.shape[2], -1).sum(2) for row in factor_rows(net, maps.flatten(1), 1.0)
            ]
        products = torch.stack(rows, dim=1)  # (B, C - 1, F)
        each = products.mT @ products
        H = H + (each.abs() if reduce == "mean_abs" else each).sum(dim=0)
        done += len(part)
        if progress is not None:
            progress(done / len(x))
    W: Tensor = 2 * H.abs() * (stack.classes / len(x))
    return W.fill_diagonal_(0)


@dataclass(frozen=True)
class GroupLinks:
    """How much of a dependency graph lies inside its groups.

    inside: share of the total link strength that lies inside the groups; 1 if groups are independent of each other.
    chance: the share of all pairs that do: what `inside` would be if strength were spread evenly over the pairs.
    means: (M, M) mean strength of the links inside (diagonal) and between groups, as a multiple of the mean over all pairs;
        NaN inside a group of a single channel.
    """

    inside: float
    chance: float
    means: np.ndarray


def group_links(W: np.ndarray, groups: Sequence[Sequence[int]]) -> GroupLinks:
    """Whether M groups of channels (or features) are independent of each other, from W (F, F); `inside` is NaN without links."""
    labels = np.empty(len(W), dtype=int)
    for m, group in enumerate(groups):
        labels[list(group)] = m
    strength = between(np.asarray(W, dtype=float), labels)  # both count each inner link twice, and the others once on each side
    pairs = between(1 - np.eye(len(W)), labels)
    with np.errstate(invalid="ignore"):
        means = (strength / strength.sum()) / (pairs / pairs.sum())
        return GroupLinks(float(np.trace(strength) / strength.sum()), float(np.trace(pairs) / pairs.sum()), means)
