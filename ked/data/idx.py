"""MNIST's file format, IDX, and the four files in which MNIST and the data sets made after it come."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ked.data import limits
from ked.data.dataset import Dataset
from ked.data.locations import barred, damaged, own_folder, readable
from ked.data.pixels import official
from ked.errors import Unavailable, shortened

FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
SHAPE = (28, 28)
TRAINING, TEST = 20, 5  # pictures of each class below which a part is none: MNIST has thousands
_DIMENSIONS = 3  # of the arrays in these files at most; NumPy itself knows 64
_UNSIGNED_BYTES = 8  # the IDX code of the type that all four files use


def find(folders: Iterable[Path]) -> Path | None:
    """The first of the folders that holds the four files, or None; it is only read, never written to."""
    # os.path: of a folder that may not be entered it says "no", where Path.is_file raises
    return next((folder for folder in folders if all(os.path.isfile(folder / name) for name in FILES)), None)


@readable()
def load(name: str, folder: Path, classes: tuple[str, ...]) -> Dataset:
    """The data set in the four files of a folder; Unavailable, naming the file, when one is damaged or cannot be read."""
    training = _pictures(folder, FILES[0], FILES[1], classes, TRAINING)
    test = _pictures(folder, FILES[2], FILES[3], classes, TEST)
    return official(name, training, test, SHAPE, classes)


def read(path: Path) -> np.ndarray:
    """The array of unsigned bytes in a gzipped IDX file; Unavailable if the file is not one, or is cut off.

    What the header promises is checked before anything is unpacked, as a small file can unpack to a lot.
    """
    try:
        with gzip.open(path) as file:
            sides = _header(path, file)
            content = file.read(math.prod(sides) + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise damaged(path, f"it cannot be unpacked, {shortened(error)}") from error
    if len(content) != math.prod(sides):
        found = len(content) if len(content) < math.prod(sides) else "more"
        raise damaged(path, f"its header promises {math.prod(sides)} values but {found} follow")
    return np.frombuffer(content, np.uint8).reshape(sides)


def _header(path: Path, file: gzip.GzipFile) -> tuple[int, ...]:
    """The shape of the array that follows."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] != _UNSIGNED_BYTES or start[3] > _DIMENSIONS:
        raise damaged(path, f"it starts with the bytes {start.hex(' ')}, not with the IDX header of pictures or labels")
    sides = tuple(int(side) for side in np.frombuffer(file.read(4 * start[3]).ljust(4 * start[3], b"\0"), ">u4"))
    if math.prod(sides) > limits.UNPACKED_BYTES:
        raise damaged(path, f"its header promises {math.prod(sides)} values, and at most {limits.UNPACKED_BYTES} are read")
    return sides


def download(title: str, torchvision_name: str, ways: str) -> Path:
    """Fetch the four files into our own folder with torchvision, which checks their checksums.

    torchvision_name: the class in torchvision.datasets, which is also the folder's name.
    ways: where else the user can put the files, for the sentence of the Unavailable that is raised offline.
    """
    # imported here, as it takes a second and only a download needs it
    import torchvision.datasets

    if refusal := barred(torchvision_name, f"{torchvision_name}/raw", title.lower()):
        raise refusal
    raw = own_folder() / torchvision_name / "raw"
    try:
        own_folder().mkdir(parents=True, exist_ok=True)
        getattr(torchvision.datasets, torchvision_name)(own_folder(), download=True)
    except (OSError, RuntimeError) as error:
        raise Unavailable(
            f"{title} is not on this machine and could not be downloaded: put {', '.join(FILES)} into {ways}, or put them into {raw}."
        ) from error
    return raw


def _pictures(folder: Path, images: str, labels: str, classes: tuple[str, ...], least: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, 28, 28) and labels (n,), as bytes, of one official part; it has `least` pictures of each class or more."""
    x, y = read(folder / images), read(folder / labels)
    if x.ndim != 3 or x.shape[1:] != SHAPE or not len(x):
        raise damaged(folder / images, f"it holds an array of shape {x.shape}, not pictures of 28 x 28 pixels")
    if y.shape != x.shape[:1]:
        raise damaged(
            folder / labels,
            f"it holds an array of shape {y.shape}, not one label for each of {len(x)} pictures",
        )
    if y.max() >= len(classes):
        raise damaged(folder / labels, f"it holds the label {y.max()}, but there are only the classes 0 to {len(classes) - 1}")
    counts = np.bincount(y, minlength=len(classes))
    if counts.min() < least:
        few = classes[counts.argmin()]
        raise damaged(folder / labels, f"of its {len(y)} labels {counts.min()} are '{few}', and every class needs at least {least}")
    return x, y
