"""File locks among processes: the kernel frees a lock when its holder ends, also one that is killed."""

from __future__ import annotations

import contextlib
import errno
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
        Unavailable: The disk is full, cannot be written, or knows no locks.
    """
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        free = _lock(descriptor, path, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except Unavailable:
        os.close(descriptor)
        raise
    if free:
        return descriptor
    os.close(descriptor)
    return None


def is_held(path: Path) -> bool:
    """Whether somebody holds the file's lock; changes nothing, so it can be asked of what may only be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # nobody has ever locked it, or it is no business of this user's
        return False
    try:
        return not _lock(descriptor, path, fcntl.LOCK_SH | fcntl.LOCK_NB)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path, how: int) -> bool:
    """Whether the lock could be had."""
    try:
        fcntl.flock(descriptor, how)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):  # the second one on some network disks
            return False
        told = f"the disk of {path.parent} knows no file locks ({error.strerror}); point KED_HOME to one that does."
        raise Unavailable(told) from error
    return True


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
        _lock(handle, folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
