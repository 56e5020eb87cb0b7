"""A user's own pictures in class folders, wherever the folders are: decoded one after the other, and brought to one size."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from ked.data import limits, picture_files
from ked.data.class_folders import Placed, SortedOut
from ked.data.columns import spelt
from ked.data.dataset import Dataset
from ked.data.limits import refuse
from ked.data.official_parts import splits
from ked.data.picture_files import UnusablePicture
from ked.data.pixels import own_pictures, samples
from ked.data.progress import tracked
from ked.data.spelling import unified
from ked.errors import quoted

FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF", "PPM")
SIDE = 64  # pictures up to this many rows and columns, and all of one size, are taken as they are
SCALED = 32  # all others are cut to a square and scaled to this many rows and columns


def dataset(path: Path, found: SortedOut, content: Callable[[Placed], bytes]) -> Dataset:
    """The pictures that were found below a folder, or in an archive, as a data set, x in [0, 1].

    content: gives what is in a picture's file.
    All grey: shape (H, W), else (3, H, W), red first.  Pictures of one size up to 64 x 64 keep it; others are cut to the middle square
    and scaled to 32 x 32.  What can be seen through is white, of several frames the first is taken.
    Raises InvalidInput, which names the file.
    """
    if not found.pictures:
        raise refuse(path, "it holds no pictures in class folders", f"it must hold names like cat/1.png, of {', '.join(FORMATS)} files")
    _check_size(path, found, content)
    found, spellings = _in_one_spelling(found)
    if len({one.label for one in found.pictures}) == 1:
        single = f"it has 1 class, as all pictures lie in the folder {quoted(found.pictures[0].label, 30)}"
        raise refuse(path, single, "each class needs a folder of its own, as in cat/1.png and dog/1.png")
    found, few = _without_small(found)
    least = 1 if found.pictures[0].part else limits.PER_CLASS
    y, classes = limits.numbered(path, [one.label for one in found.pictures], least, "the folders are the classes")
    rows, cut = splits(path, y, classes, [one.part for one in found.pictures])
    sheet = Sheet(len(found.pictures))
    for one in tracked(found.pictures):
        sheet.add(_picture(path, one.name, content(one)))
    notes = tuple(said for said in (found.note, spellings, few, *found.remarks, cut, sheet.note) if said)
    return own_pictures(path.name, samples(sheet.pixels), y, rows, sheet.pixels.shape[1:], classes, notes)


def _in_one_spelling(found: SortedOut) -> tuple[SortedOut, str]:
    """Classes that differ in their spelling alone are one, as in tables, and the sentence about them."""
    labels, spellings = unified(pd.Series([one.label for one in found.pictures], dtype=object))
    if not spellings:
        return found, ""
    pictures = tuple(replace(one, label=label) for one, label in zip(found.pictures, labels, strict=True))
    return replace(found, pictures=pictures), f"Among the classes {spelt(spellings)} are one."


def _without_small(found: SortedOut) -> tuple[SortedOut, str]:
    """Without few pictures of classes too small to be split, and the sentence about them; official parts stay as they are."""
    sizes = Counter(one.label for one in found.pictures)
    small = sorted(label for label, size in sizes.items() if size < limits.PER_CLASS)
    lost = sum(sizes[label] for label in small)
    if not small or found.pictures[0].part or len(sizes) - len(small) < 2 or lost > limits.FEW * len(found.pictures):
        return found, ""
    kept = tuple(one for one in found.pictures if one.label not in small)
    named = ", ".join(quoted(label, 30) for label in small[:5]) + (" and others" if len(small) > 5 else "")
    classes = f"the class {named} has" if len(small) == 1 else f"the classes {named} have"
    return replace(found, pictures=kept), f"{lost} of {len(found.pictures)} pictures are left out: {classes} fewer than {limits.PER_CLASS}."


def _check_size(path: Path, found: SortedOut, content: Callable[[Placed], bytes]) -> None:
    """Whether all pictures fit into this machine, if they are as the first one: from its header, before anything is decoded."""
    limits.check_size(path, len(found.pictures), 1)
    first = found.pictures[0]
    try:
        size = picture_files.size(io.BytesIO(content(first)), FORMATS)
    except UnusablePicture as error:
        raise refuse(path, f"{quoted(first.name)} in it {error.found}", error.allowed) from None
    height, width = size if max(size) <= SIDE else (SCALED, SCALED)
    limits.check_size(path, len(found.pictures), 3 * height * width, limits.AS_BYTES)


def _picture(path: Path, name: str, content: bytes) -> Image.Image:
    """One picture, grey or in colour."""
    try:
        return picture_files.read(io.BytesIO(content), FORMATS, limits.PICTURE_SIDE, shrink=True)
    except UnusablePicture as error:
        raise refuse(path, f"{quoted(name)} in it {error.found}", error.allowed) from None


class Sheet:
    """The bytes of many pictures, as they come: of the size and colour of the first one, until another one differs.

    Args:
        count: How many there will be.

    Attributes:
        pixels: (N, H, W) if all pictures so far are grey, else (N, 3, H, W).
    """

    def __init__(self, count: int) -> None:
        self._count, self._filled, self._scaled = count, 0, 0
        self.pixels = np.empty((0, 0, 0), np.uint8)

    @property
    def note(self) -> str:
        """Says how many pictures do not have the size that they came with; empty where all do."""
        cut = "cut to their middle square and scaled"
        return f"{self._scaled} of {self._count} pictures were {cut} to {SCALED} x {SCALED} pixels." if self._scaled else ""

    def add(self, picture: Image.Image) -> None:
        """The next one."""
        if max(picture.size) > SIDE:
            picture, self._scaled = _fitted(picture), self._scaled + 1
        if not self._filled:
            self.pixels = np.empty((self._count, *_layers(picture).shape), np.uint8)
        if picture.size[::-1] != self.pixels.shape[-2:]:
            self._scale_all()
            self._scaled += picture.size != (SCALED, SCALED)
            picture = _fitted(picture)
        if picture.mode != "L" and self.pixels.ndim == 3:
            self.pixels = np.repeat(self.pixels[:, None], 3, axis=1)
        self.pixels[self._filled] = _layers(picture)
        self._filled += 1

    def _scale_all(self) -> None:
        """Bring what is there to the one size that all pictures can be brought to."""
        if self.pixels.shape[-2:] == (SCALED, SCALED):
            return
        smaller = np.empty((*self.pixels.shape[:-2], SCALED, SCALED), np.uint8)
        for row, layers in enumerate(self.pixels[: self._filled]):
            smaller[row] = _layers(_fitted(Image.fromarray(layers if layers.ndim == 2 else layers.transpose(1, 2, 0).copy())))
        self.pixels, self._scaled = smaller, self._filled


def _layers(picture: Image.Image) -> np.ndarray:
    """Bytes (H, W) of a grey picture, (3, H, W) of one in colour."""
    layers = np.asarray(picture)
    return layers if layers.ndim == 2 else layers.transpose(2, 0, 1)


def _fitted(picture: Image.Image) -> Image.Image:
    """The middle square, scaled."""
    smaller = min(picture.size) > SCALED
    return ImageOps.fit(picture, (SCALED, SCALED), Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR)
