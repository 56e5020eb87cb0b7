"""Small convolutional nets and pictures for the tests of `ked.nets.cnn`."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ked.nets.cnn import ConvStack
from ked.nets.cnn.blocks import Norm

B, C, M, K = 6, 3, 4, 2
SHAPE = (3, 12, 10)  # neither square nor a multiple of the strides
D = math.prod(SHAPE)
FAMILIES = ["small-cnn", "resnet8", "wrn-10-1", "vgg8"]  # one of each form; the others are deeper or wider


def small_stack(name: str, superfeatures: int = M, replicas: int = 1, width: int | None = 5) -> ConvStack:
    torch.manual_seed(0)
    base = torch.randn(C).log_softmax(0)
    width = width if superfeatures > 1 else None
    return ConvStack(name, SHAPE, C, superfeatures=superfeatures, width=width, replicas=replicas, base=base).double()


def pictures(*shape: int) -> Tensor:
    return torch.randn(*shape, D, dtype=torch.float64)


def mixed_up(stack: ConvStack) -> ConvStack:
    """With running statistics and scales that are no longer those of a fresh net."""
    for layer in stack.modules():
        if isinstance(layer, Norm):
            nn.init.uniform_(layer.scale, 0.5, 1.5)
            nn.init.normal_(layer.shift)
    with torch.no_grad():
        stack(torch.randn(20, D).to(stack.base))
    return stack
