"""What stands for a value that is not there: words among numbers, and numbers such as -999 that no measurement comes near."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd

from ked.data.intake.layout import MISSING

_WORDS = (
    "none", "-", "--", "---", "–", "—", ".", "..", "...", "missing", "(missing)", "unknown", "nil", "n.a.", "n.d.", "nd", "n.k.", "k.A.",
    "0000-00-00", "0000-00-00 00:00:00", "#DIV/0!",
)  # fmt: skip
_SIGNS = (
    "*", "void", "(null)", "\\N", "blank", "(blank)", "no data", "not known", "not available", "not applicable", "undefined",
    "9999-12-31", "9999-12-31 00:00:00", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!",
)  # fmt: skip
_TOLD = frozenset(text.casefold() for text in _SIGNS)
_NONE = _TOLD.union(text.casefold() for text in (*MISSING, *_WORDS))
_CODE = re.compile(r"(-?)(9+|9+[78]|8{2,}|7{2,}|[78])")  # the digits of what surveys and instruments write
_FILLS = (
    -32768.0, -2147483648.0, -9223372036854775808.0,  # the lowest whole numbers of two, four and eight bytes
    -3.4028234663852886e38, -1.7976931348623157e308,  # the lowest numbers of single and double precision
    1e20, 1e30, -1e30, 1e36, 9.969209968386869e36,  # what models of the climate, maps and netCDF files have where there is nothing
)  # fmt: skip
_SURE = 3  # digits of a positive number that is a code by itself; with two it must not be the only one


def are_none(texts: pd.Series) -> pd.Series:
    """Which of a column's texts stand for a gap if the others are numbers or dates."""
    return texts.str.casefold().isin(_NONE)


def are_told(texts: pd.Series) -> pd.Series:
    """Which of these have to be named to whoever brings the table."""
    return texts.str.casefold().isin(_TOLD)


def codes(numbers: pd.Series) -> tuple[float, ...]:
    """The numbers of a column that stand for a gap, such as -999 or 99.99: they lie farther from all others than these from each other.

    >>> codes(pd.Series([3.5, -999, 4, 5, -999])), codes(pd.Series([900, 999, 850, 999])), codes(pd.Series([1, 2, 16, 98, 99, 98, 99]))
    ((-999.0,), (), (98.0, 99.0))
    """
    counts = numbers.value_counts()
    rest = counts.index.to_numpy(np.float64)
    likely = [value for value in sorted(rest) if _digits(value)]
    others = np.setdiff1d(rest, likely)
    found = [value for value in likely if len(others) > 1 and _is_far(value, others) and (counts[value] > 1 or _is_sure(value, others))]
    pairs = [value for value in found if len(_digits(value)) < _SURE and value > 0]
    found = [value for value in found if value not in pairs or len(pairs) > 1]
    others = np.setdiff1d(rest, found)
    return tuple(map(float, found)) if all(_is_far(value, others) for value in found) else ()


def _digits(value: float) -> str:
    """Those of a number that may be a code; "" of all others."""
    if _is_fill(value):
        return "9" * _SURE
    match = _CODE.fullmatch(f"{value:.10g}".replace(".", ""))
    return match[2] if match and (match[1] or len(match[2]) > 1) else ""


def _is_fill(value: float) -> bool:
    """Whether a program writes it where it has no value, be it with a few digits less."""
    return not -32000 < value < 1e19 and any(math.isclose(value, fill, rel_tol=2e-6) for fill in _FILLS)


def _is_far(value: float, others: np.ndarray) -> bool:
    """Whether it is farther from the others than they are from each other, and twice as far and large where one of them has its sign."""
    low, high = float(others.min()), float(others.max())
    distance = max(low - value, value - high)
    return distance > high - low and (value < 0 <= low or (distance > 2 * (high - low) and abs(value) > 2 * max(-low, high)))


def _is_sure(value: float, others: np.ndarray) -> bool:
    """Whether once is enough: a negative number among such as cannot be negative, and what no column of this kind can hold."""
    return bool((value < 0 and others.min() >= 0) or _is_fill(value))
