"""How alike two nets' contributions and distributions are: cosine, rank correlation, divergences (METHOD 4)."""

from __future__ import annotations

import torch
from torch import Tensor

from ked.errors import InvalidInput
from ked.explanation import centre


def cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """Cosine between two nets' contributions to one prediction, -1 to 1, (..., N).

    Args:
        student, teacher: phi (..., M, N, C); they are centred over the classes and compared as one vector of M x C. Where
            either is zero throughout, the cosine is 0.

    Raises:
        InvalidInput: The two differ in superfeatures, samples or classes.
    """
    check(student, teacher)
    return torch.cosine_similarity(one_vector(centre(student)), one_vector(centre(teacher)), dim=-1)


def spearman(student: Tensor, teacher: Tensor) -> Tensor:
    """Spearman's rank correlation of the same two vectors of M x C class-centred contributions, -1 to 1, (..., N).

    Equal contributions share their mean rank; where all of a net's are equal, the correlation is 0. Args and errors as for `cosine`.
    """
    check(student, teacher)
    return torch.cosine_similarity(ranks(one_vector(centre(student))), ranks(one_vector(centre(teacher))), dim=-1)


def kullback_leibler(student: Tensor, teacher: Tensor) -> Tensor:
    """KL(teacher || student) of each superfeature and sample, (..., M, N) nats, of log-probabilities (..., M, N, C)."""
    check(student, teacher)
    return (teacher.exp() * (teacher - student)).sum(dim=-1)


def jensen_shannon(student: Tensor, teacher: Tensor) -> Tensor:
    """Jensen-Shannon divergence of each superfeature and sample, (..., M, N) nats, of log-probabilities (..., M, N, C).

    Symmetric, 0 for equal distributions and log 2 for those without a common class.
    """
    check(student, teacher)
    p, q = teacher.exp(), student.exp()
    log_mean = ((p + q) / 2).clamp_min(torch.finfo(p.dtype).tiny).log()
    return ((torch.xlogy(p, p) + torch.xlogy(q, q)) / 2 - (p + q) / 2 * log_mean).sum(dim=-1).clamp_min(0)


def divergence(student: Tensor, teacher: Tensor, tau: float) -> Tensor:
    """KL(teacher || student) between the softened explanations of each superfeature, mean over the samples, (..., M) nats.

    Args:
        student, teacher: log y_m (..., M, N, C).
        tau: What both are softened by, as in the loss.

    Raises:
        InvalidInput: As for `cosine`.
    """
    check(student, teacher)
    softened = [(log_y.double() / tau).log_softmax(dim=-1) for log_y in (student, teacher)]  # float32 rounds away what falls as 1 / tau^2
    return kullback_leibler(*softened).mean(dim=-1).to(student.dtype)


def one_vector(phi: Tensor) -> Tensor:
    """All contributions (..., M, N, C) to one prediction as one vector, (..., N, M C)."""
    return phi.movedim(-3, -2).flatten(-2)


def ranks(values: Tensor) -> Tensor:
    """Ranks along the last axis less their mean; equal values share their mean rank. Same shape, zero where all are equal."""
    ordered, order = values.sort(dim=-1)
    count = values.shape[-1]
    place = torch.arange(count, dtype=values.dtype, device=values.device)
    alike = ordered[..., 1:] == ordered[..., :-1]
    alone = torch.zeros_like(ordered[..., :1], dtype=torch.bool)
    first = place.where(~torch.cat([alone, alike], dim=-1), 0).cummax(dim=-1).values  # of each run of equal values
    last = place.where(~torch.cat([alike, alone], dim=-1), count).flip(-1).cummin(dim=-1).values.flip(-1)
    return torch.empty_like(ordered).scatter_(-1, order, (first + last - (count - 1)) / 2)


def check(student: Tensor, teacher: Tensor) -> None:
    """Refuse what cannot be compared."""
    if student.shape[-3:] != teacher.shape[-3:]:
        raise InvalidInput(
            "two nets are compared on as many superfeatures, samples and classes, but these are "
            f"{tuple(student.shape[-3:])} and {tuple(teacher.shape[-3:])}."
        )
