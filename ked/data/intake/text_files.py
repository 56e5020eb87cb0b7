"""A table in a text file, of every common encoding and layout, also packed with gzip, becomes a frame. pandas reads."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np
import pandas as pd

from ked.data import limits
from ked.data.intake import layout
from ked.data.intake.layout import MISSING, Layout
from ked.data.intake.numbers import point_groups
from ked.data.limits import refuse
from ked.data.progress import tracked_lines
from ked.errors import InvalidInput, shortened

_SAMPLE = 200  # lines that tell the layout
_LETTERS = 1 << 22  # of a sample, at most
_TWO = "a table needs at least two, one of them with the class, and commas, semicolons, tabs, strokes or blanks between"
_ONE_ROW = "it needs one line for each sample"


@dataclass(frozen=True, eq=False)
class TextTable:
    """A file whose layout is known.

    Attributes:
        frame: The rows, their columns numbered.
        repeated: How many lines below the first one that names the columns do so again; they are no rows.
    """

    path: Path
    layout: Layout
    encoding: str
    frame: pd.DataFrame
    repeated: int

    @property
    def notes(self) -> tuple[str, ...]:
        """How it was read, as sentences."""
        taken = () if self.encoding.startswith("utf") else (f"The text is taken for {self.encoding.upper()}.",)
        lines = "1 line repeats" if self.repeated == 1 else f"{self.repeated} lines repeat"
        again = (f"{lines} the names of the columns: left out.",) if self.repeated else ()
        return (*taken, *self.layout.notes, *again)

    def written(self, place: int) -> pd.Series:
        """A column as it is written."""
        return _frame(self.path, self.layout, self.encoding, usecols=[place], dtype=str)[0][place]


def read(path: Path) -> TextTable:
    """The table; InvalidInput where there is none that can be used."""
    for encoding in _encodings(path):
        try:
            with _opened(path, encoding) as file:
                found = layout.of_lines(list(islice(_limited(path, file), _SAMPLE)))
            check_width(path, found.width)
            if found.longer:
                raise refuse(path, "line {} has {} values".format(*found.longer), "the lines after it have fewer")
            table = TextTable(path, found, encoding, *_frame(path, found, encoding))
        except UnicodeError:
            continue
        _regroup(table)
        return table
    raise refuse(path, "it is no text", "a table must be text in UTF-8, UTF-16 or Latin-1")


def check_width(path: Path, width: int) -> None:
    if width < 2:
        raise refuse(path, f"it has {width} column{'s' * (width != 1)}", _TWO)
    if width > limits.FEATURES + 1:
        raise refuse(path, f"it has {width} columns", f"at most {limits.FEATURES + 1} are allowed")


def _encodings(path: Path) -> tuple[str, ...]:
    with _bytes(path) as file:
        start = file.read(4096)
    if start[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return ("utf-32",)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return ("utf-16",)
    if len(start) > 3 and start[1::2].count(0) > 0.4 * len(start) / 2:
        return ("utf-16-le",)
    if len(start) > 3 and start[::2].count(0) > 0.4 * len(start) / 2:
        return ("utf-16-be",)
    return ("utf-8-sig", "cp1252", "latin-1")


@contextlib.contextmanager
def _bytes(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            yield gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[misc]
        except (EOFError, gzip.BadGzipFile, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
            raise refuse(path, f"it cannot be unpacked ({shortened(error)})", "a .gz file must be whole") from None


@contextlib.contextmanager
def _opened(path: Path, encoding: str) -> Iterator[TextIO]:
    with _bytes(path) as file:
        yield io.TextIOWrapper(file, encoding, newline="")


def _limited(path: Path, file: TextIO) -> Iterator[str]:
    """The first lines, as far as a sample goes."""
    letters = 0
    try:
        for line in tracked_lines(file, 0):
            letters += len(line)
            yield line
            if letters > _LETTERS:
                return
    except csv.Error as error:
        raise refuse(path, f"it is not in the CSV format ({shortened(error)})", _ONE_ROW) from None


class _Tracked(io.TextIOBase):
    """A text file for pandas, whose lines are not endless, of which the listener hears, and which unpacks to no more than is allowed.

    names: A line that is left out wherever it comes again; `repeated` counts how often it did.
    """

    def __init__(self, path: Path, file: TextIO, size: int, names: str) -> None:
        self.path, self.lines, self.letters = path, self._others(tracked_lines(file, size), names), 0
        self.repeated = 0

    def _others(self, lines: Iterator[str], names: str) -> Iterator[str]:
        for line in lines:
            if names and line.strip() == names:
                self.repeated += 1
            else:
                yield line

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> str:
        most = size if size is not None and size >= 0 else limits.UNPACKED_BYTES
        taken: list[str] = []
        length = 0
        while length < most and (line := next(self.lines, "")):
            taken.append(line)
            length += len(line)
        self.letters += length
        if self.letters > limits.UNPACKED_BYTES:
            raise refuse(self.path, "it is too large", f"at most {limits.UNPACKED_BYTES} bytes are allowed unpacked")
        return "".join(taken)

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]
        return next(self.lines, "")


def _frame(path: Path, found: Layout, encoding: str, **more: Any) -> tuple[pd.DataFrame, int]:
    """The rows, their columns numbered, and how many lines repeated the names."""
    try:
        with _opened(path, encoding) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(found.skipped):
                file.readline()
            lines = _Tracked(path, file, path.stat().st_size, found.named)
            frame = pd.read_csv(
                lines, header=None, names=range(found.width), index_col=False,
                float_precision="round_trip", sep=r"\s+" if found.separator == " " else found.separator, quotechar=found.quote,
                escapechar=found.escape or None,
                decimal=found.decimal,
                na_values=list(MISSING), keep_default_na=False, skipinitialspace=True, low_memory=False,
                nrows=min(limits.SAMPLES, limits.room() // max(1, found.width - 1)) + 1, **more,
            )  # fmt: skip
            return frame, lines.repeated
    except pd.errors.EmptyDataError:
        return pd.DataFrame({column: pd.Series(dtype=object) for column in range(found.width)}), 0
    except (pd.errors.ParserError, csv.Error, OverflowError) as error:
        raise _not_a_table(path, found, str(error)) from None


def _regroup(table: TextTable) -> None:
    """Columns that were misread become texts again, of which the numbers are read later.

    These are such in which 1.160 was taken for a fraction although it is a thousand, and whole numbers with gaps between, which are
    read as fractions and so in double precision, that have more digits than it holds.
    """
    for place, values in table.frame.items():
        if not pd.api.types.is_float_dtype(values.dtype):
            continue
        known = values.dropna().to_numpy()
        if (np.abs(known) >= 1 << 53).any():
            texts = table.written(int(str(place)))
            if texts.str.fullmatch(r"\s*[+-]?\d{16,}\s*").any():
                table.frame[place] = texts
            continue
        if table.layout.decimal != "." or not ((np.abs(known) < 1000).all() and np.mod(known, 1).any()):
            continue
        thousands = 1000 * known
        if np.allclose(thousands, np.rint(thousands), rtol=0, atol=1e-6):
            texts = table.written(int(str(place)))
            if point_groups(texts.dropna().str.strip().unique()):
                table.frame[place] = texts


def _not_a_table(path: Path, found: Layout, error: str) -> InvalidInput:
    if told := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", error):
        line = int(told[2]) + found.skipped
        return refuse(path, f"line {line} has {told[3]} values", f"the lines before it have {told[1]}")
    reason = error.removeprefix("Error tokenizing data. C error: ").strip()
    return refuse(path, f"it is not in the CSV format ({shortened(reason)})", _ONE_ROW)
