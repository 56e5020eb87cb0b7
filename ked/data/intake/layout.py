"""How a text file lays out its table: what separates and quotes, which mark is the decimal one, where the names and the rows begin."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import Any

from ked.data.intake.numbers import mark_of

SEPARATORS = ("\t", ";", "|", ",", "^", "~", "\x01", " ")
_NAMES = {"\t": "tabs", ";": "semicolons", "|": "strokes", ",": "commas", " ": "blanks"}
_COMMENTS = ("#", "%", "//")
MISSING = ("", "NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "NULL", "null", "Null", "?", "<NA>", "#N/A")
"""What stands for a value that is not there, in every column. Words such as "none" may be values, and are no gaps but among numbers."""

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?\d{1,15}")
_CELLS = 100_000  # that tell the decimal mark
_ABOVE = 10  # lines, at most, that end in one of separators alone before a table begins
_EVEN = 0.9  # of the lines of a sample have as many values as the table


@dataclass(frozen=True)
class Layout:
    """What a text file's first lines tell.

    Attributes:
        separator: One of `SEPARATORS`; a blank stands for any number of them.
        quote: What quotes texts.
        escape: A backslash where it stands before quotes in texts, else "".
        decimal: "." or ",".
        skipped: Lines before the first row, those of names included.
        width: Values in a row.
        longer: The line of the first row and its values, where these are more; None elsewhere.
        header: The names that the file gives, as many as `width`; None where it gives none.
        named: The line of the names as it stands, "" where it is none by itself: it comes again where files were put together.
        notes: What was found that is not as usual, as sentences.
    """

    separator: str
    quote: str
    decimal: str
    skipped: int
    width: int
    header: tuple[str, ...] | None
    notes: tuple[str, ...]
    named: str = ""
    escape: str = ""
    longer: tuple[int, int] | None = None


def of_lines(lines: Sequence[str]) -> Layout:
    """The layout of a file that begins with these lines, of which the last one is whole."""
    start, separator = 0, ""
    if lines and (told := re.fullmatch(r"sep=(.)\s*", lines[0])):
        start, separator = 1, told[1]
    while start < len(lines) - 1 and (not lines[start].strip() or lines[start].lstrip().startswith(_COMMENTS)):
        start += 1
    quote = _quote(lines[start:])
    separator = separator or _separator(lines[start:], quote)
    escape = _escape(lines[start:], separator, quote)
    cells = split(lines[start:], separator, quote, escape)
    notes: tuple[str, ...] = () if separator == "," else (f"Values are separated by {_NAMES.get(separator, repr(separator))}.",)
    decimal = _decimal(separator, chain.from_iterable(cells))
    notes += ("Numbers have decimal commas.",) if decimal == "," else ()
    commented = lines[start - 1].lstrip().lstrip("#%/ ") if start and lines[start - 1].lstrip().startswith(_COMMENTS) else ""
    table = of_rows(cells, next(iter(split([commented], separator, quote, escape)), None))
    begin = start + _lines_of(lines[start:], separator, quote, escape, table.skipped)
    first = next(iter(cells[table.skipped :]), [])
    longer = (begin + 1, len(trimmed(first))) if len(trimmed(first)) > table.width else None
    named = lines[begin - 1].strip() if table.header and begin > start else ""
    width = max(table.width, len(first))  # of which the last are empty
    return Layout(separator, quote, decimal, begin, width, table.header, (*notes, *table.notes), named, escape, longer)


@dataclass(frozen=True)
class Top:
    """Where the rows of a sheet begin, their width, and the names above them; see `Layout`."""

    skipped: int
    width: int
    header: tuple[str, ...] | None
    notes: tuple[str, ...]


def of_rows(rows: Sequence[Sequence[str]], commented: Sequence[str] | None = None) -> Top:
    """The same of rows that are split already; `commented` is a line of names behind a sign of comments."""
    rows = _without_padding(rows)
    counts = Counter(len(row) for row in rows)
    width = max(counts, key=lambda count: (counts[count], count), default=0)
    first = next((at for at, row in enumerate(rows) if len(row) == width), 0)
    above = rows[first - 1] if first else None
    notes: tuple[str, ...] = ()
    if above is not None and len(above) == width - 1 and _is_header(["", *above], rows[first:]):
        header, skipped = _beside(above, rows[first:]), first  # R names no row names
        preamble = first - 1
    elif above is not None and len(above) > width and not any(map(is_number, above)):
        header, skipped, width, preamble = tuple(above), first, len(above), first - 1  # the last columns are empty
    elif commented is not None and first == 0 and len(commented) == width:
        return Top(0, width, tuple(name.strip() for name in commented), ())
    elif _is_header(rows[first], _once(rows[first], rows[first + 1 :])) if rows else False:
        header, skipped, preamble = tuple(rows[first]), first + 1, first
    else:
        header, skipped, preamble = None, first, first
        notes = ("The file names no columns: they are called by their places.",)
    if preamble:
        notes += (f"The first {'line is' if preamble == 1 else f'{preamble} lines are'} no part of the table and left out.",)
    return Top(skipped, width, tuple(name.strip() for name in header) if header else None, notes)


def split(lines: Sequence[str], separator: str, quote: str, escape: str = "") -> list[list[str]]:
    """The values in some lines, without lines that are empty."""
    try:
        rows = list(_reader(lines, separator, quote, escape))
    except csv.Error:
        rows = [line.rstrip("\r\n").split(separator) for line in lines]
    return [[cell.strip() for cell in row] for row in rows if row]


def trimmed(row: Sequence[str]) -> Sequence[str]:
    """A row without the empty cells behind it."""
    return row[: max((at + 1 for at, cell in enumerate(row) if cell), default=0)]


def _without_padding(rows: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """The rows, of which those above the table, a title say, have no more values than they show: sheets pad them to the table's width."""
    widest = max((len(trimmed(row)) for row in rows), default=0)
    begin = next((at for at, row in enumerate(rows) if len(trimmed(row)) > widest / 2), 0)
    begin = max(begin, *(at + 1 for at, row in enumerate(rows[:_ABOVE]) if row and not trimmed(row)), 0)
    return [*map(trimmed, rows[:begin]), *rows[begin:]]


def _once(first: Sequence[str], rest: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """The rows below a first one without those that repeat it, where that shows numbers: of files put together names come again."""
    others = [row for row in rest if row != first]
    below = zip(first, *(row for row in others if len(row) == len(first)), strict=True)
    numbers = any(not is_number(name) and values and sum(map(is_number, values)) > 0.8 * len(values) for name, *values in below)
    return others if len(others) < len(rest) and numbers else rest


def is_number(text: str) -> bool:
    """Whether a text is a number, with either decimal mark."""
    return _NUMBER.fullmatch(text.strip()) is not None


def _quote(lines: Sequence[str]) -> str:
    text = "\n".join(lines)
    single = len(re.findall(r"(?:^|[,;\t| ])'[^'\n]*'(?=[,;\t| \r]|$)", text, re.MULTILINE))
    return "'" if single >= 2 and '"' not in text else '"'


def _separator(lines: Sequence[str], quote: str) -> str:
    """The sign that cuts most lines most evenly into two values or more; blanks only where there is no other."""
    scores: dict[str, tuple[bool, bool, float, int]] = {}
    for place, separator in enumerate(SEPARATORS):
        widths = Counter(len(row) for row in split(lines, separator, quote))
        width, times = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        even = times / max(1, sum(widths.values()))
        if width > 1:
            scores[separator] = (separator != " ", even >= _EVEN, times if even >= _EVEN else even, -place)
    return max(scores, key=lambda separator: scores[separator], default=",")


def _decimal(separator: str, cells: Iterable[str]) -> str:
    """The decimal mark; where 1,234 can be both, a comma is a decimal one unless commas separate."""
    marked = [cell for cell in islice(cells, _CELLS) if "," in cell or "." in cell]
    commas = separator != "," and any(re.fullmatch(r"[+-]?\d+,\d+", cell) for cell in marked)
    return mark_of(marked, "," if commas else ".")


def _is_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether a line names columns: a vote of the columns on whether it is of the kind of the values below it."""
    votes, numbered, finer = 0, list[int](), False
    new = True  # whether no other name is among the values below it
    for column, name in enumerate(first):
        below = [row[column] for row in rest if len(row) > column and row[column] not in MISSING]
        numbers = sum(map(is_number, below)) > 0.8 * len(below) if below else False
        if numbers and _WHOLE.fullmatch(name):
            fractions = sum(_WHOLE.fullmatch(text) is None for text in below) > _EVEN * len(below)
            numbered, finer, votes = [*numbered, int(name)], finer or fractions, votes - (not fractions)
        elif numbers:
            votes += 0 if name in MISSING else -1 if is_number(name) else 1
            new = new and not is_number(name)
        elif below and name not in MISSING:
            few = len(set(below)) <= len(below) / 2
            votes += -1 if name in below else 1 if few and not is_number(name) else 0
            new = new and name not in below
    if new and _count_on(numbered, others=sum(name not in MISSING for name in first) > len(numbered), finer=finer):
        return True
    return votes > 0 or (votes == 0 and not any(map(is_number, first)) and len(set(first)) == len(first))


def _count_on(numbers: Sequence[int], *, others: bool, finer: bool) -> bool:
    """Whether whole numbers count on, as the columns' places or years do.

    others: whether there are other names, so that any start will do.  finer: whether there are fractions below one of them.
    """
    if len(numbers) < 2 or any(after != before + 1 for before, after in pairwise(numbers)):
        return False
    return others or (numbers[0] in (0, 1) and (len(numbers) > 3 or finer))


def _beside(names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The names where the rows have one value more: before them stand row names, or behind them a separator too many."""
    return (*names, "") if all(row[-1] == "" for row in rows if len(row) > len(names)) else ("", *names)


def _escape(lines: Sequence[str], separator: str, quote: str) -> str:
    """A backslash where it quotes quotes: so more lines have the same number of values, or the texts go on behind such quotes."""
    if not any(f"\\{quote}" in line for line in lines):
        return ""
    plain, escaped = (_evenness(split(lines, separator, quote, sign)) for sign in ("", "\\"))
    within = re.search(rf"\\{quote}(?!\s*({re.escape(separator)}|$))", "\n".join(lines), re.MULTILINE)
    return "\\" if escaped > plain or (escaped == plain and within) else ""


def _evenness(rows: Sequence[Sequence[str]]) -> float:
    """The share of rows that have as many values as most."""
    return max(Counter(map(len, rows)).values(), default=0) / max(1, len(rows))


def _lines_of(lines: Sequence[str], separator: str, quote: str, escape: str, count: int) -> int:
    """Lines of the file that its first rows take; a row may have line breaks in quotes, and empty lines are none."""
    reader, taken = _reader(lines, separator, quote, escape), 0
    try:
        while taken < count:
            taken += bool(next(reader))
    except (csv.Error, StopIteration):
        return count
    return int(reader.line_num)


def _reader(lines: Sequence[str], separator: str, quote: str, escape: str) -> Any:
    if separator == " ":
        lines = [re.sub(r"\s+", " ", line.strip()) for line in lines]
    return csv.reader(lines, delimiter=separator, quotechar=quote, escapechar=escape or None, skipinitialspace=True)
