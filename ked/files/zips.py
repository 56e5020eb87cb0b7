"""Zip archives whose table of contents fits into memory: Python's own reader takes all of it in before it says anything."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO


def opened(file: Path | IO[bytes], most: int) -> zipfile.ZipFile:
    """The archive, to be read; its table of contents may take `most` bytes.

    An entry takes 46 bytes and its name there, and ten times that in memory, so a file of nothing but entries is a bomb too.

    Raises:
        zipfile.BadZipFile: It is no archive, or its table is larger.
    """
    if isinstance(file, Path):
        with file.open("rb") as content:
            _check_table(content, most)
    else:
        _check_table(file, most)
    return zipfile.ZipFile(file)


def _check_table(file: IO[bytes], most: int) -> None:
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # what zipfile itself goes by, in both forms that there are
    if end and end[zipfile._ECD_SIZE] > most:  # type: ignore[attr-defined]
        raise zipfile.BadZipFile(f"its table of contents takes more than {most} bytes")
