"""Tiny ImageNet: 110 000 colour pictures of 64 x 64 pixels in 200 classes, from its makers' own folder layout.

    tiny-imagenet-200/words.txt                               WordNet id, tab, names separated by commas
    tiny-imagenet-200/train/<WordNet id>/images/*.JPEG        500 pictures of each class
    tiny-imagenet-200/val/images/*.JPEG                       50 of each class
    tiny-imagenet-200/val/val_annotations.txt                 file, tab, WordNet id, tab, a box

Source: Y. Le and X. Yang, Tiny ImageNet Visual Recognition Challenge, Stanford CS 231N, 2015 (tiny-imagenet-200.zip).
The pictures of its test folder have no labels, so, as is usual, its validation folder is the test split here.

Memory: as float32 the pictures take 5.4 GB. Decoding them takes minutes, so their bytes (1.35 GB) are kept in our own folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ked.data import locations
from ked.data.array_cache import Arrays, kept
from ked.data.dataset import Dataset
from ked.data.locations import damaged, missing, readable
from ked.data.picture_files import UnusablePicture, read
from ked.data.pixels import official
from ked.data.progress import tracked
from ked.errors import quoted

SHAPE = (3, 64, 64)
FOLDER = "tiny-imagenet-200"
LEAST = 2  # training pictures of a class, one of which goes to the validation split
_NAMES = "words.txt"
_ANNOTATIONS = Path("val", "val_annotations.txt")


def load(name: str) -> Dataset:
    """Tiny ImageNet with x (N, 3 * 64 * 64) in [0, 1], red first; 5000 training pictures are for validation.

    Raises Unavailable when its folder is not on this machine, or a file in it is damaged.
    """
    root = find()
    if root is None:
        raise missing("Tiny ImageNet", "the unpacked tiny-imagenet-200.zip of Stanford's course CS 231N", FOLDER)
    ids = _ids(root / "train")
    arrays = kept("tiny-imagenet", _stamp(root, ids), lambda: _decode(root, ids))
    training, test = ((arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "val"))
    return official(name, training, test, SHAPE, _class_names(root / _NAMES, ids))


def find() -> Path | None:
    """The first folder with the layout above, or None; it is only read, never written to."""
    roots = [*locations.folders(FOLDER, "tiny-imagenet", ""), locations.own_folder() / FOLDER]
    return next((root for root in roots if os.path.isdir(root / "train") and os.path.isfile(root / _ANNOTATIONS)), None)


def here() -> bool:
    """Whether its files are on this machine."""
    return find() is not None


@readable()
def _ids(training: Path) -> list[str]:
    """The WordNet ids of the classes, each the name of a folder."""
    ids = sorted(folder.name for folder in training.iterdir() if folder.is_dir())
    if len(ids) < 2:
        raise damaged(training, f"it holds {len(ids)} folders of classes, and at least 2 are needed")
    return ids


@readable()
def _stamp(root: Path, ids: list[str]) -> list[object]:
    folders = [root / "train" / one / "images" for one in ids] + [root / "val" / "images", root / _ANNOTATIONS]
    return [str(root.resolve()), ids, [path.stat().st_mtime_ns for path in folders if path.exists()]]


@readable()
def _decode(root: Path, ids: list[str]) -> Arrays:
    """Bytes (n, 3, 64, 64) and labels (n,) of both parts."""
    training = [(path, y) for y, one in enumerate(ids) for path in _pictures(root / "train" / one / "images")]
    parts = {"train": training, "val": _annotated(root, ids)}
    pixels = _pixels([path for files in parts.values() for path, _ in files])
    arrays = {"x_train": pixels[: len(training)], "x_val": pixels[len(training) :]}
    return arrays | {f"y_{part}": np.array([y for _, y in files], np.int64) for part, files in parts.items()}


def _pictures(folder: Path) -> list[Path]:
    """A class's pictures, in the order of their names."""
    found = sorted(path for path in folder.iterdir() if path.suffix == ".JPEG")  # not glob, which passes over what it may not read
    if len(found) < LEAST:
        raise damaged(folder, f"it holds {len(found) or 'no'} pictures *.JPEG, and every class needs at least {LEAST}")
    return found


def _annotated(root: Path, ids: list[str]) -> list[tuple[Path, int]]:
    """The pictures of the validation folder and their labels, in the order of the annotations."""
    found = []
    numbers = {one: y for y, one in enumerate(ids)}
    path = root / _ANNOTATIONS
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        file, one, *_ = [*line.split("\t"), ""]
        if one not in numbers or Path(file).name != file:
            raise damaged(path, f"line {number} is {quoted(line)}, not a file and one of the {len(ids)} WordNet ids in train")
        found.append((root / "val" / "images" / file, numbers[one]))
    if not found:
        raise damaged(path, "it is empty")
    return found


def _pixels(paths: list[Path]) -> np.ndarray:
    pixels = np.empty((len(paths), *SHAPE), np.uint8)
    for row, path in enumerate(tracked(paths)):
        try:
            picture = read(path, ("JPEG",), SHAPE[-1], upright=False)  # as published
        except FileNotFoundError as error:
            raise damaged(path, "it cannot be read, as it is not there") from error
        except UnusablePicture as error:
            raise damaged(path, f"it cannot be read: it {error}") from error
        if picture.size != SHAPE[1:]:
            raise damaged(path, f"it has {picture.width} x {picture.height} pixels, not 64 x 64")
        pixels[row] = np.asarray(picture.convert("RGB")).transpose(2, 0, 1)  # some are grey
    return pixels


@readable()
def _class_names(path: Path, ids: list[str]) -> tuple[str, ...]:
    """The first name of each WordNet id, with the id itself where two classes share it or the file does not know it."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    words = {one: names.split(",")[0].strip() for one, _, names in (line.partition("\t") for line in lines)}
    names = [words.get(one, one) for one in ids]
    return tuple(f"{name} ({one})" if names.count(name) > 1 else name for name, one in zip(names, ids, strict=True))
