"""Whether the derivatives that a net gives are those of what it computes, by finite differences at a few samples.

They are not where part of the way is cut off, where a layer brings a derivative of its own, and where that one works on detached
numbers, so that the second derivative misses its part without a word.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import suppress

import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction

from ked.dependency.probing import gradient, trace
from ked.dependency.samples import Watched
from ked.errors import InvalidInput

_TOLERATED = 0.1  # share by which two derivatives differ that are the same
_STEPS = (1e-2, 1e-3, 1e-4)  # shares of the way from one sample to the next
_SHORT = 1e-6  # the same in double precision, where hardly any kink is met
_ROUNDING = 32  # times the precision of an answer: what two ways to it may differ by


def warn_of_slope(net: nn.Module, few: Tensor) -> bool:
    """A warning where the derivative of few samples (N, D) is not that of the answers; returns whether it is, as far as can be told."""
    with suppress(InvalidInput):
        if not _slope_holds(net, few):
            warnings.warn(
                "The net's derivative is not that of its answers: part of the way is cut (no_grad, detach), or has been given another "
                "derivative (straight-through estimator, hook on a tensor). What is computed follows the derivative that the net gives.",
                stacklevel=4,
            )
            return False
    return True


def check_curvature(net: nn.Module, few: Tensor) -> None:
    """InvalidInput for a net in which a layer brings a derivative of its own that itself has none, or another than it gives."""
    z, _ = trace(net, few)
    if any(isinstance(node, BackwardCFunction) for node in _graph(z)) and not _curvature_holds(net, few):
        raise InvalidInput(
            "The net cannot be differentiated twice: the backward of a torch.autograd.Function in it is not differentiable itself, as it "
            "works on detached numbers or is marked so (once_differentiable); write it in differentiable operations, or leave it out."
        )


def _slope_holds(net: nn.Module, few: Tensor) -> bool:
    """Steps get shorter, as a net with many kinks has its derivative in short ones alone."""
    start, way = _on_the_way(few)
    with Watched() as seen:
        z, leaf = trace(net, start)
    u = _centred(z)
    slope = gradient(z, leaf, u)
    claimed = torch.zeros(len(few)).to(z) if slope is None else (slope * way).sum(dim=1)
    if not bool(claimed.isfinite().all()):  # told where it is the result that is not
        return True
    rounding = _ROUNDING * torch.finfo(seen.coarsest or z.dtype).eps * (z.detach() * u).norm()
    for step in _STEPS:
        with torch.no_grad():
            ahead, behind = ((net(start + part * way) * u).sum(dim=1) for part in (step, -step))
        found = (ahead - behind) / (2 * step)
        if (found - claimed).norm() <= _TOLERATED * max(found.norm(), claimed.norm()) + rounding / step:
            return True
    return False


def _curvature_holds(net: nn.Module, few: Tensor) -> bool:
    """In double precision, in whose short steps hardly any kink is met: else a net with many could not be told from a curved one."""
    if few.dtype != torch.float64:
        try:
            net, few = copy.deepcopy(net).double(), few.double()
            trace(net, few)
        except Exception:  # a net that cannot be copied, or works in no other precision, is taken at its word
            return True
    start, way = _on_the_way(few)

    def slope(at: Tensor, **options: bool) -> tuple[Tensor, Tensor]:
        z, leaf = trace(net, at)
        found = gradient(z, leaf, _centred(z), **options)
        return (torch.zeros_like(at) if found is None else found), leaf

    here, leaf = slope(start, create_graph=True)
    bend = gradient(here, leaf, way) if here.requires_grad else None
    claimed = torch.zeros_like(here) if bend is None else bend
    found = (slope(start + _SHORT * way)[0] - slope(start - _SHORT * way)[0]) / (2 * _SHORT)
    larger = torch.maximum(found.norm(dim=1), claimed.norm(dim=1))
    off = (found - claimed).norm(dim=1) > _TOLERATED * larger + _SHORT * here.detach().norm(dim=1)
    return bool(off.double().mean() <= 0.5)  # a kink may be met at some


def _on_the_way(few: Tensor) -> tuple[Tensor, Tensor]:
    """Points between each sample and the next, and the way there: within the data, and not at values that many samples share."""
    way = few.roll(1, 0) - few
    way = torch.where(way.any(dim=1, keepdim=True), way, -few)
    return few + 0.37 * way, way


def _centred(z: Tensor) -> Tensor:
    """Weights of the logits (N, C) that do not see what all classes share."""
    u = torch.randn(z.shape, generator=torch.Generator().manual_seed(0), device="cpu").to(z)
    return u - u.mean(dim=1, keepdim=True)


def _graph(z: Tensor) -> Iterator[object]:
    """The nodes that a tensor's derivative goes through."""
    seen, open_ = set(), [z.grad_fn]
    while open_:
        node = open_.pop()
        if node is not None and node not in seen:
            seen.add(node)
            yield node
            open_ += [following for following, _ in node.next_functions]
