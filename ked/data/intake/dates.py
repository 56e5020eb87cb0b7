"""Texts and numbers that are dates, as days since 1970, and times of day as hours."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

_NAMES = (
    "january januar janvier januari enero gennaio janeiro", "february februar fevrier februari febrero febbraio fevereiro",
    "march marz mrz mars maart mrt marzo marco", "april avril abril aprile", "may mai mei mayo maggio maio",
    "june juni juin junio giugno junho", "july juli juillet julio luglio julho", "august aout augustus agosto",
    "september septembre septiembre settembre setembro", "october oktober octobre octubre ottobre outubro",
    "november novembre noviembre novembro", "december dezember decembre diciembre dicembre dezembro",
)  # fmt: skip
_STARTS = {name[:end]: month for month, names in enumerate(_NAMES, 1) for name in names.split() for end in range(3, len(name) + 1)}
_MONTHS = {start: month for start, month in _STARTS.items() if start != "jui"}  # of juin and of juillet
_ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "KST": 9,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AEST": 10, "AEDT": 11,
}  # fmt: skip
_CLOCK = r"(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
_ZONE = r"(?: ?(?P<zone>[A-Z]{3,4}|Z|(?:UTC|GMT)?[+-]\d\d(?::?\d\d)?))?(?:\[[\w/+-]+\])?(?: Uhr)?"
_WEEKDAY = r"(?:(?:[Mm]on|[Tt]ue|[Ww]ed|[Tt]hu|[Ff]ri|[Ss]at|[Ss]un)[a-z]*\.?,? )?"
_WORD = r"(?P<word>[^\W\d_]{3,10})\.?"
_YEAR = r"(?P<year>1[5-9]\d\d|2[01]\d\d)"
_ANY_YEAR = r"(?P<year>\d{4}|\d\d)"
_LATER = rf"(?:[ T,:]+{_CLOCK}{_ZONE})?"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_YEAR}(?P<sign>[-/.])(?P<month>\d{{1,2}})(?:(?P=sign)(?P<day>\d{{1,2}}){_LATER})?",
        rf"{_WEEKDAY}(?P<one>\d{{1,2}})(?P<sign>[-/.])(?P<two>\d{{1,2}})(?P=sign){_ANY_YEAR}{_LATER}",
        rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th|º)?[- /]*(?:de )?{_WORD}(?:[-/ ,:]|de )*{_ANY_YEAR}{_LATER}",
        rf"{_WEEKDAY}{_WORD} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}}){_LATER}",
        rf"{_WEEKDAY}{_WORD} +(?P<day>\d{{1,2}}) {_CLOCK}{_ZONE} (?P<year>\d{{4}})",
        rf"{_WORD}[-/ ](?P<year>\d{{4}})",
        rf"{_YEAR}(?P<month>\d\d)(?:(?P<day>\d\d)(?:T?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?{_ZONE})?)?",
    )
)
_TIME = re.compile(rf"(?:(?P<days>\d+) days?,? )?{_CLOCK}")
_EPOCH = pd.Timestamp("1970-01-01", tz="UTC")
_DAY = pd.Timedelta(days=1)
_CENTURY = 50  # years of two digits are those from 1950 to 2049, whatever the clock says
_TOGETHER = (  # the first and the last month, day, minute and second that are taken for such without signs between
    (180_001, 219_912), (18_000_101, 21_991_231), (180_001_010_000, 219_912_312_359), (18_000_101_000_000, 21_991_231_235_959),
)  # fmt: skip
_SEVERAL = 3  # different numbers that have to be dates before they are taken for such
_LOOKED_AT = 100  # texts of which some must be dates before all are looked at


def days(values: pd.Series) -> pd.Series:
    """Dates as days since 1970-01-01, in UTC where they name a zone; NaN for gaps."""
    aware = values.dt.tz_localize("UTC") if values.dt.tz is None else values.dt.tz_convert("UTC")
    return (aware - _EPOCH) / _DAY


def parsed(texts: pd.Series, *, day_first: bool) -> pd.Series:
    """Days since 1970 of texts that are dates, NaN for all others."""
    different = pd.Series(texts.dropna().unique(), dtype=object)
    iso = different.map(lambda text: _iso(match, day_first) if (match := _match(text)) else None)
    found = days(pd.to_datetime(iso, errors="coerce", format="ISO8601", utc=True))
    return texts.map(dict(zip(different, found, strict=True))).astype(float)


def of_texts(present: pd.Series) -> tuple[pd.Series, bool] | None:
    """Days since 1970, NaN for texts that are no dates, and whether days come before months; None where hardly any text is a date."""
    different = present.unique()
    if not any(map(_match, _sample(different))):
        return None
    matches = [match.groupdict() for text in different if (match := _match(text))]
    if _are_seasons(matches):
        return None
    parts = [(int(match["one"]), int(match["two"]), match["sign"]) for match in matches if "one" in match]
    day_first = any(one > 12 or sign == "." for one, _, sign in parts)
    if day_first and any(two > 12 for _, two, _ in parts):  # some days first, some months
        return None
    return parsed(present, day_first=day_first), day_first


def of_numbers(numbers: pd.Series) -> pd.Series | None:
    """Days since 1970 of numbers such as 20240131 or 20240131235959, NaN for gaps; None where one is no date, or too few are to tell.

    >>> of_numbers(pd.Series([19700102, 20240131, 20240201])).tolist(), of_numbers(pd.Series([20240131, 20240231, 20240201]))
    ([1.0, 19753.0, 19754.0], None)
    """
    different = pd.Series(numbers.dropna().unique())
    if len(different) < _SEVERAL or np.mod(different, 1).any():
        return None
    if not any(different.between(*ends).all() for ends in _TOGETHER):
        return None
    found = parsed(different.astype(np.int64).astype(str).astype(object), day_first=False)
    return None if found.isna().any() else numbers.map(dict(zip(different, found, strict=True))).astype(float)


def of_clock(present: pd.Series) -> pd.Series:
    """Hours of texts such as 14:35, 2:35 pm or 3 days 14:35:00, NaN for all others."""
    different = present.unique()
    if np.isnan([_hours(text) for text in _sample(different)]).all():
        return pd.Series(np.nan, present.index)
    return present.map({text: _hours(text) for text in different}).astype(float)


def shown(day: float) -> str:
    """The date of a day since 1970."""
    return str((_EPOCH + day * _DAY).date())


def latest(texts: pd.Series, found: pd.Series) -> tuple[str, str] | None:
    """The last of some dates, which tells what was taken for the month and for the century; none of dates that can be read one way only."""
    known = texts[found.notna()]
    if known.str.match(r"\d{4}-").all():
        return None
    at = found.idxmax()
    return texts[at], shown(found[at])


def _sample(texts: np.ndarray) -> np.ndarray:
    return texts[:: max(1, len(texts) // _LOOKED_AT)]


def _match(text: str) -> re.Match[str] | None:
    return next((match for form in _FORMS if (match := form.fullmatch(text))), None)


def _iso(match: re.Match[str], day_first: bool) -> str | None:
    """The date as ISO 8601 writes it, with its zone; None where its month, hour or zone is none."""
    part = {name: text for name, text in match.groupdict().items() if text is not None}
    day, month = part.get("day", "1"), part.get("month", "0")
    if "one" in part:
        day, month = (part["one"], part["two"]) if day_first else (part["two"], part["one"])
    if "word" in part:
        month = str(_MONTHS.get(_bare(part["word"]), 0))
    year = int(part["year"]) + (0 if len(part["year"]) == 4 else 1900 if int(part["year"]) >= _CENTURY else 2000)
    hour, zone = _hour(part), _offset(part.get("zone", "Z"))
    if hour is None or zone is None:
        return None
    clock = f"{hour:02}:{part.get('minute', '00')}:{part.get('second', '00')}.{part.get('fraction', '0')[:9]}"
    return f"{year}-{int(month):02}-{int(day):02}T{clock}{zone}"


def _hour(part: dict[str, str]) -> int | None:
    """From 0 on, of a clock that may go round twice a day; None where that has no such hour."""
    hour, half = int(part.get("hour", 0)), part.get("half", "").lower()
    if not half:
        return hour
    return hour % 12 + 12 * (half == "p") if 1 <= hour <= 12 else None


def _offset(zone: str) -> str | None:
    """Hours and minutes before UTC; None of a zone that is not known."""
    if zone in _ZONES:
        return f"{_ZONES[zone]:+03}:00"
    digits = zone.removeprefix("UTC").removeprefix("GMT").replace(":", "")
    return f"{digits[:3]}:{digits[3:] or '00'}" if digits[:1] in ("+", "-") else None


def _hours(text: str) -> float:
    match = _TIME.fullmatch(text)
    part = {name: found for name, found in match.groupdict().items() if found is not None} if match else {}
    hour = _hour(part)
    if hour is None or not ("minute" in part or "half" in part):
        return np.nan
    minute, second = int(part.get("minute", 0)), float(f"{part.get('second', 0)}.{part.get('fraction', 0)}")
    return 24 * int(part.get("days", 0)) + hour + (minute + second / 60) / 60 if max(minute, second) < 60 else np.nan


def _bare(word: str) -> str:
    """In small letters without accents."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", word.casefold()) if letter.isalpha())


def _are_seasons(matches: Sequence[Mapping[str, str | None]]) -> bool:
    """Whether 2001-02 and all others are a year and the next one, not a year and its month."""
    years = [(int(match["year"] or 0), int(match["month"] or 0)) for match in matches if match.get("month") and not match.get("day")]
    return len(years) == len(matches) > 1 and all((year + 1) % 100 == other for year, other in years)
