"""A net's own explanation as a map over its input: what each subnet says, laid over the features that it sees."""

from __future__ import annotations

import torch
from torch import Tensor

from ked.attribution.question import Question
from ked.explanation import centre, contributions
from ked.maps import spread


@torch.no_grad()
def own_contributions(question: Question) -> Tensor:
    """phi_m of the class in question, centred over the classes, (B, M), in nats; one forward pass."""
    stack = question.stack
    log_y = stack.explanations(question.x)[question.k]  # (M, B, C)
    phi = centre(contributions(log_y, stack.base))
    return phi.gather(2, question.target.expand(len(phi), -1)[..., None])[..., 0].T


def own_map(question: Question) -> Tensor:
    """The contributions spread over the features, (B, D) (`ked.maps.spread`)."""
    return spread(question.stack, question.k, question.x, own_contributions(question).T, question.target)
