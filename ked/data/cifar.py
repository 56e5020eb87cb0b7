"""CIFAR-10 and CIFAR-100: 60 000 colour pictures of 32 x 32 pixels, found on this machine or downloaded once.

Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.

The files are pickles, which can run code when they are opened. So a file's bytes are first compared with torchvision's table of
checksums, those same bytes are then opened, and even then only numpy arrays, numbers and text can come out of them.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ked.data import locations
from ked.data.dataset import Dataset
from ked.data.locations import barred, damaged, readable
from ked.data.pixels import official
from ked.errors import Unavailable, shortened

SHAPE = (3, 32, 32)


class Batches(Protocol):
    """What torchvision knows about one of the two data sets; its classes CIFAR10 and CIFAR100 are such."""

    base_folder: str
    url: str
    filename: str
    tgz_md5: str
    train_list: list[list[str]]
    test_list: list[list[str]]
    meta: dict[str, str]


@readable()
def load(name: str, title: str, batches: Batches, labels: str) -> Dataset:
    """One of the two data sets with x (N, 3 * 32 * 32) in [0, 1], red first.

    labels: the key of the labels in each batch.  The test split is the official one, 5000 training pictures are for validation.
    Raises Unavailable when the files can be had nowhere, or one does not have its checksum.
    """
    folder = find(batches) or _download(title, batches)
    names = _open(folder / batches.meta["filename"], batches.meta["md5"])[batches.meta["key"]]
    training, test = (_part(folder, files, labels, len(names)) for files in (batches.train_list, batches.test_list))
    return official(name, training, test, SHAPE, tuple(str(one) for one in names))


def find(batches: Batches) -> Path | None:
    """The first folder that holds all files, or None; it is only read, never written to."""
    wanted = [batches.meta["filename"], *(file for file, _ in (*batches.train_list, *batches.test_list))]
    places_to_look = [*locations.folders(batches.base_folder), locations.own_folder() / batches.base_folder]
    return next((folder for folder in places_to_look if all(os.path.isfile(folder / file) for file in wanted)), None)


def _download(title: str, batches: Batches) -> Path:
    from torchvision.datasets.utils import download_and_extract_archive

    if refusal := barred(batches.base_folder):
        raise refusal
    root = locations.own_folder()
    try:
        root.mkdir(parents=True, exist_ok=True)
        download_and_extract_archive(batches.url, str(root), filename=batches.filename, md5=batches.tgz_md5)
    except (OSError, RuntimeError) as error:
        raise Unavailable(
            f"{title} is not on this machine and could not be downloaded: unpack {batches.filename} in a folder and name that folder "
            f"in the environment variable KED_DATA, or put {batches.filename} into {root}."
        ) from error
    return root / batches.base_folder


def _part(folder: Path, files: list[list[str]], labels: str, class_count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, 3 * 32 * 32) as bytes and labels (n,) of one official part, which may lie in several files."""
    pieces = [_batch(folder / file, md5, labels, class_count) for file, md5 in files]
    return np.concatenate([x for x, _ in pieces]), np.concatenate([y for _, y in pieces])


def _batch(path: Path, md5: str, labels: str, class_count: int) -> tuple[np.ndarray, np.ndarray]:
    content = _open(path, md5)
    x, y = np.asarray(content["data"]), np.asarray(content[labels], dtype=np.int64)
    if x.dtype != np.uint8 or x.shape != (len(y), 3 * 32 * 32) or not 0 <= y.min() <= y.max() < class_count:
        found = f"it holds {x.dtype} values of shape {x.shape} with labels from {y.min()} to {y.max()}"
        raise damaged(path, f"{found}, not 32 x 32 pictures in three colours with {class_count} classes")
    return x, y


def _open(path: Path, md5: str) -> dict[str, Any]:
    """The dictionary in a pickled file whose bytes have this checksum; Unavailable, without opening it, if they do not."""
    content = path.read_bytes()
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise damaged(path, f"its MD5 checksum is {found}, not torchvision's {md5}, so it was not opened")
    try:
        unpickled: dict[str, Any] = _Arrays(io.BytesIO(content), encoding="latin1").load()
    except pickle.UnpicklingError as error:
        raise damaged(path, str(error)) from error
    return unpickled


def _dtype(code: str, *_: object) -> np.dtype[Any]:
    # Python 2 wrote 0 and 1 where numpy now wants booleans and warns
    return np.dtype(code, copy=True)


_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): _dtype,
}


class _Arrays(pickle.Unpickler):
    """An unpickler that knows nothing but how to put numpy arrays together again."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"it asks for {shortened(f'{module}.{name}')}, which no picture needs")
        return _KNOWN[module, name]
