"""What a trained net answers: predictions, explanations and accuracy, in chunks so that memory stays bounded."""

from __future__ import annotations

import torch
from torch import Tensor

from ked.nets.stack import Stack


def accuracy(stack: Stack, x: Tensor, y: Tensor) -> list[float]:
    """Share of x (N, D) that each replica classifies as y (N,), between 0 and 1."""
    return accuracy_of_arranged(stack, stack.arrange(x), y)


@torch.inference_mode()
def predict(stack: Stack, x: Tensor) -> Tensor:
    """Class log-probabilities (K, N, C) of x (N, D), in chunks so that memory stays bounded."""
    return torch.cat([stack(part).log_softmax(dim=-1) for part in x.split(stack.chunk)], dim=1)


@torch.inference_mode()
def explain(stack: Stack, x: Tensor) -> Tensor:
    """Explanations log y_m (K, M, N, C) of x (N, D), in chunks so that memory stays bounded."""
    return torch.cat([stack.explanations(part) for part in x.split(stack.chunk)], dim=2)


@torch.inference_mode()
def accuracy_of_arranged(stack: Stack, arranged: Tensor, y: Tensor) -> list[float]:
    hits = torch.zeros(stack.replicas, dtype=torch.int64, device=y.device)
    for part, labels in zip(arranged.split(stack.chunk), y.split(stack.chunk), strict=True):
        total = stack.total(stack.subnet_log_probabilities(part))
        hits += (total.argmax(dim=1) == labels).sum(dim=1)
    return (hits.double() / max(len(y), 1)).tolist()
