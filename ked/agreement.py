"""How far two explaining nets agree in their explanations, superfeature by superfeature (METHOD 4)."""

from __future__ import annotations

import torch
from torch import Tensor

from ked.errors import InvalidInput
from ked.explanation import centre
from ked.losses import soften


def cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """Cosine between two nets' contributions to one prediction, -1 to 1, (..., N).

    Args:
        student, teacher: phi (..., M, N, C); they are centred over the classes and compared as one vector of M x C. Where
            either is zero throughout, the cosine is 0.

    Raises:
        InvalidInput: The two differ in superfeatures, samples or classes.
    """
    _check(student, teacher)
    mine, theirs = (centre(phi).movedim(-2, -3).flatten(-2) for phi in (student, teacher))
    return torch.cosine_similarity(mine, theirs, dim=-1)


def divergence(student: Tensor, teacher: Tensor, tau: float) -> Tensor:
    """KL(teacher || student) between the softened explanations of each superfeature, mean over the samples, (..., M) nats.

    Args:
        student, teacher: log y_m (..., M, N, C).
        tau: What both are softened by, as in the loss.

    Raises:
        InvalidInput: As for `cosine`.
    """
    _check(student, teacher)
    target = soften(teacher, tau)
    cross = (target.probabilities * (student / tau).log_softmax(dim=-1)).sum(dim=-1)
    return (target.negentropy - cross).mean(dim=-1)


def _check(student: Tensor, teacher: Tensor) -> None:
    if student.shape[-3:] != teacher.shape[-3:]:
        raise InvalidInput(
            "two nets are compared on as many superfeatures, samples and classes, but these are "
            f"{tuple(student.shape[-3:])} and {tuple(teacher.shape[-3:])}."
        )
