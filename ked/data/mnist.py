"""MNIST: 70 000 handwritten digits, 28 x 28 pixels, found on this machine or downloaded once.

Source: Y. LeCun, C. Cortes and C. Burges, The MNIST database of handwritten digits, 1998.
"""

from __future__ import annotations

from pathlib import Path

from ked.data import idx, locations
from ked.data.dataset import Dataset

CLASSES = tuple(str(digit) for digit in range(10))
_TORCHVISION = "MNIST"
# Never $KED_DATA itself: Fashion-MNIST's files have the same names, and those may lie there.
_BELOW = (f"{_TORCHVISION}/raw", "mnist")


def load(name: str) -> Dataset:
    """MNIST with x in [0, 1]: its official test split, and 5000 of its training pictures for validation.

    Looks in $KED_DATA, in the app's own folder, and then downloads (progress on stderr).
    Raises Unavailable when the four files can be had nowhere, or are damaged.
    """
    ways = "the folder mnist below a folder and name that one in the environment variable KED_DATA"
    return idx.load(name, find() or idx.download("MNIST", _TORCHVISION, ways), CLASSES)


def find() -> Path | None:
    """The first folder that holds the four files, or None; it is only read, never written to."""
    return idx.find([*locations.folders(*_BELOW), locations.own_folder() / _BELOW[0]])


def here() -> bool:
    """Whether its files are on this machine."""
    return find() is not None
