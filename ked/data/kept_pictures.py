"""A user's own pictures, kept beside their file as the bytes that were decoded: read at once ever after, and mapped, not loaded.

Small data sets are read from their file each time, which takes no longer.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import torch

from ked.data import array_cache, own
from ked.data.byte_pixels import BytePixels
from ked.data.dataset import PARTS, Dataset, pixel_names
from ked.errors import InvalidInput


def write(folder: Path, found: Dataset) -> None:
    """Keep a data set below a folder, if it is one of many pictures; a full disk only means that nothing is kept."""
    if not isinstance(found.x, BytePixels):
        return
    about = {"name": found.name, "shape": found.shape, "classes": found.classes, "notes": found.notes}
    rows = {part: getattr(found, part).numpy() for part in PARTS}
    arrays = {"x": found.x.content.numpy(), "y": found.y.numpy(), **rows, "about": np.array(json.dumps(about))}
    try:
        array_cache.write(_place(folder), arrays)
    except OSError:
        return


def read(folder: Path) -> Dataset | None:
    """What was kept there; None where nothing was, or it is damaged."""
    try:
        arrays = array_cache.read(_place(folder))
        about = json.loads(str(arrays["about"]))
        names, shape = tuple(about["classes"]), tuple(about["shape"])
        x, y, train, validation, test = (_tensor(arrays[name]) for name in ("x", "y", *PARTS))
        notes = tuple(about["notes"])
        return Dataset(about["name"], BytePixels(x), y, train, validation, test, shape, names, pixel_names(shape), notes=notes)
    except (OSError, ValueError, TypeError, EOFError, KeyError, IndexError, InvalidInput):
        return None


def _place(folder: Path) -> Path:
    return folder / f"read-{own.FOLDERS_VERSION}"


def _tensor(array: np.ndarray) -> torch.Tensor:
    with warnings.catch_warnings():  # that it cannot be written to
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(array)
