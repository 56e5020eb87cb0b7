"""The dependency matrix W: how strongly each pair of features acts together on what a net predicts (arXiv 2310.02572).

For one sample with class log-probabilities log p_c(x), H(x) = sum_c d2 log p_c / dx dx', and W is |mean_x H(x)| plus its
transpose with an empty diagonal (a feature's curvature with itself is no dependency between features).

`closed_form` is for nets whose logits are piecewise linear at the samples, `general_path` for all others. Which one is taken is
decided by measuring the net at every sample, never by the names, types or attributes of its modules.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ked.dependency.checks import check_net, check_zero
from ked.dependency.double_backward import general_path
from ked.dependency.piecewise_linear import closed_form, factor_rows
from ked.dependency.probing import Progress, chunks, probing
from ked.errors import InvalidInput

REDUCTIONS = ("abs_mean", "mean_abs")
SCALES = (None, "std")
_STEP = 0.005  # of the progress


def dependency_matrix(
    net: nn.Module | Callable[[Tensor], Tensor],
    x: Any,
    reduce: str = "abs_mean",
    *,
    scale: str | None = None,
    temperature: float = 1.0,
    progress: Progress | None = None,
    forward: Callable[[Any, Tensor], Tensor] | None = None,
) -> Tensor:
    """How strongly each pair of features acts together on the net's predictions at the samples x.

    W = |mean_x H(x)| + its transpose with an empty diagonal, H(x) = sum_c d2 log p_c(x) / dx dx', p = softmax(net(x))
    (arXiv 2310.02572, section 3).

    net: any module or function from (N, *shape) to (N, C) logits, each sample by itself; modules, also those that a function is
        bound to or names, are probed in eval mode and left as they were.
    x: (N, *shape) samples, finite, D numbers each; an array, or what a Dataset or DataLoader gives first, takes the net's dtype.
    reduce: 'abs_mean' takes the absolute value after the mean over samples (the authors' choice), 'mean_abs' before it, so
        that interactions of opposite sign do not cancel.
    scale: 'std' multiplies entry (i, j) by the standard deviations of features i and j in x: the interaction in units of
        the features' spread, which silences features that hardly ever change.
    temperature: the logits are divided by it, so that more than the few ambiguous samples count when it is large.
    progress: called with the finished share, 0..1, in steps of half a per cent or more.
    forward: from net and samples to logits, where the net's answer is something else: `lambda net, x: net(x).logits`.
    Returns W (D, D): symmetric, >= 0, zero diagonal, with the dtype and device of the samples; unit: log-probability per squared
    feature unit, summed over classes.
    A warning where the net's derivative is not that of its answers, as part of the way is cut or has been given another.
    Raises InvalidInput for wrong shapes or values, and for a net that cannot be differentiated twice, that cuts its input off,
    mixes the samples of a batch or answers at random.

    Examples:
        >>> import torch
        >>> def net(x): return torch.stack([x[:, 0] * x[:, 1], x[:, 2]], dim=1)  # features 0 and 1 are multiplied
        >>> W = dependency_matrix(net, torch.tensor([[1.0, 2.0, 2.0]], dtype=torch.float64))
        >>> bool(W[0, 1] > 0), bool((W == W.T).all()), W.diagonal().tolist()
        (True, True, [0.0, 0.0, 0.0])
    """
    _check_settings(reduce, scale, temperature)
    told = None if progress is None else _never_back(progress)
    with probing(net if forward is None else partial(forward, getattr(net, "_orig_mod", net)), x) as (probed, flat):
        check_net(probed, flat)
        H = closed_form(probed, flat, reduce, temperature, told)
        if H is None:
            H = general_path(probed, flat, reduce, temperature, told)
        least, most = H.aminmax()
        if least == most == 0:
            check_zero(probed, flat)
    if not math.isfinite(least) or not math.isfinite(most):
        raise InvalidInput(
            "The net's second derivatives at these samples are NaN or infinite, so it has no dependency matrix."
        )
    if scale == "std":
        sigma = flat.std(dim=0, correction=0)
        H = H * sigma[:, None] * sigma
    W = H.abs()
    return (W + W.T).fill_diagonal_(0)


def sample_influence(net: nn.Module | Callable[[Tensor], Tensor], x: Any, *, temperature: float = 1.0) -> Tensor:
    """Each sample's share of the dependency matrix: its trace of J'AJ over the sum of all traces.

    A confident net has p near one-hot and so A near zero: a few ambiguous samples then make up most of W.
    For piecewise linear nets the trace is that of -H/C; for others that of the Fisher form (see `ked.dependency.piecewise_linear`).
    net, x, temperature, errors: as in `dependency_matrix`.  Returns (N,) shares >= 0 that add up to 1.

    Examples:
        >>> import torch
        >>> sure, torn = [9.0, 0.0], [0.0, 0.0]
        >>> share = sample_influence(torch.nn.Linear(2, 2), torch.tensor([sure, torn]))
        >>> share.shape, round(float(share.sum()), 4)
        (torch.Size([2]), 1.0)
    """
    _check_settings("abs_mean", None, temperature)
    with probing(net, x) as (probed, flat):
        check_net(probed, flat)
        rows = (torch.stack(list(factor_rows(probed, part, temperature))) for part in chunks(probed, flat))
        traces = torch.cat([each.square().sum(dim=(0, 2)) for each in rows])
    total = traces.sum()
    return torch.where(total > 0, traces / total, torch.full_like(traces, 1 / len(traces)))


def _never_back(progress: Progress) -> Progress:
    """The same, told in steps of half a per cent, and never less than before, as where a path is given up for another."""
    most = 0.0

    def report(share: float) -> None:
        nonlocal most
        if share == 1 or share >= most + _STEP:
            most = max(most, share)
            progress(most)

    return report


def _check_settings(reduce: str, scale: str | None, temperature: float) -> None:
    if reduce not in REDUCTIONS:
        raise InvalidInput(f"There is no reduction '{reduce}'; use one of {', '.join(REDUCTIONS)}.")
    if scale not in SCALES:
        raise InvalidInput(f"There is no scale '{scale}'; use 'std' or leave it out.")
    if not 0 < temperature < float("inf"):
        raise InvalidInput(f"The temperature must be a positive number, not {temperature}.")
