"""A user's own data: a path instead of a name."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ked.data import limits
from ked.data.columns import ENDINGS, Asked
from ked.data.locations import readable
from ked.errors import InvalidInput, quoted, shortened

if TYPE_CHECKING:
    from ked.data.dataset import Dataset

_TABLE = "intake.table"
# The module in this folder that reads each, when one is there.
_READERS = {**dict.fromkeys(ENDINGS, _TABLE), ".npz": "npz", ".zip": "image_zip"}
# Raise when a reader makes other numbers of the same file, so that nothing trained on the old ones is taken from the cache.
READERS_VERSION = 2  # since tables are standardised in double precision and pictures lie on white
ARRAYS_VERSION = 3  # the same of NPZ files; since whole numbers up to 16 are no bytes
FOLDERS_VERSION = 4  # the same of class folders, zipped or not; since names of classes that are spelt alike are one
INTAKE_VERSION = 4  # the same of columns that are judged and encoded; since 20240131235959 and times of day are read
USUAL = Asked()
ALLOWED = "a table (CSV, TSV, Excel, Parquet), an NPZ file, or class folders of pictures, zipped or not"
_SHOWN = ".csv, .tsv, .txt, .csv.gz, .xlsx, .parquet, .npz, .zip"
_FOLDER = "image_folder"  # the module that reads a folder
_plain: dict[tuple[str, Asked], bool] = {}  # of tables that were read here: whether they are taken as they are


def looks_like_path(text: str) -> bool:
    """Whether a data set's name that is not in the table is meant as a path: by its ending, or as it names a folder or a file."""
    return ending(text) in _READERS or "/" in text or "\\" in text or os.path.exists(text)


@readable()
def load(text: str, asked: Asked = USUAL) -> Dataset:
    """The user's own data, split 60/20/20 with equal class shares and a fixed seed.

    asked: what is said about the columns, only of a table.
    Tables are encoded and standardised on the training part; pictures have x in [0, 1].
    Raises InvalidInput, one sentence that names what was found and what is allowed.
    """
    path = _checked(text)
    name = _FOLDER if path.is_dir() else _READERS[ending(path.name)]
    reader = importlib.import_module(f"ked.data.{name}")
    if name == _TABLE:
        dataset: Dataset = reader.read(path, asked)
        assert dataset.intake is not None
        _plain[_sha256(path), asked] = dataset.intake.plain
        return dataset
    if asked.drop or (asked.keep and not asked.everything):
        raise limits.refuse(path, "columns were named to be left out or kept", "only a table has columns")
    dataset = reader.read(path, asked.label)
    return dataset


@readable()
def columns(text: str) -> tuple[tuple[str, ...], str | None]:
    """The names of the columns of the table in a file, and which one seems to hold the class, if any does."""
    found: tuple[tuple[str, ...], str | None] = importlib.import_module(f"ked.data.{_TABLE}").columns(_checked(text))
    return found


def is_table(name: str) -> bool:
    """Whether a file of this name would be read as a table."""
    return _READERS.get(ending(name)) == _TABLE


def ending(name: str) -> str:
    """What a file's name ends with, as far as it tells what is in it: `.csv.gz` as a whole."""
    suffixes = [suffix.lower() for suffix in Path(name).suffixes[-2:]]
    return "".join(suffixes) if "".join(suffixes) in _READERS else "".join(suffixes[-1:])


@readable()
def fingerprint(text: str, asked: Asked = USUAL) -> str:
    """What a stored result depends on, as a path may hold something else tomorrow: what is in the file, and how it is read.

    A table that is taken as it is has the fingerprint that it had before other tables were read.
    """
    path = _checked(text)
    if path.is_dir():
        return as_read(importlib.import_module(f"ked.data.{_FOLDER}").digest(path), version=FOLDERS_VERSION)
    digest = _sha256(path)
    if not is_table(path.name):
        return as_read(digest, version=version(path.name))
    if asked.everything and not asked.drop:
        return as_read(digest)
    if (digest, asked) not in _plain:
        try:
            load(text, asked)
        except InvalidInput:  # nothing is ever stored of it
            return as_read(digest)
    return as_read(digest) if _plain[digest, asked] else as_read(digest, asked)


def version(name: str) -> int:
    """That of the reader of a file of this name."""
    return {".zip": FOLDERS_VERSION, ".npz": ARRAYS_VERSION}.get(ending(name), READERS_VERSION)


def as_read(sha256: str, asked: Asked | None = None, version: int = READERS_VERSION) -> str:
    """A file's SHA-256, hexadecimal, with the version of the reader that makes numbers of it.

    asked: where columns are judged and encoded, what was said about them; the label is a setting by itself.
    """
    chosen = "" if asked is None else f" {json.dumps([INTAKE_VERSION, sorted(asked.drop), sorted(asked.keep)])}"
    return f"{sha256} {version}{chosen}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
    if ending(path.name) not in _READERS:
        raise limits.refuse(path, f"its ending is {quoted(path.suffix)}", f"only {_SHOWN} are allowed")
    if not 0 < size <= limits.FILE_BYTES:
        raise limits.refuse(path, f"it has {size} bytes", f"1 to {limits.FILE_BYTES} bytes are allowed")
    return path
