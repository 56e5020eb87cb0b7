"""A file becomes a frame: texts of every common encoding and layout, also packed with gzip, Parquet, and Excel's sheets. pandas reads."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import pandas as pd

from ked.data import limits
from ked.data.intake import layout
from ked.data.intake.kinds import as_texts
from ked.data.intake.layout import MISSING, Layout
from ked.data.limits import refuse
from ked.data.progress import tracked_lines
from ked.errors import InvalidInput, quoted, shortened
from ked.files import zips

_SAMPLE = 200  # lines that tell the layout
_LETTERS = 1 << 22  # of a sample, at most
_ONE_ROW = "it needs one line for each sample"


@dataclass(frozen=True)
class Sheet:
    """A table as it stands in a file.

    Attributes:
        frame: Its columns, with names that are all different.
        notes: How it was read, as sentences.
        named: Whether the file names its columns.
        unnamed: Columns that it names not although it names others.
        texts: The values of a column as they are written; made when the class is known.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]
    named: bool
    unnamed: frozenset[str]
    source: Path | None = None
    layout: Layout | None = None
    encoding: str = "utf-8"

    @property
    def mark(self) -> str:
        """The decimal mark of numbers in texts."""
        return self.layout.decimal if self.layout else "."

    def texts(self, column: str) -> pd.Series:
        """A column's values as they are written in the file, gaps as None: class 007 is no class 7."""
        values = self.frame[column]
        if self.source is not None and self.layout is not None and not pd.api.types.is_string_dtype(values.dtype):
            place = self.frame.columns.get_loc(column)
            values = _frame(self.source, self.layout, self.encoding, usecols=[place], dtype=str)[place]
        elif pd.api.types.is_float_dtype(values.dtype) and values.dropna().mod(1).eq(0).all():
            values = values.astype("Int64")  # of a sheet, in which all numbers have points
        texts = as_texts(values)
        bare = texts.str.replace(r"^([+-]?\d+)\.0+$", r"\1", regex=True)
        return bare if bare.nunique() < texts.nunique() else texts  # 1 and 1.0, of tables that were put together, are one class


def read(path: Path) -> Sheet:
    """The table in a file; InvalidInput where there is none that can be used."""
    ending = path.suffix.lower()
    if ending == ".parquet":
        return _parquet(path)
    return _excel(path) if ending == ".xlsx" else _text(path)


def _text(path: Path) -> Sheet:
    for encoding in _encodings(path):
        try:
            with _opened(path, encoding) as file:
                found = layout.of_lines(list(islice(_limited(path, file), _SAMPLE)))
            _check_width(path, found.width)
            frame = _frame(path, found, encoding)
        except UnicodeError:
            continue
        notes = found.notes if encoding.startswith("utf") else (f"The text is taken for {encoding.upper()}.", *found.notes)
        return _named(frame, found.header, notes, source=path, layout=found, encoding=encoding)
    raise refuse(path, "it is no text", "a table must be text in UTF-8, UTF-16 or Latin-1")


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
    """A text file for pandas, whose lines are not endless, of which the listener hears, and which unpacks to no more than is allowed."""

    def __init__(self, path: Path, file: TextIO, size: int) -> None:
        self.path, self.lines, self.letters = path, tracked_lines(file, size), 0

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


def _frame(path: Path, found: Layout, encoding: str, **more: Any) -> pd.DataFrame:
    """The rows, their columns numbered."""
    try:
        with _opened(path, encoding) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(found.skipped):
                file.readline()
            return pd.read_csv(
                _Tracked(path, file, path.stat().st_size), header=None, names=range(found.width), index_col=False,
                float_precision="round_trip", sep=r"\s+" if found.separator == " " else found.separator, quotechar=found.quote,
                decimal=found.decimal,
                na_values=list(MISSING), keep_default_na=False, skipinitialspace=True, low_memory=False,
                nrows=min(limits.SAMPLES, limits.room() // max(1, found.width - 1)) + 1, **more,
            )  # fmt: skip
    except pd.errors.EmptyDataError:
        return pd.DataFrame({column: pd.Series(dtype=object) for column in range(found.width)})
    except (pd.errors.ParserError, csv.Error, OverflowError) as error:
        raise _not_a_table(path, found, str(error)) from None


def _not_a_table(path: Path, found: Layout, error: str) -> InvalidInput:
    if told := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", error):
        line = int(told[2]) + found.skipped
        return refuse(path, f"line {line} has {told[3]} values", f"the lines before it have {told[1]}")
    reason = error.removeprefix("Error tokenizing data. C error: ").strip()
    return refuse(path, f"it is not in the CSV format ({shortened(reason)})", _ONE_ROW)


def _parquet(path: Path) -> Sheet:
    try:
        from pyarrow import parquet
    except ImportError:
        raise refuse(path, "it is a Parquet file", "these need the package pyarrow here") from None
    try:
        file = parquet.ParquetFile(path)
        about = file.metadata
        _check_width(path, len(file.schema_arrow.names))
        limits.check_size(path, about.num_rows, max(1, about.num_columns - 1))
        unpacked = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
        if unpacked > limits.UNPACKED_BYTES:
            raise refuse(path, f"it unpacks to {unpacked} bytes", f"at most {limits.UNPACKED_BYTES} are allowed")
        frame = file.read().to_pandas()
    except InvalidInput:
        raise
    except Exception as error:  # pyarrow raises its own errors and OSError, whatever is damaged
        raise refuse(path, f"it cannot be read ({shortened(error)})", "a Parquet file must be whole") from error
    return _indexed(frame)


def _excel(path: Path) -> Sheet:
    try:
        with zips.opened(path, limits.TABLE_BYTES) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > limits.UNPACKED_BYTES:
            raise refuse(path, f"it unpacks to {unpacked} bytes", f"at most {limits.UNPACKED_BYTES} are allowed")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sheets = pd.read_excel(
                path, sheet_name=None, header=None, dtype=object, engine="openpyxl", na_values=list(MISSING), keep_default_na=False
            )
    except InvalidInput:
        raise
    except Exception as error:  # openpyxl raises whatever damaged XML leads to
        raise refuse(path, f"it cannot be read ({shortened(error)})", "an .xlsx file must be whole, without a password") from error
    full = {name: frame for name, frame in sheets.items() if frame.notna().to_numpy().any()}
    if not full:
        raise refuse(path, "it has no cells", "it must hold a table")
    grids = {name: frame.dropna(how="all").dropna(how="all", axis=1) for name, frame in full.items()}
    name, grid = next((item for item in grids.items() if item[1].shape[1] > 1), next(iter(grids.items())))
    _check_width(path, grid.shape[1])
    shown = grid.head(_SAMPLE).map(lambda cell: "" if pd.isna(cell) else str(cell))
    rows = [_trimmed(row) for row in shown.to_numpy().tolist()]
    widest = max(map(len, rows))
    top = layout.of_rows([row + [""] * (widest - len(row)) if len(row) > widest / 2 else row for row in rows])
    body = grid.iloc[top.skipped :].infer_objects().reset_index(drop=True)
    body.columns = range(body.shape[1])
    others = (f"Of {len(full)} sheets the first that can be a table, {quoted(name)}, is taken.",) if len(full) > 1 else ()
    return _named(body, top.header, (*others, *top.notes))


def _trimmed(row: list[str]) -> list[str]:
    """A row of a sheet without the empty cells behind it."""
    end = max((at + 1 for at, cell in enumerate(row) if cell), default=0)
    return row[:end]


def _indexed(frame: pd.DataFrame) -> Sheet:
    """A frame that had columns already; an index that is not just numbered becomes a column without a name."""
    header = [str(name) for name in frame.columns]
    if not (isinstance(frame.index, pd.RangeIndex) and frame.index.name is None):
        header = ["" if name is None else str(name) for name in frame.index.names] + header
        frame = frame.rename_axis([f"index {i}" for i in range(frame.index.nlevels)]).reset_index()
    frame.columns = range(frame.shape[1])
    return _named(frame, tuple(header), ())


def _named(frame: pd.DataFrame, header: tuple[str, ...] | None, notes: tuple[str, ...], **more: Any) -> Sheet:
    """The frame with a name for each column: those of the file, made different where they are not."""
    frame = frame.reindex(columns=range(max(frame.shape[1], len(header or ()))))
    names = [*(header or ()), *[""] * (frame.shape[1] - len(header or ()))]
    given = [name or f"column {place}" for place, name in enumerate(names, start=1)]
    repeated = sorted(name for name, count in Counter(given).items() if count > 1)
    taken, times = set(given), Counter[str]()
    for place, name in enumerate(given):
        times[name] += 1
        while times[name] > 1 and (given[place] == name or given[place] in taken):
            given[place] = f"{name} ({times[name]})"
            times[name] += given[place] in taken
        taken.add(given[place])
    if repeated:
        notes = (*notes, f"Several columns are called {quoted(repeated[0])}: the later ones got a number.")
    frame.columns = pd.Index(given)
    unnamed = frozenset(name for name, own in zip(given, names, strict=True) if not own and header)
    return Sheet(frame, notes, header is not None, unnamed, **more)


def _check_width(path: Path, width: int) -> None:
    if width < 2:
        raise refuse(path, f"it has {width} column{'s' * (width != 1)}", "a table needs at least two, one of them with the class")
    if width > limits.FEATURES + 1:
        raise refuse(path, f"it has {width} columns", f"at most {limits.FEATURES + 1} are allowed")
