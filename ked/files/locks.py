"""File locks among processes: the kernel frees a lock when its holder ends, also one that is killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from ked.errors import Unavailable
from ked.files.disk import disk_errors


def take(path: Path, *, wait: bool) -> int | None:
    """Lock a file, creating it where it is missing; the lock lives as long as any copy of the descriptor is open.

    Args:
        path: The file.
        wait: Whether to wait for whoever holds it.

    Returns:
        The descriptor that holds the lock, or None where another one does.

    Raises:
        Unavailable: The disk is full or cannot be written.
    """
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return descriptor


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file's lock during the block. A process that forks in it shares the lock: both have to leave the block."""
    descriptor = take(path, wait=True)
    assert descriptor is not None
    try:
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which no file stands for and which ends with the process; threads wait for each other too.

    One writer at a time: a visitor may rename a run while its job writes how it ended, and neither must undo the other.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise Unavailable(f"the folder {folder} is not there or cannot be read; look whether it was deleted.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
