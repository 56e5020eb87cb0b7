"""A user's own pictures: a zip of class folders (`ked.data.class_folders`).

Nothing is ever unpacked to the disk. Names, sizes and kinds are checked from the archive's table first, then each picture's own
header, and only then are its pixels decoded.
"""

from __future__ import annotations

import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ked.data import class_pictures, limits
from ked.data.class_folders import sorted_out
from ked.data.dataset import Dataset
from ked.data.limits import refuse
from ked.errors import quoted, shortened
from ked.files import zips

_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError, RuntimeError, ValueError, OverflowError)


def read(path: Path, label: str | None = None) -> Dataset:
    """The pictures as a data set (`ked.data.class_pictures`).  Raises InvalidInput, which names the file in the archive."""
    if label is not None:
        raise refuse(
            path, f"the column {quoted(label)} was asked for", "a zip of pictures has no columns, its classes are the folders"
        )
    try:
        archive = zips.opened(path, limits.TABLE_BYTES)
    except _BROKEN as error:
        said = f"it is not a zip archive ({shortened(error)})"
        raise refuse(path, said, "it must be a zip with one folder of pictures for each class") from None
    with archive:
        members = [one for one in archive.infolist() if not one.is_dir()]
        found = sorted_out([_name(member) for member in members])
        _check(path, [members[one.number] for one in found.pictures])
        return class_pictures.dataset(path, found, lambda one: _content(path, archive, members[one.number]))


def _name(member: zipfile.ZipInfo) -> str:
    """With / between folders; some programs for Windows write a backslash."""
    return member.filename.replace("\\", "/")


def _check(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """What the archive's table says of the pictures' kinds and sizes."""
    if sum(member.file_size for member in members) > limits.UNPACKED_BYTES:
        raise refuse(path, "its files are too large", f"at most {limits.UNPACKED_BYTES} bytes are allowed unpacked")
    for member in members:
        for found, allowed in _complaints(member):
            raise refuse(path, f"{quoted(member.filename)} in it {found}", allowed)


def _complaints(member: zipfile.ZipInfo) -> Iterator[tuple[str, str]]:
    """What an entry does that it must not, and what is allowed instead."""
    name = _name(member)
    if name.startswith("/") or ":" in name or ".." in PurePosixPath(name).parts:
        yield "points outside the archive", "only names like cat/1.png are allowed"
    if stat.S_ISLNK(member.external_attr >> 16):
        yield "is a link", "only files are allowed"
    if member.flag_bits & 1:
        yield "is encrypted", "only archives without a password are allowed"
    if member.file_size > limits.MEMBER_BYTES:
        yield f"has {member.file_size} bytes", f"at most {limits.MEMBER_BYTES} are allowed for a picture"


def _content(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(member)
    except _BROKEN as error:
        found = f"{quoted(member.filename)} in it cannot be unpacked ({shortened(error)})"
        raise refuse(path, found, "the archive must be complete") from None
