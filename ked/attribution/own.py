"""A net's own explanation as a map over its input: what each subnet says, laid over the features that it sees."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ked.attribution.question import Question
from ked.explanation import centre, contributions
from ked.maps import spread
from ked.nets.stack import Stack


@torch.no_grad()
def own_contributions(question: Question) -> Tensor:
    """phi_m of the class in question, centred over the classes, (B, M), in nats; one forward pass."""
    stack = question.stack
    if isinstance(stack, Stack):
        log_y, base = stack.explanations(question.x)[question.k], stack.base  # (M, B, C)
    else:
        body: Any = question.net.body  # a copy in eval mode
        log_y, base = body.net.explain(body.laid_out(question.x)).transpose(0, 1), body.net.base
    phi = centre(contributions(log_y, base))
    return phi.gather(2, question.target.expand(len(phi), -1)[..., None])[..., 0].T


def own_map(question: Question) -> Tensor:
    """The contributions spread over the features, (B, D) (`ked.maps.spread`)."""
    net: Any = question.stack
    return spread(net, question.k, question.x, own_contributions(question).T, question.target)
