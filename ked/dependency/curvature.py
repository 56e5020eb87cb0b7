"""Whether something is curved in its input, measured by differentiating it twice along random directions.

Zero means exactly zero: automatic differentiation gives a piecewise linear net's second derivative as zeros, not as small numbers,
and where rounding makes it something else the general path is right all the same.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ked.dependency.probing import gradient

_EXACT = 2**22  # sums of whole numbers up to this are exact in float32, in any order


def is_flat(z: Tensor, source: Tensor, generator: torch.Generator) -> bool:
    """Whether logits z (N, C) have no curvature in what they are computed from, (N, ...), but for a shift common to all classes.

    u.z with weights u that add up to zero does not see such a shift, so a net that returns the log-softmax of piecewise linear
    logits passes too. u is made of whole numbers, so that its sum is exactly zero in floating point, and of many, so that no two
    classes' curvatures cancel by chance; none is zero, so that it sees every class.
    """
    most = max(16, _EXACT // z.shape[1])
    u = torch.randint(1, most, z.shape, generator=generator, device="cpu").to(z)
    u[:, -1] = -u[:, :-1].sum(dim=1)
    return slope_and_flatness(z, source, u, generator)[1]


def slope_and_flatness(y: Tensor, source: Tensor, u: Tensor, generator: torch.Generator) -> tuple[Tensor, bool]:
    """The derivative of u.y at each sample, shaped as `source`, and whether its own, in a random direction, is exactly zero."""
    slope = gradient(y, source, u, create_graph=True)
    if slope is None or not slope.requires_grad:  # a linear net with frozen weights: its slope is a constant
        return (torch.zeros_like(source) if slope is None else slope), True
    v = torch.randn(source.shape, generator=generator, device="cpu").to(source)
    bend = gradient(slope, source, v)
    return slope.detach(), bend is None or not bool(bend.any())
