"""What became of a table's columns: which are used and as what, which are left out and why, and what is said about all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ked.errors import InvalidInput, quoted, shortened

TEXTS = (".csv", ".tsv", ".tab", ".txt", ".dat", ".data")
ENDINGS = (*TEXTS, *(f"{ending}.gz" for ending in TEXTS), ".parquet", ".xlsx")
"""Of the files that tables come in."""

EVERYTHING = "*"
"""As the name of a column to keep: every column, as it is, also where a table looks like pictures."""

_NAMED = 12  # columns that one sentence names


@dataclass(frozen=True)
class Asked:
    """What a user says about the columns of a table.

    Attributes:
        label: The column that holds the class, by its name or by its place from 1 (from -1 backwards); None to have it guessed.
        drop: Columns to leave out, by name or place.
        keep: Columns to use although they would be left out; `EVERYTHING` for all.
    """

    label: str | None = None
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether every column is used as it is."""
        return EVERYTHING in self.keep


@dataclass(frozen=True)
class Column:
    """A column that is used.

    Attributes:
        name: As in the file.
        kind: "number"; "category", one feature a value; "ordered", the place of the value; "date", days since 1970.
        start, width: Its features are `start` to `start + width - 1`.
        values: Of a category, in the order of its features; of an ordered one, from low to high.
        gaps: Rows in which it has no value. A number's gaps hold the median of the training rows, and its last feature says that
            there is a gap; a category's are a value of their own, the last.
        odd: Some of the texts in a column of numbers or dates that are none, and so gaps.
        telling: Whether it gives the class away.
        read: One of its texts, and what it is read as, where that needs to be told.
        codes: Numbers such as -999 that are taken for gaps.
        spellings: Of one of its words, which count as one.
    """

    name: str
    kind: str
    start: int
    width: int
    values: tuple[str, ...] = ()
    gaps: int = 0
    odd: tuple[str, ...] = ()
    telling: bool = False
    read: tuple[str, str] | None = None
    codes: tuple[float, ...] = ()
    spellings: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[int, ...]:
        """The numbers of its features."""
        return tuple(range(self.start, self.start + self.width))


@dataclass(frozen=True)
class LeftOut:
    """A column that is not used, and why, in a few words such as "a row number"."""

    name: str
    reason: str


def spelt(spellings: tuple[str, ...]) -> str:
    """Some spellings of a word, to be shown."""
    return f"spellings such as {', '.join(quoted(one, 30) for one in spellings)}"


def number_in(column: Column, text: str) -> float:
    """The number that somebody typed into a column, with either decimal mark; InvalidInput where it is none."""
    try:
        number = float(text if "." in text else text.replace(",", "."))
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise InvalidInput(f"The column {quoted(column.name)} holds numbers, and {quoted(text)} is none.")
    return number


class Encoder(Protocol):
    """What makes features of a table's columns."""

    def encode(self, row: Mapping[str, str]) -> np.ndarray:
        """(D,) float64, a row of texts in the units of the columns; see `Intake.encode`."""

    def decode(self, features: np.ndarray) -> dict[str, str]:
        """Column name -> value as a text, "" for a gap; features (D,) in the units of the columns."""


@dataclass(frozen=True, eq=False)
class Intake:
    """The report on a table that came in: columns in = columns used + columns left out, and so of the rows.

    Attributes:
        label: The column with the class.
        guessed: Whether nobody said so.
        columns: Those that are used, in the order of their features; none where the table is made into pictures.
        left_out: All others but the label.
        rows: How many are used.
        rows_left_out: Reason -> how many are not.
        filled: Rows in which a gap was filled.
        notes: How the file was read, as sentences.
        pictures: (rows, columns) of the pictures that the table holds, else None.
        pixels: How many columns the pictures take.
        plain: Whether all columns are numbers that are taken as they are, with the class where it was expected.
        encoder: Makes features of columns; None for pictures.
    """

    label: str
    guessed: bool
    columns: tuple[Column, ...]
    left_out: tuple[LeftOut, ...]
    rows: int
    rows_left_out: Mapping[str, int] = field(default_factory=dict)
    filled: int = 0
    notes: tuple[str, ...] = ()
    pictures: tuple[int, int] | None = None
    pixels: int = 0
    plain: bool = False
    encoder: Encoder | None = None

    @property
    def used(self) -> int:
        """Columns that are used."""
        return self.pixels or len(self.columns)

    @property
    def units(self) -> tuple[tuple[int, ...], ...]:
        """The features of each column, where a column has several; they stay together in one superfeature."""
        groups = tuple(column.features for column in self.columns)
        return groups if any(len(group) > 1 for group in groups) else ()

    def sentence(self, mark: Callable[[str], str] = lambda name: f"`{shortened(name, 40)}`") -> str:
        """What was done with the columns; `mark` makes a name fit to be shown."""
        done = [f"{count} {what}" for count, what in self._done() if count]
        said = f"{self.used} of {self.used + len(self.left_out)} columns used"
        said += f": {', '.join(done)}" if done else ""
        out = [f"{mark(one.name)}, {one.reason}" for one in self.left_out[:_NAMED]]
        if len(self.left_out) > _NAMED:
            out.append(f"and {len(self.left_out) - _NAMED} more")
        return f"{said}; left out: {'; '.join(out)}." if out else f"{said}."

    def _done(self) -> list[tuple[int, str]]:
        kinds = [column.kind for column in self.columns]
        gaps = sum(column.gaps > 0 for column in self.columns)
        side = "x".join(map(str, self.pictures or ()))
        return [
            (self.pixels, f"pixels of pictures of {side}"),
            (kinds.count("category") + kinds.count("ordered"), "encoded"),
            (kinds.count("date"), "read as days since 1970"),
            (gaps, f"filled in {self.filled} row{'s' * (self.filled != 1)}"),
        ]

    def remarks(self, mark: Callable[[str], str] = lambda name: f"`{shortened(name, 40)}`") -> list[str]:
        """Everything else that should be known: the class, rows that are left out, how the file was read, what gives the class away."""
        how = ", a guess: choose another one if it is wrong" if self.guessed else ""
        said = [f"The class is in the column {mark(self.label)}{how}."]
        said += [f"{count} of {self.rows + sum(self.rows_left_out.values())} rows are left out: {reason}."
                 for reason, count in self.rows_left_out.items()]  # fmt: skip
        said += self.notes
        if read := [(column.name, *column.read) for column in self.columns if column.read]:
            shown = [f"{mark(name)}, '{shortened(' '.join(written.split()), 30)}' as {meant}" for name, written, meant in read[:_NAMED]]
            shown += [f"and {len(read) - _NAMED} more"] if len(read) > _NAMED else []
            said.append(f"Read as numbers or dates: {'; '.join(shown)}.")
        for column in self.columns:
            if column.odd:
                texts = ", ".join(f"'{shortened(text, 20)}'" for text in column.odd)
                what = "dates" if column.kind == "date" else "numbers"
                said.append(f"In the column {mark(column.name)} some texts are no {what} and count as gaps: {texts}.")
            if column.codes:
                codes, far = " and ".join(f"{code:.15g}" for code in column.codes), "lies" if len(column.codes) == 1 else "lie"
                said.append(f"In the column {mark(column.name)} {codes} {far} far from all other numbers and is taken for a gap (--keep).")
            if column.spellings:
                said.append(f"In the column {mark(column.name)} {spelt(column.spellings)} are one.")
        if telling := [mark(column.name) for column in self.columns if column.telling][:_NAMED]:
            each = "each alone tells" if len(telling) > 1 else "alone it tells"
            said.append(f"{', '.join(telling)}: {each} the class; leave out what would not be known beforehand.")
        return said

    @property
    def told(self) -> tuple[str, ...]:
        """All of it, as sentences; none where there is nothing to say."""
        return () if self.plain else (self.sentence(), *self.remarks())

    def encode(self, row: Mapping[str, str]) -> np.ndarray:
        """(D,) float64, a row that somebody typed in, as the table's own rows were taken in, in the units of the columns.

        row: column name -> text; "" or no entry is a gap.

        Raises:
            InvalidInput: A text that its column cannot hold.
        """
        assert self.encoder is not None
        return self.encoder.encode(row)

    def decode(self, features: np.ndarray) -> dict[str, str]:
        """Column name -> value as a text, "" for a gap: the way back from features (D,) in the units of the columns."""
        assert self.encoder is not None
        return self.encoder.decode(features)

    def as_json(self) -> dict[str, Any]:
        """What run.json keeps of it."""
        return {
            "label": self.label,
            "guessed": self.guessed,
            "plain": self.plain,
            "said": self.sentence(),
            "remarks": self.remarks(),
            "columns": {column.name: column.kind for column in self.columns},
            "left_out": {one.name: one.reason for one in self.left_out},
            "rows": self.rows,
            "rows_left_out": dict(self.rows_left_out),
        }
