"""Numbers as people write them: with either decimal mark, signs for thousands, money, percent or a unit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

MARKS = (".", ",")
_MONEY = r"[€$£¥]|EUR|USD|GBP|CHF"
_UNIT = rf"{_MONEY}|[%‰]|°[^\W\d_]?|[^\W\d_]{{1,4}}[23²³]?(?:/[^\W\d_]{{1,4}}[23²³]?)?"
_WRITTEN = re.compile(
    rf"(?P<open>\()?(?P<sign>[+-]?)(?P<before>{_MONEY})?\s?(?P<inner>[+-]?)(?P<digits>[.,]?\d(?:[\d.,'’_]|\s(?=\d))*)"
    rf"(?P<power>[eE][+-]?\d+|[dD][+-]\d+)?(?:\s?(?P<behind>{_UNIT}))?(?P<trailing>-)?(?P<shut>\))?"
)
_FORMS = {
    mark: re.compile(rf"\d*(?:[{mark}]\d*)?|[1-9]\d{{0,2}}(?P<by>[{other}'’_\s])(?:\d{{2,3}}(?P=by))*\d{{3}}(?:[{mark}]\d*)?")
    for mark, other in zip(MARKS, reversed(MARKS), strict=True)
}
_LINES = str.maketrans("−–", "--")
_LOOKED_AT = 1000  # texts that tell whether a column can be one of numbers
_HALF = 0.5  # of the texts in a column of numbers are some


class Written(NamedTuple):
    """The parts of a number: "-" or "", the digits with their marks, the power of ten, and what it is counted in."""

    sign: str
    digits: str
    power: str
    unit: str

    def reads(self, mark: str) -> bool:
        """Whether it is a number if this is the decimal mark."""
        return _FORMS[mark].fullmatch(self.digits) is not None

    def value(self, mark: str) -> float:
        """The number, rounded as Python does; NaN where it is none with this decimal mark."""
        if not self.reads(mark):
            return np.nan
        whole, _, rest = self.digits.partition(mark)
        digits, power = "".join(filter(str.isdigit, whole)), self.power.lower().replace("d", "e")
        return float(f"{self.sign}{digits}.{rest}{power}")


def written(text: str) -> Written | None:
    """The parts of a text that is a number, else None.

    >>> written("-1.234,50 €"), written("(5%)"), written("12:30")
    (Written(sign='-', digits='1.234,50', power='', unit='€'), Written(sign='-', digits='5', power='', unit='%'), None)
    """
    found = _WRITTEN.fullmatch(text.translate(_LINES))
    if found is None or bool(found["open"]) != bool(found["shut"]) or (found["before"] and found["behind"]):
        return None
    signs = [found[name] for name in ("open", "sign", "inner", "trailing") if found[name]]
    if len(signs) > 1:
        return None
    unit = found["before"] or found["behind"] or ""
    return Written("" if signs in ([], ["+"]) else "-", found["digits"], found["power"] or "", unit)


def mark_of(texts: Iterable[str], otherwise: str) -> str:
    """The decimal mark of texts, told by those that are numbers with one of the two alone.

    >>> mark_of(["1,234", "0,5"], "."), mark_of(["1,234", "1,234,567"], ","), mark_of(["1,234"], ".")
    (',', '.', '.')
    """
    votes: Counter[str] = Counter()
    for text in texts:
        if ("," in text or "." in text) and (number := written(text)) is not None:
            ways = [mark for mark in MARKS if number.reads(mark)]
            votes.update(ways if len(ways) == 1 else ())
    return otherwise if votes["."] == votes[","] else max(MARKS, key=lambda mark: votes[mark])


def numbers(texts: pd.Series, mark: str) -> tuple[pd.Series, tuple[str, float] | None] | None:
    """The numbers of texts, NaN for those that are none, and the largest one that no program would write so; None if most are none.

    mark: the decimal one, unless the texts themselves tell.  What has another unit than the others is none: 5 cm and 50 mm are not 5
    and 50, and 5 beside 5 % is not the same.
    """
    different = pd.Series(texts.unique(), dtype=object)
    if _share(different.iloc[:: max(1, len(different) // _LOOKED_AT)]) < _HALF / 2:
        return None
    plain, parts = pd.to_numeric(different, errors="coerce"), [written(text) for text in different]
    mark = mark_of(texts, mark)
    units = Counter(part.unit for part in parts if part is not None and part.unit)
    unit = max(units, key=lambda one: units[one], default="")
    values = pd.Series([own if part is None else _value(part, mark, unit) for own, part in zip(plain, parts, strict=True)], dtype=float)
    found = texts.map(dict(zip(different, values, strict=True))).astype(float)
    if found.notna().mean() < _HALF:
        return None
    odd = values[np.isfinite(values) & ~different.map(_by_python).eq(values)]
    return found, (different[at], float(values[at])) if (at := odd.abs().idxmax() if len(odd) else None) is not None else None


def _share(texts: pd.Series) -> float:
    return float(texts.map(lambda text: written(text) is not None).mean())


def _value(part: Written, mark: str, unit: str) -> float:
    value = part.value(mark)
    same = part.unit == unit or value == 0 or (not part.unit and unit not in ("%", "‰"))
    return value if same else np.nan


def _by_python(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
