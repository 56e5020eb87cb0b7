"""Tables whose columns are pixels, such as `label,pixel0,...,pixel783`, `1x1,...,28x28`, or one that lists all."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ked.data import limits
from ked.data.pixels import colours_first, scale_of
from ked.errors import quoted

_Family = dict[tuple[int, ...], str]  # numbers in the names of columns -> the names

_CALLED = frozenset(("pixel", "pixels", "px", "pix", "p", "image", "images", "img"))
_NUMBER = r"[+-]?\d*\.?\d+\.?(?:[eE][+-]?\d+)?"
_LIST = re.compile(rf"[\[(]?\s*{_NUMBER}(?:(?:\s*[,;]\s*|\s+){_NUMBER}){{15,}}\s*[\])]?")
_GRIDS = frozenset((("", "x"), ("x", "y"), ("r", "c"), ("row", "col"), ("row", "column"), ("(", ",", ")")))
_SMALLEST = 16  # pixels, of columns that are not called so
_FEWEST = 4  # of those that are
_STEPS = 8  # the largest value is more: answers from 1 to 5 are no greys
_GAPS = 0.1  # of the values, at most, that may be missing in columns that are called pixels


@dataclass(frozen=True)
class Pixels:
    """The columns of a table that are pixels.

    Attributes:
        columns: In the order of the pictures, row by row.
        shape: (rows, columns) of each picture, or (3, rows, columns).
        mixed: Whether their names do not tell how the three colours lie.
        scale: What is added to the values, and what they are then divided by, to be in [0, 1].
    """

    columns: tuple[str, ...]
    shape: tuple[int, ...]
    mixed: bool
    scale: tuple[float, float]

    def of(self, frame: pd.DataFrame, train: np.ndarray) -> np.ndarray:
        """(N, D) float32 in [0, 1]; where there is a gap, the median of the rows `train`."""
        chosen = frame[list(self.columns)]
        values = chosen.fillna(chosen.iloc[train].median().fillna(0)).to_numpy(np.float64)
        shares = ((values + self.scale[0]) / self.scale[1]).clip(0, 1).astype(np.float32)
        return colours_first(shares).reshape(shares.shape) if self.mixed else shares


def spread(path: Path, frame: pd.DataFrame, keep: frozenset[str]) -> tuple[pd.DataFrame, str]:
    """The table, in which the first column of texts that list numbers, as many in each row, is a column for each; and what is said."""
    for name in frame.columns.difference(keep, sort=False):
        texts = frame[name]
        if not all(isinstance(text, str) for text in texts) or not _LIST.fullmatch(texts.iloc[0].strip()):
            continue
        count = len(re.findall(_NUMBER, texts.iloc[0]))
        limits.check_size(path, len(texts), count)
        try:
            rows = np.array([re.sub(r"[\[\](),;]", " ", text).split() for text in texts], np.float64)
        except ValueError:  # words, or more in one row than in another
            continue
        each = pd.DataFrame(rows, columns=[f"{name} {i}" for i in range(count)])
        said = f"The column {quoted(name, 40)} lists {count} numbers: each is a column."
        return pd.concat([frame.drop(columns=name), each], axis=1), said
    return frame, ""


def find(frame: pd.DataFrame, *, named: bool) -> Pixels | None:
    """The pixels among the columns, beside which others may stand; all columns, where they are just numbered and not called pixels.

    Their names number them, or give row and column, in any order, and perhaps the colour.  They hold shares or whole numbers, and such
    as are just numbered hold more than answers to a few questions do.
    """
    names = [str(name) for name in frame.columns]
    numbered: _Family = {(place,): name for place, name in enumerate(names)}
    families = _families(names) if named else {(): numbered}
    called = {words: family for words, family in families.items() if words and _is_called(words) and len(family) >= _FEWEST}
    colours = {words[-1][:1]: family for words, family in called.items()}
    if set(colours) == set("rgb") and len(called) == 3 and len({frozenset(family) for family in called.values()}) == 1:
        return _pixels(frame, [colours[colour] for colour in "rgb"], called=True)
    chosen = called or families
    if len(chosen) != 1 or not (called or len(next(iter(chosen.values()))) == len(names)):
        return None
    words, family = next(iter(chosen.items()))
    if words == ("x", "y"):
        family = {place[::-1]: name for place, name in family.items()}
    return _pixels(frame, [family], called=bool(called))


def _families(names: Sequence[str]) -> dict[tuple[str, ...], _Family]:
    """The words in names -> the one or two numbers among them -> the name."""
    found: dict[tuple[str, ...], _Family] = defaultdict(dict)
    for name in names:
        parts = re.split(r"(\d+)", name.lower())
        words, numbers = tuple(part.strip(" _.-") for part in parts[::2]), tuple(map(int, parts[1::2]))
        words = words[:-1] if words[-1] == "" else words
        found[words if 1 <= len(numbers) <= 2 else (name,)][numbers] = name
    return dict(found)


def _is_called(words: tuple[str, ...]) -> bool:
    return words[0] in _CALLED or words in _GRIDS


def _pixels(frame: pd.DataFrame, families: Sequence[_Family], *, called: bool) -> Pixels | None:
    places = sorted(families[0])
    columns = tuple(family[place] for family in families for place in places)
    shape = _shape(places, called=called)
    values = frame[list(columns)]
    if shape is None or not all(dtype.kind in "iuf" for dtype in values.dtypes):
        return None
    array = values.to_numpy(np.float64, na_value=np.nan)
    if np.isnan(array).mean() > (_GAPS if called else 0):
        return None
    low, high = float(np.nanmin(array)), float(np.nanmax(array))
    whole = not np.nan_to_num(np.mod(array, 1)).any()
    scale = scale_of(low, high, whole=whole) if np.isfinite([low, high]).all() and high > 0 else None
    if scale is None or not (called or (whole and low >= 0 and _STEPS < high <= 255)):
        return None
    mixed = len(families) == 1 and len(shape) == 3
    return Pixels(columns, shape if len(families) == 1 else (3, *shape), mixed, scale)


def _shape(places: Sequence[tuple[int, ...]], *, called: bool) -> tuple[int, ...] | None:
    """Of the pictures with pixels at these sorted places: numbers, or rows and columns."""
    D = len(places)
    least = _FEWEST if called else _SMALLEST
    if least > D:
        return None
    if len(places[0]) == 2:
        rows, columns = (len({place[axis] for place in places}) for axis in (0, 1))
        return (rows, columns) if rows * columns == D and min(rows, columns) > 1 else None
    first, last = places[0][0], places[-1][0]
    if not called and (first > 1 or last - first != D - 1):
        return None
    side = math.isqrt(D)
    if side * side == D:
        return side, side
    side = math.isqrt(D // 3)
    return (3, side, side) if called and side > 3 and 3 * side * side == D else None
