"""Where the files of data sets may lie, and what is said when one is missing or damaged."""

from __future__ import annotations

import os
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
    return Unavailable(
        f"{title} is not on this machine: put {what} into the folder {below} below the folder that the environment variable "
        f"KED_DATA names, or into {own_folder() / below}."
    )


def damaged(path: Path, reason: str) -> Unavailable:
    """The error for a file that is not what it should be."""
    return Unavailable(f"The file {path} is damaged ({reason}): replace it with a fresh copy or delete it.")
