"""Attributions of a net's logits summed over superfeatures: what can stand in for an explaining teacher's explanations.

Is Shapley needed (METHOD 1.3)? A black box has no subnets, but attributions of its logits, summed over a superfeature's
features, say as much about it: one number for each superfeature and class, in nats, centred over the classes. With integrated
gradients (Sundararajan et al. 2017) the sums add up to the logits less those of the baseline. Of an *explaining* net they are its
own contributions again, less those of the baseline: its subnets' logits add up, and along its own features a subnet's gradients
integrate to its difference. So the question is only worth asking of a black box.

A superfeature's sum needs no map over its features: it is the derivative along the superfeature's part of the way from the
baseline to the sample. M derivatives in forward mode give it for all C classes, where maps would take C passes backwards.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.func import jvp, vmap

from ked.explanation import centre

STEPS = 32  # points on the way: of nets as large as the paper's the sums then lack about a hundredth of the logits' difference

Sums = Callable[[Callable[[Tensor], Tensor], Tensor, Tensor, Sequence[Sequence[int]]], Tensor]
"""From a net, samples (B, D), a baseline (D,) and M groups of features to sums (B, M, C)."""


def integrated_gradients(
    net: Callable[[Tensor], Tensor], x: Tensor, baseline: Tensor, groups: Sequence[Sequence[int]], steps: int = STEPS
) -> Tensor:
    """Integrated gradients of the centred logits, summed over each group, (B, M, C), in nats.

    Args:
        net: From (B, D) to logits or log-probabilities (B, C), differentiable in forward mode.
        x: (B, D) samples.
        baseline: (D,) where the way begins.
        groups: M tuples of feature indices.
        steps: How many points of the way are looked at, each in the middle of an equal part of it.
    """
    way, parts = x - baseline, _parts(x, baseline, groups)
    return torch.stack([_slopes(net, baseline + (step + 0.5) / steps * way, parts) for step in range(steps)]).mean(dim=0)


def gradient(net: Callable[[Tensor], Tensor], x: Tensor, baseline: Tensor, groups: Sequence[Sequence[int]]) -> Tensor:
    """Gradient times input, counted from the baseline, of the centred logits, summed over each group, (B, M, C), in nats.

    Args: as of `integrated_gradients`, whose way is looked at in one point only, its end.
    """
    return _slopes(net, x, _parts(x, baseline, groups))


def completed(sums: Tensor, total: Tensor, base: Tensor) -> Tensor:
    """Sums (B, M, C) as explanations log y_m (B, M, C), up to a shift common to all classes, that add up to the prediction.

    log y_m = base + sum_m + rest / M, where rest = total - base - sum_m sum_m is what the sums leave out, which all superfeatures
    share: of integrated gradients what the baseline itself says beyond the base, of one gradient also how far the net is from linear.
    So every kind of attribution hands out the same whole by the student's own rule, total = sum_m log y_m - (M - 1) base
    (METHOD 1.3), and kinds differ in how they divide it, not in scale.

    Args:
        sums: Of attributions.
        total: (B, C) the teacher's logits or log-probabilities.
        base: (C,) what the student says of no superfeature.
    """
    rest = total - base - sums.sum(dim=1)
    return base + sums + (rest / sums.shape[1])[:, None]


def _parts(x: Tensor, baseline: Tensor, groups: Sequence[Sequence[int]]) -> Tensor:
    """(M, B, D): the way from the baseline to the samples, of each group's features alone."""
    mask = x.new_zeros(len(groups), 1, x.shape[-1])
    for m, group in enumerate(groups):
        mask[m, 0, list(group)] = 1
    return mask * (x - baseline)


def _slopes(net: Callable[[Tensor], Tensor], x: Tensor, directions: Tensor) -> Tensor:
    """(B, M, C): derivatives of the centred logits at x (B, D) along directions (M, B, D)."""

    def along(direction: Tensor) -> Tensor:
        slope: Tensor = jvp(net, (x,), (direction,))[1]
        return slope

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.script`", FutureWarning)  # torch's own, at its first derivative in forward mode
        slopes: Tensor = vmap(along)(directions)
    return centre(slopes).transpose(0, 1)
