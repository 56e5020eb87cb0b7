"""Numbers as people write them: with either decimal mark, signs for thousands, money, percent, a unit, or K and M behind them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

MARKS = (".", ",")
_SIGNS = "".join(sign for sign in map(chr, range(0xA2, 0x20D0)) if unicodedata.category(sign) == "Sc")
_MONEY = rf"[A-Z]{{0,3}}\$|[{_SIGNS}]|Rs\.?|EUR|USD|GBP|CHF|INR|CNY|JPY|KRW|BRL|RUB|SEK|NOK|DKK|PLN|CZK|TRY|CAD|AUD"
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
_TIMES = {"": 1.0, "k": 1e3, "K": 1e3, "m": 1e6, "M": 1e6, "Mio": 1e6, "mn": 1e6, "B": 1e9, "bn": 1e9, "Mrd": 1e9}
_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")  # 1.160, which may be a thousand or a fraction
_SHORT = re.compile(r"[+-]?(0|[1-9]\d{0,2})")
_LOOKED_AT = 1000  # texts that tell whether a column can be one of numbers
_SOME = 0.1  # of the numbers have a K, M or B before these are more than letters
_HALF = 0.5  # of the texts in a column of numbers are some


class Written(NamedTuple):
    """The parts of a number: "-" or "", the digits with their marks, the power of ten, what it is counted in, and K or M behind it."""

    sign: str
    digits: str
    power: str
    unit: str
    times: str = ""

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
    (Written(sign='-', digits='1.234,50', power='', unit='€', times=''), Written(sign='-', digits='5', power='', unit='%', times=''), None)
    """
    found = _WRITTEN.fullmatch(text.translate(_LINES))
    if found is None or bool(found["open"]) != bool(found["shut"]):
        return None
    behind = found["behind"] or ""
    times = behind if behind and behind in _TIMES and (found["before"] or text[found.start("behind") - 1].isdigit()) else ""
    if found["before"] and behind != times:
        return None
    signs = [found[name] for name in ("open", "sign", "inner", "trailing") if found[name]]
    if len(signs) > 1:
        return None
    unit = found["before"] or ("" if times else behind)
    return Written("" if signs in ([], ["+"]) else "-", found["digits"], found["power"] or "", unit, times)


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
    and 50, 5 beside 5 % is not the same, and 136A among bare numbers is no 136.
    """
    different = pd.Series(texts.unique(), dtype=object)
    if _share(different.iloc[:: max(1, len(different) // _LOOKED_AT)]) < _HALF / 2:
        return None
    parts = [written(text) for text in different]
    if _are_open(different, parts):
        return None
    mark = "," if mark == "." and point_groups(different) else mark_of(texts, mark)
    parts = _in_units(parts)
    unit = _unit(texts.map(dict(zip(different, parts, strict=True))))
    plain = pd.to_numeric(different, errors="coerce")
    values = pd.Series([own if part is None else _value(part, mark, unit) for own, part in zip(plain, parts, strict=True)], dtype=float)
    found = texts.map(dict(zip(different, values, strict=True))).astype(float)
    if found.notna().mean() < _HALF:
        return None
    odd = values[np.isfinite(values) & ~different.map(_by_python).eq(values)]
    return found, (different[at], float(values[at])) if (at := odd.abs().idxmax() if len(odd) else None) is not None else None


def point_groups(texts: Iterable[str]) -> bool:
    """Whether points stand for thousands where they could be decimal ones, but for the numbers without one beside them.

    Who writes 4 and 1.160 means a thousand: a program that cuts zeros off writes 1.16, and one that does not writes 4.000.

    >>> point_groups(["4", "1.160", "20.000"]), point_groups(["4", "1.165"]), point_groups(["4.000", "1.160"])
    (True, False, False)
    """
    found = [text for text in texts if text[-1:].isdigit() and written(text) is not None]
    marked = [text for text in found if not _SHORT.fullmatch(text)]
    return 0 < len(marked) < len(found) and all(map(_GROUP.fullmatch, marked)) and any(text.endswith("0") for text in marked)


def _are_open(texts: pd.Series, parts: Sequence[Written | None]) -> bool:
    """Whether 1935- and all others begin a range, and are no negative numbers."""
    found = [text.translate(_LINES) for text, part in zip(texts, parts, strict=True) if part is not None]
    return bool(found) and all(text.endswith("-") and text[:-1].isdigit() for text in found)


def _in_units(parts: Sequence[Written | None]) -> list[Written | None]:
    """The numbers, in which a K, M or B is a unit like others unless there are thousands, millions and bare numbers side by side.

    7B among a hundred bare numbers is not seven billions, nor 5m beside 3m five millions.
    """
    times = Counter(part.times for part in parts if part is not None and part.digits.strip("0.,"))
    bare, thousands = times[""], times["k"] + times["K"]
    scaled = len(+times) > 1 and (thousands > 0 or not (bare or times["m"])) and times.total() - bare > _SOME * times.total()
    return [part if part is None or scaled or not part.times else part._replace(unit=part.unit or part.times, times="") for part in parts]


def _unit(parts: pd.Series) -> str:
    """What most numbers are counted in; "" where more have no unit, unless it is money."""
    units = Counter(part.unit for part in parts if part is not None)
    bare = units.pop("", 0)
    unit = max(units, key=lambda one: units[one], default="")
    return unit if units[unit] >= bare or re.fullmatch(_MONEY, unit) else ""


def _share(texts: pd.Series) -> float:
    return float(texts.map(lambda text: written(text) is not None).mean())


def _value(part: Written, mark: str, unit: str) -> float:
    value = part.value(mark) * _TIMES[part.times]
    same = part.unit == unit or value == 0 or (not part.unit and unit not in ("%", "‰"))
    return value if same else np.nan


def _by_python(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
