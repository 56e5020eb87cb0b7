"""MNIST's file format, IDX, and the four files in which MNIST and the data sets made after it come."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ked.data.dataset import Dataset
from ked.data.locations import damaged, own_folder
from ked.data.pixels import official
from ked.errors import Unavailable

FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
SHAPE = (28, 28)
_UNSIGNED_BYTES = 8  # the IDX code of the type that all four files use


def find(folders: Iterable[Path]) -> Path | None:
    """The first of the folders that holds the four files, or None; it is only read, never written to."""
    return next((folder for folder in folders if all((folder / name).is_file() for name in FILES)), None)


def load(name: str, folder: Path, classes: tuple[str, ...]) -> Dataset:
    """The data set in the four files of a folder; Unavailable, naming the file, when one is damaged."""
    training = _pictures(folder, FILES[0], FILES[1], len(classes))
    test = _pictures(folder, FILES[2], FILES[3], len(classes))
    return official(name, training, test, SHAPE, classes)


def read(path: Path) -> np.ndarray:
    """The array of unsigned bytes in a gzipped IDX file; Unavailable if the file is not one, is cut off or cannot be read."""
    try:
        content = gzip.decompress(path.read_bytes())
    except (EOFError, OSError, zlib.error) as error:
        raise damaged(path, f"it cannot be unpacked, {error}") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _UNSIGNED_BYTES:
        raise damaged(path, f"it starts with the bytes {content[:4].hex(' ')}, not with an IDX header")
    start = 4 + 4 * content[3]
    sides = tuple(int(side) for side in np.frombuffer(content[4:start].ljust(start - 4, b"\0"), ">u4"))
    if len(content) != start + math.prod(sides):
        raise damaged(path, f"its header promises {math.prod(sides)} values but {len(content) - start} follow")
    return np.frombuffer(content, np.uint8, offset=start).reshape(sides)


def download(title: str, torchvision_name: str, ways: str) -> Path:
    """Fetch the four files into our own folder with torchvision, which checks their checksums.

    torchvision_name: the class in torchvision.datasets, which is also the folder's name.
    ways: where else the user can put the files, for the sentence of the Unavailable that is raised offline.
    """
    # imported here, as it takes a second and only a download needs it
    import torchvision.datasets

    raw = own_folder() / torchvision_name / "raw"
    try:
        own_folder().mkdir(parents=True, exist_ok=True)
        getattr(torchvision.datasets, torchvision_name)(own_folder(), download=True)
    except (OSError, RuntimeError) as error:
        raise Unavailable(
            f"{title} is not on this machine and could not be downloaded: put {', '.join(FILES)} into {ways}, or put them into {raw}."
        ) from error
    return raw


def _pictures(folder: Path, images: str, labels: str, class_count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, 28, 28) and labels (n,), as bytes, of one official part."""
    x, y = read(folder / images), read(folder / labels)
    if x.ndim != 3 or x.shape[1:] != SHAPE or not len(x):
        raise damaged(folder / images, f"it holds an array of shape {x.shape}, not pictures of 28 x 28 pixels")
    if y.shape != x.shape[:1]:
        raise damaged(
            folder / labels,
            f"it holds an array of shape {y.shape}, not one label for each of {len(x)} pictures",
        )
    if y.max() >= class_count:
        raise damaged(folder / labels, f"it holds the label {y.max()}, but there are only the classes 0 to {class_count - 1}")
    return x, y
