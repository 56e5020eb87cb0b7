"""A user's own table in a CSV file: one line of column names, then numbers, and one column with the class."""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from ked.data import limits
from ked.data.dataset import Dataset
from ked.data.limits import LABEL, refuse
from ked.data.progress import tracked_lines
from ked.data.tabular import table
from ked.errors import quoted, shortened

DELIMITERS = ",;\t"
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})
_COLUMNS_SHOWN = 8
_ENCODING = "utf-8-sig"  # with or without the mark that some programs put in front


def read(path: Path, label: str | None = None) -> Dataset:
    """The table as a standardised data set; the class may be a word or a number, every other column must hold numbers.

    Commas, semicolons or tabs separate the values, whichever the first line has most of.  Text is UTF-8.
    Raises InvalidInput, which names the line and the column.
    """
    with path.open(newline="", encoding=_ENCODING) as file:
        return _table(path, _lines(path, file, path.stat().st_size), label or LABEL)


def columns(name: str, content: bytes) -> tuple[str, ...]:
    """The names in the first line of a file of this name; InvalidInput where they are not those of a usable table."""
    path, file = Path(name), io.TextIOWrapper(io.BytesIO(content), newline="", encoding=_ENCODING)
    _, header = next(_lines(path, file, len(content)), (1, []))
    _check_names(path, header)
    return tuple(header)


def _table(path: Path, lines: Iterator[tuple[int, list[str]]], label: str) -> Dataset:
    _, header = next(lines, (1, []))
    target = _label_column(path, header, label)
    values, labels, places = array("d"), [], array("l")
    features = [name for column, name in enumerate(header) if column != target]
    for place, line in lines:
        if len(line) != len(header):
            raise refuse(path, f"line {place} has {len(line)} values", f"the first line names {len(header)} columns")
        name = line.pop(target).strip()
        if name.lower() in _MISSING:
            raise refuse(path, f"line {place} has no class in the column {quoted(header[target])}", "every sample needs one")
        labels.append(name)
        places.append(place)
        values.extend(_numbers(path, place, line, features))
        if len(labels) > limits.SAMPLES or len(values) > limits.VALUES:
            break  # the check below says how many are allowed
    limits.check_size(path, len(labels), len(features))
    x = np.frombuffer(values).reshape(len(labels), len(features))
    _check_finite(path, x, places, features)
    y, classes = limits.numbered(path, labels)
    return table(path.name, x, y, classes, tuple(features))


def _lines(path: Path, file: TextIO, size: int) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not empty, with the number of the line in the file at which each ends."""
    try:
        first = file.readline(1 << 20)
        file.seek(0)
        lines = tracked_lines(file, size)
        reader = csv.reader(lines, delimiter=max(DELIMITERS, key=first.count), strict=True)
        yield from ((reader.line_num, line) for line in reader if line)
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise refuse(
            path, f"it holds the byte 0x{byte:02x}, which is not text in UTF-8", "a CSV file must be UTF-8 text"
        ) from None
    except csv.Error as error:
        raise refuse(path, f"it is not in the CSV format ({shortened(error)})", "it needs one line for each sample") from None


def _label_column(path: Path, header: list[str], label: str) -> int:
    _check_names(path, header)
    if label not in header:
        found = f"it has the columns {_listed(header)}"
        raise refuse(path, found, f"the column {quoted(label)} must hold the class (--label chooses another one)")
    return header.index(label)


def _check_names(path: Path, header: list[str]) -> None:
    """Strip the names, and refuse what is no first line of a table."""
    header[:] = [name.strip() for name in header]
    if len(header) < 2 or "" in header or all(map(_is_number, header)):
        raise refuse(path, f"its first line is '{_listed(header)}'", "it must name at least two columns, each with a word")
    if len(header) > limits.FEATURES + 1:
        raise refuse(path, f"it has {len(header)} columns", f"at most {limits.FEATURES + 1} are allowed")
    name, times = Counter(header).most_common(1)[0]
    if times > 1:
        raise refuse(path, f"two columns are called {quoted(name)}", "every column needs a name of its own")


def _listed(header: list[str]) -> str:
    """The first names, as far as a message repeats them."""
    return shortened(", ".join(header[:_COLUMNS_SHOWN]) + (" and more" if len(header) > _COLUMNS_SHOWN else ""))


def _numbers(path: Path, place: int, line: list[str], features: list[str]) -> list[float]:
    """The numbers of a line; the refusal looks for the culprit only when there is one, as this is done for every value."""
    try:
        return [float(text) for text in line]
    except ValueError:
        column, text = next((i, text.strip()) for i, text in enumerate(line) if not _is_number(text))
    where = f"line {place} of the column {quoted(features[column])}"
    if text.lower() in _MISSING:
        raise refuse(path, f"{where} has no value", "missing values must be filled in or left out first")
    raise refuse(path, f"{where} holds {quoted(text)}", "every column but the class must hold numbers")


def _check_finite(path: Path, x: np.ndarray, places: array[int], features: list[str]) -> None:
    if math.isfinite(x.min()) and math.isfinite(x.max()):
        return
    row, column = np.argwhere(~np.isfinite(x))[0]
    found = f"line {places[row]} of the column {quoted(features[column])} holds {x[row, column]}"
    raise refuse(path, found, "all values must be present and finite")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
