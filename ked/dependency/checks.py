"""Nets for which there is no dependency matrix, found by asking them: each is refused in a sentence that names the reason.

A net is asked about a few samples only, twice and together with others; a precision too coarse is seen while it computes.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from ked.dependency.derivatives import check_curvature, warn_of_slope
from ked.dependency.piecewise_linear import CUT_OFF
from ked.dependency.probing import chunks, gradient, trace
from ked.dependency.samples import Watched, check_no_probabilities
from ked.errors import InvalidInput

_SAMPLES = 8  # that the net is tried on
_NO_DERIVATIVE = ".*autograd kernel was not registered"  # torch's warning that it skips a layer, as those of a quantised net


def check_net(net: nn.Module, x: Tensor) -> None:
    """Refuse a net that gives probabilities, cuts x (N, D) off, computes too coarsely, answers at random or mixes samples.

    A warning where its derivative is another than its answers'.
    """
    few = x[:_SAMPLES]
    with Watched() as seen:
        z, leaf = trace(net, few)
    if seen.coarsest is not None:
        raise InvalidInput(
            f"The net computes in {seen.coarsest} (half precision or autocast in its forward), too coarse for second derivatives; "
            "give it and its samples in float32 or float64, and switch autocast off."
        )
    check_no_probabilities(z.detach(), "The net's answers")
    seen.check_no_sigmoids(z, "The net's answers")
    _check_way_in(z, leaf)
    if _apart(z, trace(net, few)[0]):
        raise InvalidInput(
            "The net answers the same samples differently each time (dropout or noise that stays on in eval mode)."
        )
    if len(few) > 1 and _mixes(net, few, z, leaf):
        raise InvalidInput(
            "The net mixes the samples of a batch: what it answers to one changes with the others "
            "(batch statistics, as of BatchNorm without running statistics, or attention over the batch)."
        )
    if warn_of_slope(net, few):
        check_curvature(net, few)


def check_zero(net: nn.Module, x: Tensor) -> None:
    """Refuse a net whose answers differ between the samples x (N, D) while their derivative is zero at each of them."""
    generator, answers = torch.Generator().manual_seed(0), []
    for part in chunks(net, x):
        z, leaf = trace(net, part)
        slope = gradient(z, leaf, torch.randn(z.shape, generator=generator, device="cpu").to(z))
        if slope is not None and bool(slope.any()):
            return
        answers.append(z.detach())
    z = torch.cat(answers)
    if _apart(z, z[:1].expand_as(z)):
        raise InvalidInput(f"{CUT_OFF}: it is constant around every sample, as if it rounded or compared its input.")


def _check_way_in(z: Tensor, leaf: Tensor) -> None:
    """Whether the logits are computed from the leaf, through layers that all have a derivative."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", _NO_DERIVATIVE)
        try:
            reached = z.requires_grad and gradient(z.sum(), leaf) is not None
        except UserWarning as skipped:
            operation = str(skipped).split(": ")[0]
            raise InvalidInput(f"{CUT_OFF}: its layer {operation} has no derivative, as in a quantised net.") from skipped
    if not reached:
        raise InvalidInput(f"{CUT_OFF} (no_grad, inference_mode, detach, or a conversion to whole numbers on the way).")


def _mixes(net: nn.Module, few: Tensor, z: Tensor, leaf: Tensor) -> bool:
    """Whether every second sample's answer changes with the others': by their derivative, or when they are replaced by copies."""
    for kept in (0, 1):
        u = torch.zeros_like(z)
        u[kept::2] = torch.randn(u[kept::2].shape, generator=torch.Generator().manual_seed(0), device="cpu").to(z)
        slope = gradient(z, leaf, u)
        if slope is not None and _apart(torch.zeros_like(slope[1 - kept :: 2]), slope[1 - kept :: 2].nan_to_num(), slope):
            return True
        other = few.clone()
        other[1 - kept :: 2] = few[kept]
        if _apart(z[kept::2], trace(net, other)[0][kept::2]):
            return True
    return False


def _apart(one: Tensor, other: Tensor, scale: Tensor | None = None) -> bool:
    """Whether two arrays differ by more than rounding, as a share of the largest number (of `scale`, if that is given)."""
    largest = (one if scale is None else scale).detach().abs().nan_to_num().max()
    return bool((one - other).detach().abs().max() > largest * torch.finfo(one.dtype).eps ** 0.5)
