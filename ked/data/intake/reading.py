"""A file becomes a frame with named columns: a text (`text_files`), Parquet or Excel's sheets."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ked.data import limits
from ked.data.intake import layout, text_files
from ked.data.intake.kinds import as_texts
from ked.data.intake.layout import MISSING
from ked.data.intake.text_files import TextTable, check_width
from ked.data.limits import refuse
from ked.errors import InvalidInput, quoted, shortened
from ked.files import zips

_SAMPLE = 200  # rows of a sheet that tell where the table begins


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
    source: TextTable | None = None

    @property
    def mark(self) -> str:
        """The decimal mark of numbers in texts."""
        return self.source.layout.decimal if self.source else "."

    def texts(self, column: str) -> pd.Series:
        """A column's values as they are written in the file, gaps as None: class 007 is no class 7."""
        values = self.frame[column]
        if self.source is not None and not pd.api.types.is_string_dtype(values.dtype):
            values = self.source.written(list(self.frame.columns).index(column))
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
    found = text_files.read(path)
    return _named(found.frame, found.layout.header, found.notes, source=found)


def _parquet(path: Path) -> Sheet:
    try:
        from pyarrow import parquet
    except ImportError:
        raise refuse(path, "it is a Parquet file", "these need the package pyarrow here") from None
    try:
        file = parquet.ParquetFile(path)
        about = file.metadata
        check_width(path, len(file.schema_arrow.names))
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
    check_width(path, grid.shape[1])
    shown = grid.head(_SAMPLE).map(lambda cell: "" if pd.isna(cell) else str(cell))
    rows = [layout.trimmed(row) for row in shown.to_numpy().tolist()]
    widest = max(map(len, rows))
    top = layout.of_rows([[*row, *[""] * (widest - len(row))] if len(row) > widest / 2 else row for row in rows])
    body = grid.iloc[top.skipped :].infer_objects().reset_index(drop=True)
    body.columns = range(body.shape[1])
    others = (f"Of {len(full)} sheets the first that can be a table, {quoted(name)}, is taken.",) if len(full) > 1 else ()
    return _named(body, top.header, (*others, *top.notes))


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
