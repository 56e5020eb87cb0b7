"""Where the files of data sets may lie, and what is said when one is missing or damaged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ked.errors import Unavailable
from ked.files.home import home


def own_folder() -> Path:
    """Our folder for downloads and for what is read once and kept, below $KED_HOME or the user's data directory."""
    return home() / "data"


def folders(*below: str) -> list[Path]:
    """Where a user's files may lie: each of `below` in $KED_DATA, or nothing where that is not set."""
    named = os.environ.get("KED_DATA")
    return [Path(named).expanduser() / part for part in below] if named else []


def missing(title: str, what: str, below: str) -> Unavailable:
    """The error for data that is not there: which files go where, in one sentence."""
    return barred(below) or Unavailable(
        f"{title} is not on this machine: put {what} into the folder {below} below the folder that the environment variable "
        f"KED_DATA names, or into {own_folder() / below}."
    )


def damaged(path: Path, reason: str) -> Unavailable:
    """The error for a file that is not what it should be."""
    return Unavailable(f"The file {path} is damaged ({reason}): replace it with a fresh copy or delete it.")


def barred(*below: str) -> Unavailable | None:
    """The error for the first of a user's folders that is there but may not be entered, so that nobody knows what is in it."""
    for folder in folders("", *below):
        try:
            os.stat(f"{folder}/.")  # which asks for the right to enter; as a Path it would be the folder itself
        except PermissionError as error:
            return _unreadable(folder, error)
        except OSError:  # not there, or no folder
            continue
    return None


@contextmanager
def readable() -> Iterator[None]:
    """Inside, a file or folder that is there but cannot be read is one sentence (Unavailable)."""
    try:
        yield
    except OSError as error:
        raise _unreadable(error.filename or "A file of these data", error) from error


def _unreadable(what: object, error: OSError) -> Unavailable:
    return Unavailable(f"{what} cannot be read ({error.strerror or error}): let the user who runs this read it, or take it away.")
