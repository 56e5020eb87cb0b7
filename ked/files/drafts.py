"""Folders in the making: under a name that begins with a dot, held by whoever fills them, and swept where that process was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from ked.errors import Unavailable
from ked.files import locks
from ked.files.home import home

LOCK = ".lock"
OLD = 24 * 3600.0  # seconds: what nobody holds may be of a program that knew no locks, and is then left in peace for a day

# What a killed process leaves, below $KED_HOME: of folders, and of files that are replaced in one step.
_LEFT = (
    ".import-*", ".record-*", "cache/.*", "data/own/.*", "data/kept/tmp*", "runs/*/.run.json-*", "queue/..turn-*", "queue/.*-????????",
    "studies/.stop-*", "studies/*/.process.json-*",
)  # fmt: skip
_DOOMED = ".deleted-*"  # folders on their way out: whoever comes by may help


@contextlib.contextmanager
def draft(folder: Path) -> Iterator[Path]:
    """Make a folder to fill; it vanishes at the end, unless it was renamed before.

    While the block lasts the file `.lock` in it is held, and stays behind in what was renamed.
    """
    folder.mkdir(parents=True)
    held = locks.take(folder / LOCK, wait=True)
    assert held is not None
    try:
        yield folder
    finally:
        os.close(held)
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Remove what killed processes have left in the home: drafts that nobody holds and that are older than a day."""
    with contextlib.suppress(OSError):  # where nothing can be written, nothing can be swept
        for path in home().glob(_DOOMED):
            shutil.rmtree(path, ignore_errors=True)
        for pattern in _LEFT:
            for path in home().glob(pattern):
                with contextlib.suppress(OSError, Unavailable):
                    _sweep(path)


def _sweep(path: Path) -> None:
    if time.time() - path.lstat().st_mtime < OLD:
        return
    if not path.is_dir() or path.is_symlink():
        path.unlink()
        return
    held = locks.take(path / LOCK, wait=False)
    if held is not None:
        shutil.rmtree(path, ignore_errors=True)
        os.close(held)
