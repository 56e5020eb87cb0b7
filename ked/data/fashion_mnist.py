"""Fashion-MNIST: 70 000 pictures of garments, 28 x 28 pixels, found on this machine or downloaded once.

Source: H. Xiao, K. Rasul and R. Vollgraf, arXiv 1708.07747.  The file format is IDX, as that of MNIST.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from ked.data.dataset import Dataset, Source, pixel_names, stratified_split
from ked.errors import Unavailable
from ked.home import home

FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
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
_SHAPE = (28, 28)
_VALIDATION = 5_000
_SEED = 0
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # Debian's package dataset-fashion-mnist
_BELOW = ("", "FashionMNIST/raw", "fashion-mnist")  # where the files may lie below a folder of the user's
_UNSIGNED_BYTES = 8  # the IDX code of the type that all four files use


def load() -> Dataset:
    """Fashion-MNIST with x in [0, 1]: its official test split, and 5000 of its training pictures for validation.

    Looks in $KED_DATA, in Debian's package, in the app's own folder, and then downloads (progress on stderr).
    Raises Unavailable when the four files can be had nowhere, or are damaged.
    """
    folder = find() or _download()
    x_train, y_train = _pictures(folder, FILES[0], FILES[1])
    x_test, y_test = _pictures(folder, FILES[2], FILES[3])
    share = min(_VALIDATION / len(y_train), 0.5)
    train, validation = stratified_split(y_train, (1 - share, share), _SEED)
    return Dataset(
        name=SOURCE.name,
        x=torch.from_numpy(np.concatenate([x_train, x_test])).float().div_(255),
        y=torch.from_numpy(np.concatenate([y_train, y_test])).long(),
        train=train,
        validation=validation,
        test=torch.arange(len(y_train), len(y_train) + len(y_test)),
        shape=_SHAPE,
        classes=CLASSES,
        features=pixel_names(_SHAPE),
    )


def find() -> Path | None:
    """The first folder that holds the four files, or None; it is only read, never written to."""
    return next((folder for folder in _folders() if all((folder / name).is_file() for name in FILES)), None)


def cache_folder() -> Path:
    """Our own folder for downloads, below $KED_HOME or the user's data directory."""
    return home() / "data"


def read_idx(path: Path) -> np.ndarray:
    """The array of unsigned bytes in a gzipped IDX file; Unavailable if the file is not one, is cut off or cannot be read."""
    try:
        content = gzip.decompress(path.read_bytes())
    except (EOFError, OSError, zlib.error) as error:
        raise _damaged(path, f"it cannot be unpacked, {error}") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _UNSIGNED_BYTES:
        raise _damaged(path, f"it starts with the bytes {content[:4].hex(' ')}, not with an IDX header")
    start = 4 + 4 * content[3]
    sides = tuple(int(side) for side in np.frombuffer(content[4:start].ljust(start - 4, b"\0"), ">u4"))
    if len(content) != start + math.prod(sides):
        raise _damaged(path, f"its header promises {math.prod(sides)} values but {len(content) - start} follow")
    return np.frombuffer(content, np.uint8, offset=start).reshape(sides)


def _folders() -> Iterator[Path]:
    """Where the files may lie, the user's own choice first."""
    if os.environ.get("KED_DATA"):
        yield from (Path(os.environ["KED_DATA"]).expanduser() / below for below in _BELOW)
    yield _DEBIAN
    yield cache_folder() / "FashionMNIST" / "raw"


def _pictures(folder: Path, images: str, labels: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, 784) and labels (n,), as bytes, of one official part."""
    x, y = read_idx(folder / images), read_idx(folder / labels)
    if x.ndim != 3 or x.shape[1:] != _SHAPE or not len(x):
        raise _damaged(folder / images, f"it holds an array of shape {x.shape}, not pictures of 28 x 28 pixels")
    if y.shape != x.shape[:1]:
        raise _damaged(
            folder / labels,
            f"it holds an array of shape {y.shape}, not one label for each of {len(x)} pictures",
        )
    if y.max() >= len(CLASSES):
        raise _damaged(folder / labels, f"it holds the label {y.max()}, but there are only the classes 0 to 9")
    return x.reshape(len(x), -1), y


def _damaged(path: Path, reason: str) -> Unavailable:
    return Unavailable(f"The file {path} is damaged ({reason}): replace it with a fresh copy or delete it.")


def _download() -> Path:
    """Fetch the four files into our own folder with torchvision, which checks their checksums; Unavailable offline."""
    # imported here, as it takes a second and only a download needs it
    from torchvision.datasets import FashionMNIST

    root = cache_folder()
    try:
        root.mkdir(parents=True, exist_ok=True)
        FashionMNIST(root, download=True)
    except (OSError, RuntimeError) as error:
        raise Unavailable(
            f"Fashion-MNIST is not on this machine and could not be downloaded: put {', '.join(FILES)} into a folder "
            f"and name it in the environment variable KED_DATA, or put them into {root / 'FashionMNIST' / 'raw'}."
        ) from error
    return root / "FashionMNIST" / "raw"


SOURCE = Source(
    name="fashion-mnist",
    title="Fashion-MNIST (28 x 28)",
    description="70 000 pictures of garments in ten classes, 28 x 28 grey pixels (Xiao et al. 2017).",
    load=load,
)
