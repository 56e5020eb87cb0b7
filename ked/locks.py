"""One writer at a time: a visitor may rename a run while its job writes how it ended, and neither must undo the other."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from ked.errors import Unavailable


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which no file stands for and which ends with the process; threads wait for each other too."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise Unavailable(f"the folder {folder} is not there or cannot be read; look whether it was deleted.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
