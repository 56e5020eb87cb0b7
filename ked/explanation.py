"""What an explaining net says of its own prediction: contributions phi and coalitions of superfeatures.

The game v(S) = base + sum_{m in S} phi_m is additive, hence phi_m = log y_m - base is the Shapley value of
superfeature m for every class's unnormalised log-probability (METHOD 1.3).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ked.errors import InvalidInput


def full(logits: Tensor) -> Tensor:
    """The same in float32 where it is in half precision, in which small probabilities vanish; float64 stays."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def total_logits(log_y: Tensor, base: Tensor, *, superfeatures: int) -> Tensor:
    """sum_m log y_m - (M - 1) base, over the axis of the superfeatures: the logits that a net's explanations add up to (METHOD 1.3).

    base is of a shape that can be taken from what is left: (C,) where the classes come last.
    """
    count = log_y.shape[superfeatures]
    return log_y.squeeze(superfeatures) if count == 1 else log_y.sum(dim=superfeatures) - (count - 1) * base


def contributions(log_y: Tensor, base: Tensor) -> Tensor:
    """phi_m = log y_m - base, same shape as log_y (..., C); in nats."""
    return log_y - base


def centre(phi: Tensor) -> Tensor:
    """phi less its mean over the classes (last axis): the softmax cannot see a shift that all classes share.

    Centre before two nets are compared.
    """
    return phi - phi.mean(dim=-1, keepdim=True)


def coalition(log_y: Tensor, base: Tensor, members: Sequence[bool]) -> Tensor:
    """Class log-probabilities (..., B, C) when only the members take part; the empty coalition predicts exp(base).

    Args:
        log_y: (..., M, B, C) explanations.
        base: (C,) log of the teacher's mean predicted probabilities.
        members: M switches.
    """
    if len(members) != log_y.shape[-3]:
        raise InvalidInput(
            f"a coalition needs one switch for each of the {log_y.shape[-3]} superfeatures, not {len(members)}."
        )
    switches = torch.as_tensor(list(members), dtype=log_y.dtype, device=log_y.device)
    total = base + (contributions(log_y, base) * switches[:, None, None]).sum(dim=-3)
    return total.log_softmax(dim=-1)


def teacher_base(log_probabilities: Tensor) -> Tensor:
    """base (C,): log of the mean predicted probabilities of the black-box teacher over (N, C) log-probabilities."""
    return log_probabilities.logsumexp(dim=0) - torch.tensor(float(len(log_probabilities))).log().to(log_probabilities)
