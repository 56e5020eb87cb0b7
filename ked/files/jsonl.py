"""Files of JSON objects, one a line, that are only ever appended to: several may write, whoever reads meets whole lines."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ked.errors import Unavailable


def append(path: Path, item: dict[str, Any]) -> None:
    """Add one object, in one write, so that the lines of two writers never mix."""
    with open(path, "a+b") as file:
        torn = file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n"
        start = "\n" if torn else ""  # a full disk or a crash left half a line: it must not spoil this one
        file.write(f"{start}{json.dumps(item, separators=(',', ':'))}\n".encode())


def read(path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Whole objects after a byte offset, and the offset to go on from; what a crash left of a line is passed over."""
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            behind = max(os.fstat(file.fileno()).st_size - offset, 0)  # what a device would give without end is not read
            content = file.read(behind)
    except FileNotFoundError:
        return [], offset
    except OSError as error:
        raise Unavailable(f"the file {path} cannot be read ({error.strerror}): let the user who runs this read it.") from error
    whole = content[: content.rfind(b"\n") + 1]
    return list(_readable(whole.split(b"\n"))), offset + len(whole)


def _readable(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        with contextlib.suppress(ValueError):
            yield json.loads(line)
