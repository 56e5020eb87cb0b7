"""W's Hessian in closed form, for logits z(x) that are piecewise linear in x (ReLU, max-pooling, BatchNorm in eval mode).

Up to a shift common to all classes, log p_c = z_c - logsumexp(z) gives every class the same Hessian, -J'AJ with J = dz/dx (C, D)
and A = diag(p) - pp'. A = LL' with C - 1 columns in closed form, class k against the classes after it: with q_k = sum_{j >= k} p_j,
l_k = sqrt(p_k q_{k+1} / q_k) (e_k - (p_{k+1}, ..., p_C) / q_{k+1}). With g_k = J'l_k, one backward pass each, J'AJ = sum_k g_k g_k',
so mean H = -(C/N) G'G is C - 1 backward passes and one matrix product. Where x only enters through a narrowing linear map
h = A x, as in an MLP, both stop at h: mean H = -(C/N) A' (G_h' G_h) A (`ked.dependency.narrowing`). For any net, J'AJ is also its
Fisher form: sum_c p_c d2 log p_c / dx dx' = -J'AJ + curvature of z, which `sample_influence` measures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import torch
from torch import Tensor, nn

from ked.dependency.curvature import is_flat
from ked.dependency.narrowing import Narrowing, find_narrowing
from ked.dependency.probing import LAYERS, Progress, chunks, gradient, tell, trace
from ked.errors import InvalidInput

CUT_OFF = "The net's output does not depend on its input in a way that can be differentiated"


def closed_form(
    net: nn.Module,
    x: Tensor,
    reduce: str = "abs_mean",
    temperature: float = 1.0,
    progress: Progress | None = None,
    *,
    known_flat: bool = False,
) -> Tensor | None:
    """-H reduced over the samples, (D, D); None where the logits are curved at one of them.

    known_flat: nothing is measured, the caller answers for it.  Runs on any device, with `known_flat` on meta too.
    """
    if reduce == "abs_mean" and not known_flat:
        with suppress(InvalidInput):  # a net that cannot stand this way in (recomputing its layers, say) may stand the other
            entry = find_narrowing(net, x)
            H = None if entry is None else _reduced(net, x, reduce, temperature, progress, entry, known_flat)
            if H is not None:
                return H
    return _reduced(net, x, reduce, temperature, progress, None, known_flat)


def factor_rows(net: nn.Module, x: Tensor, temperature: float) -> Iterator[Tensor]:
    """C - 1 times g_k (N, D) with J'AJ = sum_k g_k g_k' for each sample: one backward pass for each class but the last."""
    return _rows(*trace(net, x), temperature)


def _reduced(
    net: nn.Module,
    x: Tensor,
    reduce: str,
    temperature: float,
    progress: Progress | None,
    entry: Narrowing | None,
    known_flat: bool,
) -> Tensor | None:
    """-H over the samples along one way in; None where a measurement along that way says that it does not hold."""
    (N, D), C = x.shape, trace(net, x[:1])[0].shape[1]
    add, numbers = (_add_absolutes, D * max(C, LAYERS) + D * D) if reduce == "mean_abs" else (_add_products, LAYERS * D)
    generator, H, done = torch.Generator().manual_seed(0), x.new_zeros(0, 0), 0
    for part in chunks(net, x, numbers):
        traced = trace(net, part) if entry is None else entry.trace(net, part, generator)
        if traced is None or not (known_flat or is_flat(*traced, generator)):
            return None
        rows = _told(_rows(*traced, temperature), progress, done / N, len(part) / N / (C - 1))
        H = add(H if done else x.new_zeros(2 * [traced[1][0].numel()]), rows)
        done += len(part)
        tell(progress, done / N)
    return (H if entry is None else entry.widened(H)) * (C / N)


def _told(rows: Iterator[Tensor], progress: Progress | None, begun: float, each: float) -> Iterator[Tensor]:
    """The rows; when the next is asked for, the share of the whole work that is done is told."""
    for number, row in enumerate(rows):
        if number:
            tell(progress, begun + number * each)
        yield row


def _add_products(H: Tensor, rows: Iterator[Tensor]) -> Tensor:
    for g in rows:
        H.addmm_(g.T, g)
    return H


def _add_absolutes(H: Tensor, rows: Iterator[Tensor]) -> Tensor:
    G = torch.stack(list(rows), dim=1)
    return H.add_(torch.bmm(G.mT, G).abs_().sum(dim=0))


def _rows(z: Tensor, source: Tensor, temperature: float) -> Iterator[Tensor]:
    """The rows g_k (N, width) with respect to what the logits are computed from, flat; InvalidInput if they are not."""
    p = (z.detach() / temperature).softmax(dim=1)
    q = p.flip(1).cumsum(1).flip(1).clamp_min(torch.finfo(p.dtype).tiny)
    for k in range(p.shape[1] - 1):
        weight = torch.zeros_like(p)
        weight[:, k], weight[:, k + 1 :] = 1, -p[:, k + 1 :] / q[:, k + 1, None]
        weight *= (p[:, k, None] * (q[:, k + 1, None] / q[:, k, None])).sqrt() / temperature
        g = gradient(z, source, weight)
        if g is None:
            raise InvalidInput(f"{CUT_OFF}.")
        yield g.flatten(1)
