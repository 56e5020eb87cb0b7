"""Fashion-MNIST: 70 000 pictures of garments, 28 x 28 pixels, found on this machine or downloaded once.

Source: H. Xiao, K. Rasul and R. Vollgraf, arXiv 1708.07747.  The file format is IDX, as that of MNIST.
"""

from __future__ import annotations

from pathlib import Path

from ked.data import idx, locations
from ked.data.dataset import Dataset

FILES = idx.FILES
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # Debian's package dataset-fashion-mnist
_TORCHVISION = "FashionMNIST"
# Where the files may lie below $KED_DATA. MNIST's have the same names, so folders that say whose they are come first.
_BELOW = (f"{_TORCHVISION}/raw", "fashion-mnist", "")


def load(name: str) -> Dataset:
    """Fashion-MNIST with x in [0, 1]: its official test split, and 5000 of its training pictures for validation.

    Looks in $KED_DATA, in Debian's package, in the app's own folder, and then downloads (progress on stderr).
    Raises Unavailable when the four files can be had nowhere, or are damaged.
    """
    ways = "a folder and name it in the environment variable KED_DATA"
    return idx.load(name, find() or idx.download("Fashion-MNIST", _TORCHVISION, ways), CLASSES)


def find() -> Path | None:
    """The first folder that holds the four files, or None; it is only read, never written to."""
    return idx.find([*locations.folders(*_BELOW), _DEBIAN, locations.own_folder() / _BELOW[0]])


def here() -> bool:
    """Whether its files are on this machine."""
    return find() is not None
