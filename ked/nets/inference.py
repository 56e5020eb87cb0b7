"""What a trained net answers: predictions, explanations and accuracy, in chunks so that memory stays bounded."""

from __future__ import annotations

import torch
from torch import Tensor

from ked.nets.stack import Stack


def accuracy(stack: Stack, x: Tensor, y: Tensor) -> list[float]:
    """Share of x (N, D) that each replica classifies as y (N,), between 0 and 1.

    >>> from ked.nets import mlp
    >>> net, x = mlp(4, [8], 3, replicas=2), torch.randn(6, 4)
    >>> accuracy(net, x, predict(net, x)[0].argmax(dim=1))[0]
    1.0
    """
    return accuracy_of_arranged(stack, stack.arrange(x), y)


@torch.inference_mode()
def predict(stack: Stack, x: Tensor) -> Tensor:
    """Class log-probabilities (K, N, C) of x (N, D), in chunks so that memory stays bounded.

    >>> from ked.nets import mlp
    >>> net, x = mlp(4, [8], 3, replicas=2), torch.randn(6, 4)
    >>> p = predict(net, x).exp()
    >>> p.shape, torch.allclose(p.sum(dim=2), torch.ones(2, 6))
    (torch.Size([2, 6, 3]), True)
    """
    return torch.cat([stack(part).log_softmax(dim=-1) for part in x.split(stack.chunk)], dim=1)


@torch.inference_mode()
def explain(stack: Stack, x: Tensor) -> Tensor:
    """Explanations log y_m (K, M, N, C) of x (N, D), in chunks so that memory stays bounded.

    They add up: predict(net, x) is the log-softmax of sum_m log y_m - (M - 1) base.

    >>> from ked.nets import SubnetStack
    >>> net, x = SubnetStack([(0, 1), (2, 3)], [8], 3), torch.randn(6, 4)
    >>> total = explain(net, x).sum(dim=1) - net.base
    >>> torch.allclose(total.log_softmax(dim=-1), predict(net, x), atol=1e-6)
    True
    """
    return torch.cat([stack.explanations(part) for part in x.split(stack.chunk)], dim=2)


@torch.inference_mode()
def accuracy_of_arranged(stack: Stack, arranged: Tensor, y: Tensor) -> list[float]:
    """The same of samples that are in the net's own order already (`Stack.arrange`), as in a training that asks every epoch."""
    hits = torch.zeros(stack.replicas, dtype=torch.int64, device=y.device)
    for part, labels in zip(arranged.split(stack.chunk), y.split(stack.chunk), strict=True):
        total = stack.total(stack.subnet_log_probabilities(part))
        hits += (total.argmax(dim=1) == labels).sum(dim=1)
    return (hits.double() / max(len(y), 1)).tolist()
