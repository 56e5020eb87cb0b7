"""CIFAR-100, see `ked.data.cifar`."""

from __future__ import annotations

from ked.data import cifar
from ked.data.dataset import Dataset


def load(name: str) -> Dataset:
    """CIFAR-100 with x (60000, 3072) in [0, 1], 740 MB as float32; errors as in `ked.data.cifar.load`."""
    # imported here: a second that the other sources need not pay
    from torchvision.datasets import CIFAR100

    return cifar.load(name, "CIFAR-100", CIFAR100, "fine_labels")


def here() -> bool:
    """Whether its files are on this machine."""
    from torchvision.datasets import CIFAR100

    return cifar.find(CIFAR100) is not None
