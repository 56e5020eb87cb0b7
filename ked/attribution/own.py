"""A net's own explanation as a map over its input: what each subnet says, laid over the features that it sees."""

from __future__ import annotations

import torch
from torch import Tensor

from ked.attribution.question import Question
from ked.cnn import ConvStack
from ked.cnn.gradcam import grad_cam_of
from ked.explanation import centre, contributions


@torch.no_grad()
def own_contributions(question: Question) -> Tensor:
    """phi_m of the class in question, centred over the classes, (B, M), in nats; one forward pass."""
    stack = question.stack
    log_y = stack.explanations(question.x)[question.k]  # (M, B, C)
    phi = centre(contributions(log_y, stack.base))
    return phi.gather(2, question.target.expand(len(phi), -1)[..., None])[..., 0].T


def own_map(question: Question) -> Tensor:
    """The contributions spread over the features, (B, D), such that each superfeature's features add up to its phi_m.

    An MLP's superfeature shares phi_m equally among its features. A convolutional net's consists of channels, not of pixels:
    its phi_m is shared among the pixels by how strongly its branch looks at them (the magnitude of the branch's Grad-CAM).
    """
    phi, stack = own_contributions(question), question.stack
    if isinstance(stack, ConvStack):
        return torch.einsum("bm,bmd->bd", phi, _looks(question, stack))
    values = torch.empty_like(question.x)
    for m, group in enumerate(stack.groups):
        values[:, list(group)] = phi[:, m, None] / len(group)
    return values


def _looks(question: Question, stack: ConvStack) -> Tensor:
    """(B, M, D) where each branch looks, adding up to one over the features; evenly where it looks nowhere."""
    chosen = grad_cam_of(stack, question.x, question.target, question.k).abs().flatten(2)
    looks = chosen.repeat(1, 1, question.x.shape[-1] // chosen.shape[-1])
    total = looks.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, looks / total, torch.full_like(looks, 1 / looks.shape[-1]))
