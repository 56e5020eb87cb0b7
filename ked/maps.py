"""Maps over the input that a net gives by itself: its contributions spread over its features, and its gradients times the input.

Both say how much each feature of a sample speaks for one class; `ked.attribution` has the methods from outside.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ked.explanation import centre
from ked.nets.cnn.gradcam import grad_cam_of
from ked.nets.cnn.stack import ConvStack
from ked.nets.stack import Stack


def spread(stack: Stack, k: int, x: Tensor, phi: Tensor, target: Tensor) -> Tensor:
    """Contributions of replica k laid over the features, (B, D), such that each superfeature's add up to its phi_m.

    An MLP's superfeature shares phi_m equally among its features. A convolutional net's consists of channels, not of pixels:
    its phi_m is shared among the pixels by how strongly its branch looks at them (the magnitude of the branch's Grad-CAM).

    Args:
        stack: An explaining net.
        k: The replica.
        x: (B, D) samples.
        phi: (M, B) contributions to each sample's class.
        target: (B,) those classes.
    """
    if isinstance(stack, ConvStack):
        return torch.einsum("mb,bmd->bd", phi, _looks(stack, k, x, target))
    values = torch.empty_like(x)
    for m, group in enumerate(stack.groups):
        values[:, list(group)] = phi[m, :, None] / len(group)
    return values


def _looks(stack: ConvStack, k: int, x: Tensor, target: Tensor) -> Tensor:
    """(B, M, D) where each branch looks, adding up to one over the features; evenly where it looks nowhere."""
    chosen = grad_cam_of(stack, x, target, k).abs().flatten(2)
    looks = chosen.repeat(1, 1, x.shape[-1] // chosen.shape[-1])
    total = looks.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, looks / total, torch.full_like(looks, 1 / looks.shape[-1]))


def gradient_times_input(stack: Stack, x: Tensor, target: Tensor) -> Tensor:
    """The samples times the gradient of each one's evidence for its class, (K, B, D), of all replicas at once.

    Evidence is the total logit less its mean over the classes, so that black boxes and explaining nets speak of the same.

    Args:
        stack: Any net.
        x: (B, D) samples.
        target: (B,) a class for each.
    """
    with torch.enable_grad():
        leaf = x.detach().expand(stack.replicas, -1, -1).clone().requires_grad_()
        evidence = centre(stack(leaf))  # (K, B, C)
        asked = target[:, None].expand(stack.replicas, -1, 1)
        (slope,) = torch.autograd.grad(evidence.gather(-1, asked).sum(), leaf)
    return slope * x
