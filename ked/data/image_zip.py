"""A user's own pictures: a zip with one folder for each class.

Nothing is ever unpacked to the disk. Names, sizes and kinds are checked from the archive's table first, then each picture's own
header, and only then are its pixels decoded.
"""

from __future__ import annotations

import io
import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageOps

from ked.data import limits, picture_files
from ked.data.dataset import Dataset
from ked.data.limits import refuse
from ked.data.picture_files import UnusablePicture
from ked.data.pixels import unit_interval, without_parts
from ked.data.progress import tracked
from ked.errors import quoted, shortened
from ked.files import zips

FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
SIDE = 64  # pictures up to this many rows and columns, and all of one size, are taken as they are
SCALED = 32  # all others are cut to a square and scaled to this many rows and columns
_CLUTTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")  # what file managers leave in archives
_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError, RuntimeError, ValueError, OverflowError)


def read(path: Path, label: str | None = None) -> Dataset:
    """The pictures as a data set, x in [0, 1]; the folder's name is the class.

    All grey: shape (H, W), else (3, H, W), red first.  Pictures of one size up to 64 x 64 keep it; others are cut to the middle square
    and scaled to 32 x 32.  What can be seen through is white.  Raises InvalidInput, which names the file in the archive.
    """
    if label is not None:
        raise refuse(
            path, f"the column {quoted(label)} was asked for", "a zip of pictures has no columns, its classes are the folders"
        )
    try:
        archive = zips.opened(path, limits.TABLE_BYTES)
    except _BROKEN as error:
        found = f"it is not a zip archive ({shortened(error)})"
        raise refuse(path, found, "it must be a zip with one folder of pictures for each class") from None
    with archive:
        members = _members(path, archive)
        y, classes = limits.numbered(path, _class_names(path, members))
        pixels = _pixels([_picture(path, archive, member) for member in tracked(members)])
    limits.check_size(path, len(pixels), pixels[0].size)
    return without_parts(path.name, unit_interval([pixels]), y, pixels.shape[1:], classes)


def _members(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The pictures' entries in the archive, by name; all names, kinds and sizes in its table are checked."""
    members = [one for one in archive.infolist() if not one.is_dir() and not any(name in one.filename for name in _CLUTTER)]
    limits.check_size(path, len(members), SCALED * SCALED)  # before anything is decoded
    if sum(member.file_size for member in members) > limits.UNPACKED_BYTES:
        raise refuse(path, "its files are too large", f"at most {limits.UNPACKED_BYTES} bytes are allowed unpacked")
    for member in members:
        for found, allowed in _complaints(member):
            raise refuse(path, f"{quoted(member.filename)} in it {found}", allowed)
    return sorted(members, key=lambda member: member.filename)


def _complaints(member: zipfile.ZipInfo) -> Iterator[tuple[str, str]]:
    """What an entry does that it must not, and what is allowed instead."""
    name = member.filename
    if name.startswith("/") or "\\" in name or ":" in name or ".." in PurePosixPath(name).parts:
        yield "points outside the archive", "only names like cat/1.png are allowed"
    if stat.S_ISLNK(member.external_attr >> 16):
        yield "is a link", "only files are allowed"
    if member.flag_bits & 1:
        yield "is encrypted", "only archives without a password are allowed"
    if member.file_size > limits.MEMBER_BYTES:
        yield f"has {member.file_size} bytes", f"at most {limits.MEMBER_BYTES} are allowed for a picture"


def _class_names(path: Path, members: list[zipfile.ZipInfo]) -> list[str]:
    """The folder of each picture; one more folder around them all is fine."""
    parts = [PurePosixPath(member.filename).parts for member in members]
    depth = 3 if len({part[0] for part in parts}) == 1 and all(len(part) == 3 for part in parts) else 2
    for part in parts:
        if len(part) != depth:
            found = f"{quoted('/'.join(part))} in it is not in a class folder"
            raise refuse(path, found, "it must hold names like cat/1.png")
    return [part[-2] for part in parts]


def _picture(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Image.Image:
    """One picture, grey or in colour; a large one is already scaled."""
    name = f"{quoted(member.filename)} in it"
    try:
        content = archive.read(member)
    except _BROKEN as error:
        raise refuse(path, f"{name} cannot be unpacked ({shortened(error)})", "the archive must be complete") from None
    try:
        picture = picture_files.read(io.BytesIO(content), FORMATS, limits.PICTURE_SIDE)
    except UnusablePicture as error:
        raise refuse(path, f"{name} {error.found}", error.allowed) from None
    return picture if max(picture.size) <= SIDE else _scaled(picture)


def _pixels(pictures: list[Image.Image]) -> np.ndarray:
    """Bytes (N, H, W) if all pictures are grey, else (N, 3, H, W)."""
    if len({picture.size for picture in pictures}) > 1:
        pictures = [_scaled(picture) for picture in pictures]
    if all(picture.mode == "L" for picture in pictures):
        return np.stack([np.asarray(picture) for picture in pictures])
    return np.stack([np.asarray(picture.convert("RGB")).transpose(2, 0, 1) for picture in pictures])


def _scaled(picture: Image.Image) -> Image.Image:
    """The middle square, scaled."""
    smaller = min(picture.size) > SCALED
    return ImageOps.fit(picture, (SCALED, SCALED), Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR)
