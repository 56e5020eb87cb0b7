"""What the benchmarks train on: Fashion-MNIST's pictures where they are, and a teacher that has seen some of them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ked import data
from ked.data import fashion_mnist
from ked.nets.subnets import SubnetStack, mlp
from ked.training.loop import fit

D, C = 784, 10
TEACHER = (500, 500)
BATCH = 100


class Pixels(NamedTuple):
    """Samples x (N, 784) in [0, 1], labels y (N,), and where they come from."""

    x: Tensor
    y: Tensor
    source: str


def find_pixels() -> Pixels:
    """Fashion-MNIST's training pictures where they are on this machine, else random pixels; never a download."""
    if fashion_mnist.find() is not None:
        return Pixels(*data.load("fashion-mnist").part("train"), "fashion-mnist")
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(55_000, D, generator=generator)
    return Pixels(x, (x @ torch.randn(D, C, generator=generator)).argmax(dim=1), "random")


def trained_teacher(pixels: Pixels) -> SubnetStack:
    """A teacher of two epochs: enough for W to have structure."""
    stack, held_out = mlp(D, TEACHER, C), (pixels.x[:BATCH], pixels.y[:BATCH])
    for _ in fit(stack, pixels[:2], held_out, seeds=[0], epochs=2, batch_size=500, lr=1e-3):
        pass
    return stack
