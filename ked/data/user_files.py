"""The shelf: a user's own files, kept below $KED_HOME, so that a recipe, the app and the command line can name them.

    $KED_HOME/data/own/flowers-3f2a1b9c04/flowers.csv     the file as it came
    $KED_HOME/data/own/flowers-3f2a1b9c04/about.json      its name, the column with the class, its SHA-256, when it was added

A name such as own:flowers-3f2a1b9c04 says what is in the file: it ends in the first digits of a hash of content and class column.
So a name never comes to mean something else, and the same file, added twice, is there once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from ked.data import limits, locations, own
from ked.data.columns import EVERYTHING, Asked
from ked.data.locations import readable
from ked.errors import InvalidInput, Unavailable, quoted

if TYPE_CHECKING:
    from ked.data.dataset import Dataset

PREFIX = "own:"
NAME = re.compile(rf"{PREFIX}[a-z0-9][a-z0-9-]{{0,23}}-[0-9a-f]{{10}}")
USUAL_LABEL = limits.LABEL
_ABOUT = "about.json"
_UNSAFE = re.compile(r"[^\w .()+-]")  # whatever a path, HTML or Markdown could take for something else


@dataclass(frozen=True)
class UserFile:
    """One file on the shelf.

    Attributes:
        file: What its owner calls it, with anything but letters, digits and a few signs replaced.
        label: The column that holds the class, for tables.
        drop, keep: Columns of a table to leave out, or to use although they would be left out (`ked.data.columns.Asked`). All are kept
            of tables that were added before columns were judged, and of those of which none is left out or encoded.
        sha256: Of the file's bytes.
        size: In bytes.
        added: Seconds since 1970.
        notes: What was done to the data on the way in, and what was left out, one sentence each.
        visitor: Who added it, where that was in the app.
    """

    file: str
    label: str | None
    sha256: str
    size: int
    added: float
    notes: tuple[str, ...] = ()
    visitor: str = ""
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = (EVERYTHING,)

    @property
    def asked(self) -> Asked:
        """How its columns are taken."""
        return Asked(self.label, self.drop, self.keep)


_ENTRY = TypeAdapter(UserFile)
_LATEST = 4e9  # seconds since 1970, in the year 2096


@readable()
def add(
    name: str, content: bytes | memoryview, label: str | None = None, notes: tuple[str, ...] = (), visitor: str = "", *,
    drop: Iterable[str] = (), keep: Iterable[str] = (),
) -> str:  # fmt: skip
    """Keep a file of this name and these bytes; returns the name that `ked.data.load` and recipes know it by.

    label, drop, keep: as of `ked.data.load`, only of a table.
    notes: what was left out before (`own.to_keep`); else what the reader says.
    The file is loaded with all checks first, so what is kept can be used, and what is refused leaves nothing behind.
    Raises InvalidInput as `ked.data.load` does for a path, Unavailable when there is no room.
    """
    file, sha256 = _plain(name), hashlib.sha256(content).hexdigest()
    known = listed()
    with _draft() as draft:
        (draft / file).write_bytes(content)
        found = own.load(str(draft / file), Asked(label, tuple(drop), tuple(keep)))
        about = UserFile(
            file, label, sha256, len(content), time.time(), notes or found.notes, visitor, drop=tuple(drop), keep=tuple(keep)
        )  # fmt: skip
        if (report := found.intake) is not None:
            about = replace(about, label=report.label, keep=(EVERYTHING,) if report.plain else about.keep)
        for key, other in known.items():
            if _digest(other) == _digest(about) and _is_whole(_folder(key) / other.file, other):
                return key
        _check_room(len(content), known)
        (draft / _ABOUT).write_text(json.dumps(asdict(about)), "utf-8")
        _keep(draft, found)
        return _put(draft, _key(about))


@readable()
def columns(name: str, content: bytes | memoryview) -> tuple[tuple[str, ...], str | None]:
    """The names of a table's columns and the likely one of the class, without keeping it; InvalidInput where it cannot be read."""
    with _draft() as draft:
        file = draft / _plain(name)
        file.write_bytes(content)
        return own.columns(str(file))


@readable()
def look(name: str, content: bytes | memoryview, asked: Asked) -> Dataset:
    """What would be kept of a file, without keeping it; raises as `add` does."""
    with _draft() as draft:
        file = draft / _plain(name)
        file.write_bytes(content)
        return own.load(str(file), asked)


def listed() -> dict[str, UserFile]:
    """All files on the shelf by their names, the oldest first; what is damaged is left out."""
    found = {}
    for name in _names():
        with contextlib.suppress(InvalidInput, Unavailable):
            found[PREFIX + name] = entry(PREFIX + name)
    return dict(sorted(found.items(), key=lambda item: (item[1].added, item[0])))


@readable()
def entry(key: str) -> UserFile:
    """What is known about one of them; InvalidInput for what is no name, Unavailable if it is not there, damaged or cannot be read."""
    path = _folder(key) / _ABOUT
    try:
        about = _ENTRY.validate_json(path.read_bytes(), strict=True)
    except (FileNotFoundError, NotADirectoryError):
        raise Unavailable(
            f"The data set '{key}' is not on this machine: add its file on the app's Data page or with `python -m ked data add FILE`."
        ) from None
    except ValidationError:
        about = None
    if about is None or about.file != _plain(about.file) or about.size < 0 or not 0 <= about.added < _LATEST:
        raise locations.damaged(path, "it does not describe a file on the shelf")
    return about


@readable()
def load(key: str) -> Dataset:
    """The data set of this name; Unavailable if its file is gone, is not what was added or cannot be read."""
    about = entry(key)
    path = _folder(key) / about.file
    if not _is_whole(path, about):
        raise locations.damaged(path, "it is not the file that was added")
    found = _kept(path.parent) if not own.is_table(about.file) else None
    if found is None:
        found = own.load(str(path), about.asked)
        _keep(path.parent, found)
    return replace(found, name=key, notes=about.notes or found.notes)


def _kept(folder: Path) -> Dataset | None:
    from ked.data import kept_pictures

    return kept_pictures.read(folder)


def _keep(folder: Path, found: Dataset) -> None:
    from ked.data import kept_pictures

    kept_pictures.write(folder, found)


def fingerprint(key: str) -> str:
    """What a stored result depends on: the file's content, how it is read, and the class column where it is not the usual one."""
    about = entry(key)
    judged = own.is_table(about.file) and (about.drop or not about.asked.everything)
    read = own.as_read(about.sha256, about.asked if judged else None, own.version(about.file))
    return read + ("" if about.label in (None, USUAL_LABEL) else f" {about.label}")


def forget(key: str) -> None:
    """Delete a file from the shelf; InvalidInput for a name that is none there.  Runs that were trained on it stay."""
    folder = _folder(key)
    if not os.path.isdir(folder):
        raise InvalidInput(f"There is no data set '{key}' to remove; `python -m ked data list` shows which there are.")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise Unavailable(f"The folder {folder} cannot be removed ({error.strerror}): remove it by hand.") from error


def check(key: str) -> None:
    """InvalidInput if this cannot be a name on the shelf; reads nothing."""
    if not NAME.fullmatch(key):
        raise InvalidInput(f"{quoted(key)} is no name of own data: such names look like own:flowers-3f2a1b9c04.")


def _folder(key: str) -> Path:
    check(key)
    return _root() / key.removeprefix(PREFIX)


def _root() -> Path:
    return locations.own_folder() / "own"


def _names() -> list[str]:
    """Of the folders on the shelf; none where there is no shelf that can be read, so that other data can still be chosen."""
    with contextlib.suppress(OSError):
        return os.listdir(_root())
    return []


def _is_whole(path: Path, about: UserFile) -> bool:
    """Whether the file is there as it was added."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == about.sha256
    return False


def _put(draft: Path, key: str) -> str:
    """Move a finished draft to its place; what lies there can only be the same, or damaged."""
    folder = _folder(key)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():  # else somebody was faster with the same file
            raise
    return key


def _key(about: UserFile) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", Path(about.file).stem.lower()).strip("-")[:24].rstrip("-") or "data"
    return f"{PREFIX}{slug}-{_digest(about)}"


def _digest(about: UserFile) -> str:
    chosen = [] if about.asked.everything and not about.drop else [[*about.drop], [*about.keep]]
    meant = json.dumps([about.sha256, about.label, own.ending(about.file), *chosen])
    return hashlib.sha256(meant.encode()).hexdigest()[:10]


def harmless(text: str) -> str:
    """A text from a user's file with all that a path, HTML or Markdown could take for something else replaced."""
    return _UNSAFE.sub("_", text)


def _plain(name: str) -> str:
    """The last part of a file's name, of harmless characters and no longer than any disk allows."""
    path = Path(harmless(name.replace("\\", "/").rsplit("/", 1)[-1]))
    return f"{path.stem[:50].strip(' .') or 'data'}{path.suffix[:10].rstrip(' .')}"


def _check_room(size: int, known: dict[str, UserFile]) -> None:
    taken = sum(one.size for one in known.values())
    if taken + size > limits.SHELF_BYTES:
        raise Unavailable(
            f"There is no room for {size} bytes more: own data take {taken} of {limits.SHELF_BYTES} bytes; delete some of them first."
        )


@contextlib.contextmanager
def _draft() -> Iterator[Path]:
    """A folder to fill, which vanishes unless it was renamed."""
    draft = None
    try:
        _root().mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".", dir=_root()))
        yield draft
    except OSError as error:
        raise Unavailable(
            f"The file cannot be kept in {_root()} ({error.strerror}): free some space or point KED_HOME elsewhere."
        ) from error
    finally:
        if draft:
            shutil.rmtree(draft, ignore_errors=True)
