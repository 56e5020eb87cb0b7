"""A user's own data: a path instead of a name."""

from __future__ import annotations

import hashlib
import importlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ked.data import limits
from ked.data.locations import readable
from ked.errors import InvalidInput, quoted, shortened

if TYPE_CHECKING:
    from ked.data.dataset import Dataset

_READERS = {".csv": "csv_table", ".npz": "npz", ".zip": "image_zip"}  # the module in this folder that reads each, when one is there
# Raise when a reader makes other numbers of the same file, so that nothing trained on the old ones is taken from the cache.
READERS_VERSION = 2  # since tables are standardised in double precision and pictures lie on white
ALLOWED = "a CSV file, an NPZ file, or class folders of pictures, zipped or not"
_FOLDER = "image_folder"  # the module that reads a folder


def looks_like_path(text: str) -> bool:
    """Whether a data set's name that is not in the table is meant as a path: by its ending, or as it names a folder or a file."""
    return Path(text).suffix.lower() in _READERS or "/" in text or "\\" in text or os.path.exists(text)


@readable()
def load(text: str, label: str | None = None) -> Dataset:
    """The user's own data, split 60/20/20 with equal class shares and a fixed seed.

    label: the column that holds the class, only in a CSV file ('label' when nothing is said).
    Tables of numbers are standardised on the training part; pictures have x in [0, 1].
    Raises InvalidInput, one sentence that names what was found and what is allowed.
    """
    path = _checked(text)
    reader = _FOLDER if path.is_dir() else _READERS[path.suffix.lower()]
    dataset: Dataset = importlib.import_module(f"ked.data.{reader}").read(path, label)
    return dataset


@readable()
def fingerprint(text: str) -> str:
    """What a stored result depends on, as a path may hold something else tomorrow: what is in the file, and how it is read."""
    path = _checked(text)
    if path.is_dir():
        return as_read(importlib.import_module(f"ked.data.{_FOLDER}").digest(path))
    with path.open("rb") as file:
        return as_read(hashlib.file_digest(file, "sha256").hexdigest())


def as_read(sha256: str) -> str:
    """A file's SHA-256, hexadecimal, with the version of the readers that make numbers of it."""
    return f"{sha256} {READERS_VERSION}"


@readable()
def to_keep(text: str) -> tuple[str, bytes, tuple[str, ...]]:
    """What the shelf keeps of a path: a file's name and content; of a folder an NPZ file of its pictures, and what was left out.

    Raises InvalidInput if it is neither a folder of pictures nor a file of the right ending and size.
    """
    path = _checked(text)
    if not path.is_dir():
        return path.name, path.read_bytes(), ()
    from ked.data import npz

    found = load(text)
    return f"{path.resolve().name}.npz", npz.packed(found), found.notes


def _checked(text: str) -> Path:
    """The path, if it is that of a folder, or of a file of the right ending and size that can be opened."""
    path = Path(text)
    try:
        path = path.expanduser()
        found = path.stat()
        if stat.S_ISREG(found.st_mode):  # only then: a pipe waits for whoever writes, and a device has no end
            path.open("rb").close()
    except FileNotFoundError:
        raise InvalidInput(f"There is no file {quoted(text)}; give the path of {ALLOWED}.") from None
    except (OSError, ValueError, RuntimeError) as error:  # a name with a zero byte, a file of somebody else's, no such home
        reason = getattr(error, "strerror", None) or shortened(error)
        raise InvalidInput(f"The file {quoted(text)} cannot be opened ({reason}); give the path of {ALLOWED}.") from None
    if stat.S_ISDIR(found.st_mode):
        return path
    if not stat.S_ISREG(found.st_mode):
        raise InvalidInput(f"{quoted(text)} is no file with an end; give the path of {ALLOWED}.")
    size = found.st_size
    if path.suffix.lower() not in _READERS:
        raise limits.refuse(path, f"its ending is {quoted(path.suffix)}", f"only {', '.join(_READERS)} are allowed")
    if not 0 < size <= limits.FILE_BYTES:
        raise limits.refuse(path, f"it has {size} bytes", f"1 to {limits.FILE_BYTES} bytes are allowed")
    return path
