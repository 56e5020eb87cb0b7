"""A user's own arrays in an NPZ file: samples and classes, under the names that people give them."""

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
from ked.data.byte_pixels import FEW, BytePixels
from ked.data.dataset import PARTS, Dataset
from ked.data.limits import refuse
from ked.data.npz_layouts import Layout, channels_first, flat_labels, layout
from ked.data.official_parts import Splits, splits
from ked.data.pixels import ONE, colours_first, own_pictures, scale_of
from ked.data.pixels import samples as as_samples
from ked.data.tabular import table
from ked.errors import InvalidInput, quoted, shortened
from ked.files import zips

_SHAPES = (
    "x must have the shape (samples, features), (samples, rows, columns), (samples, 1 or 3 channels, rows, columns) or "
    "(samples, rows, columns, 1, 3 or 4 channels)"
)
_WRITER = "an NPZ file must be one that numpy.savez wrote"
_CLASSES = "it must hold whole numbers or texts, or one-hot rows"
_FLAT = 64  # bytes, from which on as many as a square has, or three, are the pixels of a picture
_ROUNDING = 1e-3  # of a byte: single precision, there and back
_HEADER_BYTES = 16_384  # of an array's header, which numpy takes up to 10 000 letters of
_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


@dataclass(frozen=True)
class Promise:
    """What an array's header says of it before any of it is read: its shape, its type, and its file in the archive."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    member: zipfile.ZipInfo


def read(path: Path, label: str | None = None) -> Dataset:
    """The arrays as a data set: a table (N, D) is standardised, pictures are brought to [0, 1], official parts are kept.

    Names, axes and ranges may be any of those in `ked.data.npz_layouts`.  Nothing is unpickled, and everything that the headers tell
    is checked before an array is read: a small file can promise a lot.
    Raises InvalidInput, which names what was found.
    """
    if label is not None:
        raise refuse(path, f"the column {quoted(label)} was asked for", "an NPZ file has no columns, its class is the array y")
    with _whole(path), zips.opened(path, limits.TABLE_BYTES) as archive:
        found, members = _members(path, archive)
        promised = {name: _promise(path, name, archive, member) for name, member in members.items()}
        _check(path, found, promised)
        arrays = {name: _array(archive, promise) for name, promise in promised.items()}
    labels = [_labels(path, name, arrays.pop(name)) for _, name in found.pairs.values()]
    parts = [part for part, y in zip(found.pairs, labels, strict=True) for _ in y]
    y, classes = limits.numbered(path, [str(one) for one in np.concatenate(labels)], 1 if "train" in parts else limits.PER_CLASS)
    rows, cut = splits(path, y, classes, parts)
    notes = tuple(said for said in (found.note, cut) if said)
    for name, x in arrays.items():
        _check_finite(path, name, x)
    samples = [arrays[name] for name, _ in found.pairs.values()]
    if side := _side(samples):
        notes += (f"The rows are taken for the bytes of pictures of {side} x {side} (floats are measurements).",)
        samples = [one.reshape(-1, side, side) if one.shape[1] == side * side else colours_first(one) for one in samples]
    if samples[0].ndim > 2:
        return _pictures(path, samples, y, rows, classes, notes)
    features = tuple(f"feature {i}" for i in range(samples[0].shape[1]))
    return table(path.name, np.concatenate(samples), y, classes, features, rows, notes)


def packed(pictures: Dataset) -> bytes:
    """An NPZ file from which the same pictures are read, in the same splits; it holds bytes."""
    file, shape = io.BytesIO(), pictures.shape
    names = np.array(pictures.classes)
    arrays = {}
    for part in PARTS:
        rows, x = getattr(pictures, part), pictures.x
        pixels = x.bytes_of(rows) if isinstance(x, BytePixels) else x[rows].mul(255).round().to(torch.uint8)
        arrays[f"x_{part}"] = pixels.reshape(-1, *shape).numpy()
        arrays[f"y_{part}"] = names[pictures.y[rows].numpy()]
    np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's stub takes the arrays for its flag
    return file.getvalue()


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Whatever zipfile, zlib and numpy say of damaged bytes becomes one sentence."""
    try:
        yield
    except InvalidInput:
        raise
    except Exception as error:
        raise refuse(path, f"it cannot be unpacked ({shortened(error)})", _WRITER) from error


def _members(path: Path, archive: zipfile.ZipFile) -> tuple[Layout, dict[str, zipfile.ZipInfo]]:
    """Which arrays are used, and their files in the archive."""
    members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
    found = layout(members)
    if not found.pairs:
        listed = shortened(", ".join(sorted(name[:40] for name in members)[:8]) or "nothing")
        raise refuse(path, f"it holds {listed}", "it needs the arrays x and y, or x_train, y_train, x_test and y_test")
    used = {name: members[name] for pair in found.pairs.values() for name in pair}
    if sum(member.file_size for member in used.values()) > limits.UNPACKED_BYTES:
        raise refuse(path, "its arrays are too large", f"at most {limits.UNPACKED_BYTES} bytes are allowed unpacked")
    return found, used


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
        allowed = "only numbers, and texts in y, are allowed (save .astype(float) or .astype(str) of it)"
        raise refuse(path, f"{key} holds Python objects", allowed)
    if math.prod(shape) * dtype.itemsize > member.file_size:
        raise refuse(path, f"{key} promises the shape {shortened(shape)} but is shorter", "an array must be complete")
    return Promise(shape, dtype, member)


def _array(archive: zipfile.ZipFile, promise: Promise) -> np.ndarray:
    with archive.open(promise.member) as stream, np.errstate(over="ignore"):
        array: np.ndarray = np.lib.format.read_array(stream, allow_pickle=False)
        wide = promise.dtype.kind == "f" and promise.dtype.itemsize > 8
        return array.astype(np.float64) if wide else array


def _check(path: Path, found: Layout, promised: dict[str, Promise]) -> None:
    """All that can be known of the arrays before one is read."""
    for names in found.pairs.values():
        x, y = (promised[name] for name in names)
        _check_samples(path, names[0], x)
        _check_labels(path, names, y, x.shape[0])
    sides = {promised[name].shape[1:] for name, _ in found.pairs.values()}
    if len(sides) > 1:
        raise refuse(path, f"its parts have samples of the shapes {shortened(sorted(sides))}", "all must have the same one")
    count, shape = sum(promised[name].shape[0] for name, _ in found.pairs.values()), sides.pop()
    width = max(promised[name].dtype.itemsize for name, _ in found.pairs.values())
    limits.check_size(path, count, math.prod(shape), limits.AS_NUMBERS if len(shape) == 1 else width + limits.AS_BYTES)


def _check_samples(path: Path, name: str, x: Promise) -> None:
    """Numbers (N, D), (N, H, W), or these with channels."""
    if x.dtype.kind not in "buif":
        raise refuse(path, f"{shortened(name)} holds {shortened(x.dtype)}", "it must hold numbers")
    if len(x.shape) not in (2, 3, 4) or 0 in x.shape or (len(x.shape) == 4 and channels_first(x.shape) is None):
        raise refuse(path, f"{shortened(name)} has the shape {shortened(x.shape)}", _SHAPES)


def _check_labels(path: Path, names: tuple[str, str], y: Promise, count: int) -> None:
    """One class a sample, and not too long names of them."""
    name, letters = shortened(names[1]), y.dtype.itemsize // (4 if y.dtype.kind == "U" else 1) if y.dtype.kind in "US" else 1
    if len(y.shape) not in (1, 2) or 0 in y.shape or (y.shape[0] != count and y.shape != (1, count)):
        allowed = f"it must hold one class for each of the {count} samples in {shortened(names[0])}"
        raise refuse(path, f"{name} has the shape {shortened(y.shape)}", allowed)
    if y.dtype.kind not in "buifUS":
        raise refuse(path, f"{name} holds {shortened(y.dtype)}", _CLASSES)
    if math.prod(y.shape) * letters > limits.LETTERS:
        raise refuse(path, f"{name} holds {count} texts of up to {letters} letters", f"{limits.LETTERS} letters are allowed together")


def _labels(path: Path, name: str, y: np.ndarray) -> np.ndarray:
    found = flat_labels(y)
    if found is None:
        what = "no one-hot rows" if y.ndim == 2 and y.shape[1] > 1 else "fractions"
        raise refuse(path, f"{shortened(name)} holds {what} ({shortened(y.dtype)} of shape {y.shape})", _CLASSES)
    return found


def _check_finite(path: Path, name: str, x: np.ndarray) -> None:
    if not (np.isfinite(x.min()) and np.isfinite(x.max())):
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise refuse(path, f"{shortened(name)} holds {x[first]} at {first}", "all values must be finite")


def _side(samples: list[np.ndarray]) -> int | None:
    """Of the square pictures that samples (N, D) are, each row its bytes; else None."""
    D = samples[0].shape[-1]
    side = next((math.isqrt(D // colours) for colours in (1, 3) if colours * math.isqrt(D // colours) ** 2 == D), 0)
    bytes_ = all(one.ndim == 2 and one.dtype == np.uint8 for one in samples) and max(int(one.max()) for one in samples) > 16
    return side if side and _FLAT <= D and bytes_ else None


def _pictures(
    path: Path, samples: list[np.ndarray], y: np.ndarray, rows: Splits, classes: tuple[str, ...], notes: tuple[str, ...]
) -> Dataset:
    tops = {float(x.max()) <= ONE for x in samples}
    if len(tops) > 1 and any(x.dtype != np.uint8 for x in samples):
        highest = " and ".join(f"{float(x.max()):g}" for x in samples)
        raise refuse(path, f"its parts have values up to {highest}", "all must have the same range")
    low, high = min(float(x.min()) for x in samples), max(float(x.max()) for x in samples)
    scale = scale_of(low, high, whole=high > 1 and not any(x.dtype.kind == "f" and np.mod(x, 1).any() for x in samples))
    if scale is None:
        allowed = "0 to 1, -1 to 1 or 0 to 255 are allowed, and whole numbers to 65535"
        raise refuse(path, f"its pictures have values from {low:g} to {high:g}", allowed)
    exact = [_as_bytes(one, *scale) for one in samples] if len(y) > FEW else [None]
    whole = [one for one in exact if one is not None]
    x = np.concatenate(whole if len(whole) == len(samples) else [_scaled(one, *scale) for one in samples])
    kept = as_samples(x) if x.dtype == np.uint8 else torch.from_numpy(x.reshape(len(x), -1))
    return own_pictures(path.name, kept, y, rows, x.shape[1:], classes, notes)


def _as_bytes(x: np.ndarray, add: float, divide: float) -> np.ndarray | None:
    """(N, H, W) or (N, 3, H, W) uint8, if all values are bytes divided by 255; else None."""
    blocks = []
    for start in range(0, len(x), FEW):
        exact = 255 * _scaled(x[start : start + FEW], add, divide)
        blocks.append(np.rint(exact).astype(np.uint8))
        if np.abs(exact - blocks[-1]).max() > _ROUNDING:
            return None
    return np.concatenate(blocks)


def _scaled(x: np.ndarray, add: float, divide: float) -> np.ndarray:
    """float32 (N, H, W) or (N, 3, H, W) in [0, 1]."""
    values = ((x.astype(np.float32) + np.float32(add)) / np.float32(divide)).clip(0, 1)
    if values.ndim == 3:
        return values
    values = values if channels_first(values.shape) else values.transpose(0, 3, 1, 2)
    if values.shape[1] == 4:  # what can be seen through lies on white
        values = values[:, :3] * values[:, 3:] + (1 - values[:, 3:])
    return np.ascontiguousarray(values[:, 0] if values.shape[1] == 1 else values)
