"""What a full or read-only disk says to people."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ked.errors import Unavailable


@contextlib.contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn a full or read-only disk into one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = "the disk has no space left"
        elif error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ENOENT):
            reason = "the folder cannot be written"
        else:
            raise
        raise Unavailable(f"{reason}: {folder}; free some space or point KED_HOME elsewhere, then start again.") from error


def write_json(path: Path, content: Any) -> None:
    """Replace a JSON file in one step, so that no reader meets half of it."""
    with disk_errors(path.parent):
        draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
        try:
            draft.write_text(json.dumps(content, indent=1), "utf-8")
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)


def link(source: Path, target: Path) -> None:
    """Put a stage's file into a run folder: a hard link where the disk allows it, else a copy."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        with disk_errors(target.parent):
            shutil.copyfile(source, target)
