"""A user's own pictures: a folder of class folders (`ked.data.class_folders`)."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from ked.data import class_pictures, limits
from ked.data.class_folders import sorted_out
from ked.data.dataset import Dataset
from ked.data.limits import refuse
from ked.errors import quoted


def read(path: Path, label: str | None = None) -> Dataset:
    """The pictures as a data set (`ked.data.class_pictures`).  Raises InvalidInput, which names the file in the folder."""
    if label is not None:
        raise refuse(path, f"the column {quoted(label)} was asked for", "a folder of pictures has no columns, its classes are the folders")
    return class_pictures.dataset(path, sorted_out(_files(path)), lambda one: _content(path, one.name))


def digest(path: Path) -> str:
    """SHA-256 over the names and contents of all pictures, hexadecimal: another one whenever the data set is."""
    whole = hashlib.sha256()
    for one in sorted_out(_files(path)).pictures:
        whole.update(one.name.encode() + b"\0" + hashlib.sha256(_content(path, one.name)).digest())
    return whole.hexdigest()


def _files(path: Path) -> list[str]:
    """The names of all files below a folder, with / between folders, sorted; links to other folders are not followed."""

    def stop(error: OSError) -> None:
        raise error

    names: list[str] = []
    for folder, _, files in os.walk(path, onerror=stop):
        names += (Path(folder, file).relative_to(path).as_posix() for file in files)
        if len(names) > limits.FILES:
            raise refuse(path, f"it holds more than {limits.FILES} files", f"at most {limits.FILES} are allowed")
    return sorted(names)


def _content(path: Path, name: str) -> bytes:
    if not name.isprintable():  # names of bytes that are no text, too
        raise refuse(path, f"the name {quoted(name)} in it cannot be shown", "names must be plain text")
    found = (path / name).stat()
    if not stat.S_ISREG(found.st_mode):  # a pipe waits for whoever writes, and a device has no end
        raise refuse(path, f"{quoted(name)} in it is no file with an end", "only files are allowed")
    if found.st_size > limits.MEMBER_BYTES:
        raise refuse(path, f"{quoted(name)} in it has {found.st_size} bytes", f"at most {limits.MEMBER_BYTES} are allowed for a picture")
    return (path / name).read_bytes()
