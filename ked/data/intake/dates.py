"""Texts and numbers that are dates, as days since 1970."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd

_ISO = re.compile(
    r"(?P<year>1[5-9]\d\d|2[01]\d\d)-(?P<month>\d{1,2})"
    r"(-\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s?(Z|UTC|[+-]\d{2}:?\d{2})?)?)?"
)
_TIME = r"([ T,]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?)?"
_NUMERIC_DATE = re.compile(
    rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(?P<year>\d{{4}}|\d{{2}}){_TIME}|\d{{4}}(?P<sign>[/.])\d{{1,2}}(?P=sign)\d{{1,2}}{_TIME}"
)
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_WORDY_DATE = re.compile(
    rf"(\d{{1,2}}[- ]{_MONTH}[- ,]+(?P<year>\d{{4}}|\d{{2}})|{_MONTH} \d{{1,2}},? \d{{4}}){_TIME}", re.IGNORECASE
)
_EPOCH = pd.Timestamp("1970-01-01", tz="UTC")
_DAY = pd.Timedelta(days=1)
_CENTURY = 50  # years of two digits are those from 1950 to 2049, whatever the clock says
_TOGETHER = (18_000_101, 21_991_231)  # the first and the last that is taken for a date without signs between
_SEVERAL = 3  # different numbers that have to be dates before they are taken for such


def days(values: pd.Series) -> pd.Series:
    """Dates as days since 1970-01-01, in UTC where they name a zone; NaN for gaps."""
    aware = values.dt.tz_localize("UTC") if values.dt.tz is None else values.dt.tz_convert("UTC")
    return (aware - _EPOCH) / _DAY


def parsed(texts: pd.Series, *, day_first: bool) -> pd.Series:
    """Days since 1970 of texts that are dates, NaN for all others."""
    form = "ISO8601" if texts.dropna().map(lambda text: _ISO.fullmatch(text) is not None).all() else "mixed"
    whole = texts if form == "ISO8601" else texts.map(_with_century, na_action="ignore")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return days(pd.to_datetime(whole, errors="coerce", format=form, dayfirst=day_first and form == "mixed", utc=True))


def of_texts(present: pd.Series) -> tuple[pd.Series, bool] | None:
    """Days since 1970, and whether days come before months; None where not all texts are dates."""
    matches = present.map(lambda text: _NUMERIC_DATE.fullmatch(text))
    iso = present.map(lambda text: _ISO.fullmatch(text))
    other = present[matches.isna() & iso.isna()]
    if not other.map(lambda text: bool(_WORDY_DATE.fullmatch(text))).all() or _are_seasons(present, iso):
        return None
    parts = [(int(match[1]), int(match[3]), match[2]) for match in matches.dropna() if match[1]]
    day_first = any(one > 12 or sign == "." for one, _, sign in parts)
    if day_first and any(two > 12 for _, two, _ in parts):  # some days first, some months
        return None
    found = parsed(present, day_first=day_first)
    return None if found.isna().any() else (found, day_first)


def of_numbers(numbers: pd.Series) -> pd.Series | None:
    """Days since 1970 of numbers such as 20240131, NaN for gaps; None where one of them is no date, or too few are there to tell.

    >>> of_numbers(pd.Series([19700102, 20240131, 20240201])).tolist(), of_numbers(pd.Series([20240131, 20240231, 20240201]))
    ([1.0, 19753.0, 19754.0], None)
    """
    different = pd.Series(numbers.dropna().unique())
    if len(different) < _SEVERAL or np.mod(different, 1).any() or not different.between(*_TOGETHER).all():
        return None
    found = pd.to_datetime(different.astype(np.int64).astype(str), format="%Y%m%d", errors="coerce", utc=True)
    return None if found.isna().any() else numbers.map(dict(zip(different, days(found), strict=True))).astype(float)


def shown(day: float) -> str:
    """The date of a day since 1970."""
    return str((_EPOCH + day * _DAY).date())


def latest(texts: pd.Series, found: pd.Series) -> tuple[str, str] | None:
    """The last of some dates, which tells what was taken for the month and for the century; none of dates that can be read one way only."""
    if texts.map(lambda text: _ISO.fullmatch(text) is not None).all():
        return None
    at = found.idxmax()
    return texts[at], shown(found[at])


def _with_century(text: str) -> str:
    match = _NUMERIC_DATE.fullmatch(text) or _WORDY_DATE.fullmatch(text)
    if match is None or match["year"] is None or len(match["year"]) == 4:
        return text
    start = match.start("year")
    return f"{text[:start]}{19 if int(match['year']) >= _CENTURY else 20}{text[start:]}"


def _are_seasons(texts: pd.Series, iso: pd.Series) -> bool:
    """Whether 2001-02 and all others are a year and the next one, not a year and its month."""
    years = [(int(match["year"]), int(match["month"])) for match in iso.dropna() if len(match[0]) == 7]
    return len(years) == len(texts) and texts.nunique() > 1 and all((year + 1) % 100 == other for year, other in years)
