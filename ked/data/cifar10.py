"""CIFAR-10, see `ked.data.cifar`."""

from __future__ import annotations

from ked.data import cifar
from ked.data.dataset import Dataset, Source


def load() -> Dataset:
    """CIFAR-10 with x (60000, 3072) in [0, 1], 740 MB as float32; errors as in `ked.data.cifar.load`."""
    # imported here: a second that the other sources need not pay
    from torchvision.datasets import CIFAR10

    return cifar.load(SOURCE.name, "CIFAR-10", CIFAR10, "labels")


def _here() -> bool:
    from torchvision.datasets import CIFAR10

    return cifar.find(CIFAR10) is not None


SOURCE = Source(
    name="cifar10",
    title="CIFAR-10 (3 x 32 x 32)",
    description="60 000 colour photographs of 32 x 32 pixels in ten classes (Krizhevsky 2009).",
    load=load,
    here=_here,
)
