"""A user's own arrays in an NPZ file: x with the samples and y with the classes."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ked.data import limits
from ked.data.dataset import Dataset
from ked.data.limits import refuse
from ked.data.pixels import without_parts
from ked.data.tabular import table
from ked.errors import InvalidInput, quoted, shortened
from ked.files import zips

KEYS = ("x", "y")
_SHAPES = "x must have the shape (samples, features), (samples, rows, columns) or (samples, 1 or 3 channels, rows, columns)"
_WRITER = "an NPZ file must be one that numpy.savez wrote"
_HEADER_BYTES = 16_384  # of an array's header, which numpy takes up to 10 000 letters of
_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


@dataclass(frozen=True)
class Promise:
    """What an array's header says of it before any of it is read: its shape, its type, and its file in the archive."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    member: zipfile.ZipInfo


def read(path: Path, label: str | None = None) -> Dataset:
    """The arrays as a data set: a table (N, D) is standardised, pictures (N, H, W) or (N, 3, H, W) are brought to [0, 1].

    Pictures hold bytes, or numbers from 0 to 1 or to 255.  y holds N whole numbers or texts.  Nothing is unpickled, and everything
    that the headers tell is checked before an array is read: a small file can promise a lot.
    Raises InvalidInput, which names what was found.
    """
    if label is not None:
        raise refuse(path, f"the column {quoted(label)} was asked for", "an NPZ file has no columns, its class is the array y")
    with _whole(path), zips.opened(path, limits.TABLE_BYTES) as archive:
        promised = {key: _promise(path, key, archive, member) for key, member in _members(path, archive).items()}
        _check_samples(path, promised["x"])
        _check_labels(path, promised["y"], promised["x"].shape[0])
        x, y = (_array(archive, promised[key]) for key in KEYS)
    numbers, classes = limits.numbered(path, [str(name) for name in y.tolist()])
    if x.ndim == 2:
        _check_finite(path, x)
        return table(path.name, x, numbers, classes, tuple(f"feature {i}" for i in range(x.shape[1])))
    return _pictures(path, x[:, 0] if x.ndim == 4 and x.shape[1] == 1 else x, numbers, classes)


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Whatever zipfile, zlib and numpy say of damaged bytes becomes one sentence."""
    try:
        yield
    except InvalidInput:
        raise
    except Exception as error:
        raise refuse(path, f"it cannot be unpacked ({shortened(error)})", _WRITER) from error


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files of x and y in the archive."""
    members = {member.filename: member for member in archive.infolist()}
    if any(f"{key}.npy" not in members for key in KEYS):
        found = shortened(", ".join(sorted(name.removesuffix(".npy")[:40] for name in members)[:8]) or "nothing")
        raise refuse(path, f"it holds {found}", "it needs the arrays x and y")
    if sum(member.file_size for member in members.values()) > limits.UNPACKED_BYTES:
        raise refuse(path, "its arrays are too large", f"at most {limits.UNPACKED_BYTES} bytes are allowed unpacked")
    return {key: members[f"{key}.npy"] for key in KEYS}


def _promise(path: Path, key: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Promise:
    with archive.open(member) as stream:
        start = io.BytesIO(stream.read(_HEADER_BYTES))  # a header may be gigabytes of blanks
    try:
        shape, _, dtype = _READERS.get(np.lib.format.read_magic(start), _READERS[2, 0])(start)
    except Exception as error:  # numpy evaluates it: SyntaxError, TypeError, RecursionError, MemoryError, ...
        raise refuse(path, f"{key} cannot be unpacked, as its header is damaged", _WRITER) from error
    if any(isinstance(side, bool) or side < 0 for side in shape):
        raise refuse(path, f"{key} promises the shape {shortened(shape)}", "a shape must be made of whole numbers")
    if dtype.hasobject:
        raise refuse(path, f"{key} holds Python objects", "only numbers, and texts in y, are allowed")
    if math.prod(shape) * dtype.itemsize > member.file_size:
        raise refuse(path, f"{key} promises the shape {shortened(shape)} but is shorter", "an array must be complete")
    return Promise(shape, dtype, member)


def _array(archive: zipfile.ZipFile, promise: Promise) -> np.ndarray:
    with archive.open(promise.member) as stream, np.errstate(over="ignore"):
        array: np.ndarray = np.lib.format.read_array(stream, allow_pickle=False)
        wide = promise.dtype.kind == "f" and promise.dtype.itemsize > 8
        return array.astype(np.float64) if wide else array


def _check_samples(path: Path, x: Promise) -> None:
    """Numbers (N, D), (N, H, W) or (N, 1 or 3, H, W), and not too many of them."""
    if x.dtype.kind not in "buif":
        raise refuse(path, f"x holds {shortened(x.dtype)}", "it must hold numbers")
    channels_allowed = len(x.shape) != 4 or x.shape[1] in (1, 3)
    if len(x.shape) not in (2, 3, 4) or 0 in x.shape or not channels_allowed:
        raise refuse(path, f"x has the shape {shortened(x.shape)}", _SHAPES)
    limits.check_size(path, x.shape[0], math.prod(x.shape[1:]))


def _check_labels(path: Path, y: Promise, count: int) -> None:
    """Whole numbers or texts (count,), and not too long ones."""
    if y.shape != (count,):
        raise refuse(path, f"y has the shape {shortened(y.shape)}", f"it must hold one class for each of the {count} samples in x")
    if y.dtype.kind not in "buiU":
        raise refuse(path, f"y holds {shortened(y.dtype)}", "it must hold whole numbers or texts")
    letters = y.dtype.itemsize // 4 if y.dtype.kind == "U" else 1
    if count * letters > limits.VALUES:
        raise refuse(path, f"y holds {count} texts of up to {letters} letters", f"{limits.VALUES} letters are allowed together")


def _check_finite(path: Path, x: np.ndarray) -> None:
    if not (np.isfinite(x.min()) and np.isfinite(x.max())):
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise refuse(path, f"x holds {x[first]} at {first}", "all values must be finite")


def _pictures(path: Path, x: np.ndarray, y: np.ndarray, classes: tuple[str, ...]) -> Dataset:
    with np.errstate(over="ignore"):  # what does not fit becomes infinite and is found below
        x = x.astype(np.float32)
    _check_finite(path, x)
    low, high = float(x.min()), float(x.max())
    if low < 0 or high > 255:
        raise refuse(path, f"its pictures have values from {low:g} to {high:g}", "0 to 1 or 0 to 255 are allowed")
    scaled = torch.from_numpy(x.reshape(len(x), -1) / np.float32(1 if high <= 1 else 255))
    return without_parts(path.name, scaled, y, tuple(x.shape[1:]), classes)
