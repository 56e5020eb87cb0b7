"""CIFAR-10, see `ked.data.cifar`."""

from __future__ import annotations

from ked.data import cifar
from ked.data.dataset import Dataset


def load(name: str) -> Dataset:
    """CIFAR-10 with x (60000, 3072) in [0, 1], 740 MB as float32; errors as in `ked.data.cifar.load`."""
    # imported here: a second that the other sources need not pay
    from torchvision.datasets import CIFAR10

    return cifar.load(name, "CIFAR-10", CIFAR10, "labels")


def here() -> bool:
    """Whether its files are on this machine."""
    from torchvision.datasets import CIFAR10

    return cifar.find(CIFAR10) is not None
