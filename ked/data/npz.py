"""A user's own arrays in an NPZ file: x with the samples and y with the classes."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch

from ked.data import limits
from ked.data.dataset import Dataset
from ked.data.limits import refuse
from ked.data.pixels import without_parts
from ked.data.tabular import table
from ked.errors import InvalidInput

KEYS = ("x", "y")
_SHAPES = "x must have the shape (samples, features), (samples, rows, columns) or (samples, 1 or 3 channels, rows, columns)"
_BROKEN = (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, NotImplementedError, RuntimeError)


def read(path: Path, label: str | None = None) -> Dataset:
    """The arrays as a data set: a table (N, D) is standardised, pictures (N, H, W) or (N, 3, H, W) are brought to [0, 1].

    Pictures hold bytes, or numbers from 0 to 1 or to 255.  y holds N whole numbers or texts.  Nothing is unpickled.
    Raises InvalidInput, which names what was found.
    """
    if label is not None:
        raise refuse(path, f"the column '{label}' was asked for", "an NPZ file has no columns, its class is the array y")
    _check_headers(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            x, y = arrays["x"], arrays["y"]
    except _BROKEN as error:
        raise _broken(path, error) from None
    x = _samples(path, x)
    numbers, classes = limits.numbered(path, _labels(path, y, len(x)))
    if x.ndim == 2:
        return table(path.name, x, numbers, classes, tuple(f"feature {i}" for i in range(x.shape[1])))
    return _pictures(path, x, numbers, classes)


def _check_headers(path: Path) -> None:
    """Look at what the archive promises before anything is unpacked: a small file can promise a lot."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {member.filename: member for member in archive.infolist()}
            absent = [key for key in KEYS if f"{key}.npy" not in members]
            if absent:
                found = ", ".join(sorted(name.removesuffix(".npy")[:40] for name in members)[:8]) or "nothing"
                raise refuse(path, f"it holds {found}", "it needs the arrays x and y")
            if sum(member.file_size for member in members.values()) > limits.UNPACKED_BYTES:
                raise refuse(path, "its arrays are too large", f"at most {limits.UNPACKED_BYTES} bytes are allowed unpacked")
            for key in KEYS:
                _check_header(path, key, archive, members[f"{key}.npy"])
    except InvalidInput:  # a refusal from within
        raise
    except _BROKEN as error:
        raise _broken(path, error) from None


def _check_header(path: Path, key: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(stream)
    if dtype.hasobject:
        raise refuse(path, f"{key} holds Python objects", "only numbers, and texts in y, are allowed")
    if math.prod(shape) * dtype.itemsize > member.file_size:
        raise refuse(path, f"{key} promises the shape {shape} but is shorter", "an array must be complete")


def _broken(path: Path, error: Exception) -> InvalidInput:
    return refuse(path, f"it cannot be unpacked ({str(error)[:80]})", "an NPZ file must be one that numpy.savez wrote")


def _samples(path: Path, x: np.ndarray) -> np.ndarray:
    """x as finite float32, (N, D), (N, H, W) or (N, 3, H, W)."""
    if x.dtype.kind not in "buif":
        raise refuse(path, f"x holds {x.dtype}", "it must hold numbers")
    channels_allowed = x.ndim != 4 or x.shape[1] in (1, 3)
    if x.ndim not in (2, 3, 4) or 0 in x.shape or not channels_allowed:
        raise refuse(path, f"x has the shape {x.shape}", _SHAPES)
    limits.check_size(path, len(x), math.prod(x.shape[1:]))
    with np.errstate(over="ignore"):  # what does not fit becomes infinite and is found below
        x = x.astype(np.float32)
    if not math.isfinite(x.sum(dtype=np.float64)):
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise refuse(path, f"x holds {x[first]} at {first}", "all values must be finite in single precision")
    return x[:, 0] if x.ndim == 4 and x.shape[1] == 1 else x


def _labels(path: Path, y: np.ndarray, count: int) -> list[str]:
    if y.shape != (count,):
        raise refuse(path, f"y has the shape {y.shape}", f"it must hold one class for each of the {count} samples in x")
    if y.dtype.kind not in "buiU":
        raise refuse(path, f"y holds {y.dtype}", "it must hold whole numbers or texts")
    return [str(label) for label in y.tolist()]


def _pictures(path: Path, x: np.ndarray, y: np.ndarray, classes: tuple[str, ...]) -> Dataset:
    low, high = float(x.min()), float(x.max())
    if low < 0 or high > 255:
        raise refuse(path, f"its pictures have values from {low:g} to {high:g}", "0 to 1 or 0 to 255 are allowed")
    scaled = torch.from_numpy(x.reshape(len(x), -1) / np.float32(1 if high <= 1 else 255))
    return without_parts(path.name, scaled, y, tuple(x.shape[1:]), classes)
