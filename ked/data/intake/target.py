"""Which columns a user means, and which one holds the class where nobody says so."""

from __future__ import annotations

import difflib
from pathlib import Path

import numpy as np
import pandas as pd

from ked.data import limits
from ked.data.class_folders import parts_of
from ked.data.columns import EVERYTHING
from ked.data.intake.kinds import VALUES, is_row_number
from ked.data.intake.reading import Sheet
from ked.data.limits import LABEL, refuse
from ked.errors import quoted, shortened

USUAL = (LABEL, "labels", "class", "target", "species", "y", "category", "outcome", "diagnosis", "klasse", "type", "variety", "response")
MEASURES = 100  # different numbers in a column, from which on it is no column of classes
_PRESENT = 0.8  # of the rows have a class, in a column that is guessed to hold it
_PARTS = 6  # different values in a column of official parts, at most
_SHOWN = 8


def column_named(path: Path, sheet: Sheet, text: str, role: str) -> str:
    """The column that a user means by its name in any case, or by its place: 1 is the first, -1 the last.

    Raises:
        InvalidInput: There is none; it names the likeliest.
    """
    names = list(map(str, sheet.frame.columns))
    wanted = text.strip()
    if wanted in names:
        return wanted
    same = [name for name in names if name.casefold() == wanted.casefold()]
    if len(same) == 1:
        return same[0]
    with_place = wanted.removeprefix("+")
    if with_place.lstrip("-").isdecimal() and len(with_place) < 8 and 1 <= abs(int(with_place)) <= len(names):
        place = int(with_place)
        return names[place - 1 if place > 0 else place]
    likely = difflib.get_close_matches(wanted.casefold(), [name.casefold() for name in names], 1, 0.6)
    hint = next((f"; did you mean {quoted(name)}?" for name in names if [name.casefold()] == likely), "")
    found = f"it has the columns {_listed(names)}"
    raise refuse(path, found, f"there is no column {quoted(text)} to {role}{hint}".removesuffix("?"))


def label_of(path: Path, sheet: Sheet, label: str | None) -> tuple[str, bool]:
    """The column that holds the class, and whether that is a guess."""
    if label is not None:
        return column_named(path, sheet, label, "hold the class"), False
    names = list(map(str, sheet.frame.columns))
    if LABEL in names:
        return LABEL, False
    fit = [name for name in names if _may_be_classes(sheet, name)]
    for usual in USUAL:
        if named := [name for name in fit if name.strip().casefold() == usual]:
            return named[0], True
    plain = [name for name in names if name not in sheet.unnamed]
    texts = [name for name in fit if not pd.api.types.is_numeric_dtype(sheet.frame[name].dtype)]
    for candidates in (plain[-1:], plain[:1], texts[-1:], fit[-1:]):
        if candidates and candidates[0] in fit:
            return candidates[0], True
    found = f"it has the columns {_listed(names)}, of which none looks like classes"
    raise refuse(path, found, "one must hold the class (--label chooses it by name, or by place: 1, 2 or -1 for the last)")


def check_is_class(path: Path, sheet: Sheet, label: str, texts: pd.Series) -> None:
    """InvalidInput for a column of measurements."""
    values = sheet.frame[label]
    different = texts.nunique()
    if different > MEASURES and (pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_datetime64_any_dtype(values.dtype)):
        found = f"the column {quoted(label)} holds {different} different numbers"
        raise refuse(path, found, f"a column of classes holds at most {MEASURES} (a column of measurements is no class)")


def _may_be_classes(sheet: Sheet, name: str) -> bool:
    """Whether a column has few values, of each enough."""
    if name in sheet.unnamed:
        return False
    values = sheet.frame[name].dropna()
    if len(values) < _PRESENT * len(sheet.frame) or official(sheet.frame[name]):
        return False
    if pd.api.types.is_float_dtype(values.dtype) and not np.equal(np.mod(values, 1), 0).all():
        return False
    if is_row_number(values):
        return False
    try:
        counts = values.value_counts()
    except TypeError:  # lists in cells
        return False
    if pd.api.types.is_numeric_dtype(values.dtype):
        return 2 <= len(counts) <= VALUES and bool(counts.min() >= limits.PER_CLASS)
    enough = counts[counts >= limits.PER_CLASS]
    return len(enough) >= 2 and len(counts) <= MEASURES and bool(enough.sum() >= 0.9 * len(values))


def official(values: pd.Series) -> dict[str, str]:
    """Which official part each of a column's values names; none where it does not hold such for every row."""
    if not (pd.api.types.is_string_dtype(values.dtype) and values.notna().all()):
        return {}
    different = values.unique()
    return parts_of(map(str, different)) if len(different) <= _PARTS else {}


def _listed(names: list[str]) -> str:
    """The first names, as far as a message repeats them."""
    return shortened(", ".join(names[:_SHOWN]) + (" and more" if len(names) > _SHOWN else ""))


def everything(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names without the sign for all of them."""
    return tuple(name for name in names if name.strip() != EVERYTHING)
