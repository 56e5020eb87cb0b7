"""What each column of a table is: numbers, dates, categories, or nothing that a net could learn from."""

from __future__ import annotations

import hashlib
import re
import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ked.data.intake.layout import MISSING
from ked.data.intake.numbers import numbers

VALUES = 20  # different texts that a column may hold to be encoded
_NO_NUMBERS = 0.1  # of the texts in a column of numbers that may be none
_SIGNS_OF_GAPS = 2  # different texts that may be more, in a column of many numbers: what stands for a gap there
_NO_VALUES = ("none", "-", "--", ".", "..", "missing", "unknown", "nil", "n.a.", "n.d.", "nd", "#DIV/0!")
_NONE = frozenset(text.casefold() for text in (*MISSING, *_NO_VALUES))
_ROW_NAMES = re.compile(r"(?i)(row[ _.]?(names?|id|nr|no|number|num)?|index|idx|nr|no|#|x|obs|observation|sample|case|unnamed: \d+)")
_ID = re.compile(r"(?i:(^|.*[\W_])(id|ids|uid|uuid|guid|key|index|rownames?))|.*[a-z]I[dD]|(?i:(patient|customer|user|sample|case)id)")
_ISO = re.compile(r"\d{4}-\d{1,2}(-\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s?(Z|UTC|[+-]\d{2}:?\d{2})?)?)?")
_TIME = r"([ T,]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?)?"
_NUMERIC_DATE = re.compile(
    rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}|\d{{4}}(?P<sign>[/.])\d{{1,2}}(?P=sign)\d{{1,2}}{_TIME}"
)
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_WORDY_DATE = re.compile(rf"(\d{{1,2}}[- ]{_MONTH}[- ,]+\d{{2,4}}|{_MONTH} \d{{1,2}},? \d{{4}}){_TIME}", re.IGNORECASE)
_EPOCH = pd.Timestamp("1970-01-01", tz="UTC")
_DAY = pd.Timedelta(days=1)
_FREE_TEXT = 3  # words on average, from which on texts are free


@dataclass(frozen=True, eq=False)
class Judged:
    """A column and what it is.

    Attributes:
        kind: As `ked.data.columns.Column.kind`; "" for a column that nothing can be made of.
        values: Numbers with NaN for gaps, or texts with None.
        reason: Why it is left out; "" for a column that is used.
        categories: Of a category or an ordered column.
        odd: Some texts that are no numbers.
        day_first: How its dates are written.
        read: One of its texts, and what it is read as, where that needs to be told.
    """

    name: str
    kind: str
    values: pd.Series
    reason: str = ""
    categories: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    day_first: bool = False
    read: tuple[str, str] | None = None

    @property
    def fingerprint(self) -> bytes:
        """The same for columns that tell the same."""
        if self.kind in ("category", "ordered"):
            content = pd.factorize(self.values)[0].astype(np.int64)
        else:
            content = self.values.to_numpy(np.float64, na_value=np.nan)
        return hashlib.blake2b(content.tobytes(), digest_size=16).digest() + (b"c" if self.kind in ("category", "ordered") else b"n")


def judged(values: pd.Series, name: str, mark: str = ".", *, unnamed: bool, first: bool, keep: bool) -> Judged:
    """What a column is; one to keep is used for all that it can be used for. mark: the decimal one of its file."""
    values = values.reset_index(drop=True)
    if not values.notna().any():
        return Judged(name, "", values, "empty")
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        if dtype.ordered:
            return _ordered(name, values)
        values = values.astype(dtype.categories.dtype)
    if pd.api.types.is_bool_dtype(values.dtype):
        return _category(name, as_texts(values), keep=keep)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _constant(Judged(name, "date", days(values)), keep)
    if pd.api.types.is_timedelta64_dtype(values.dtype):
        values = values / pd.Timedelta(seconds=1)
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_complex_dtype(values.dtype):
        return _number(name, values, (), unnamed=unnamed, keep=keep)
    texts = present_or_none(values)
    if all(isinstance(value, bool | np.bool_) for value in texts.dropna()):
        return _category(name, as_texts(texts), keep=keep)
    if (texts.map(type).isin([list, dict, tuple, set, bytes, np.ndarray])).any():
        return Judged(name, "", values, "nested values")
    return _texts(name, as_texts(texts), mark, unnamed=unnamed, first=first, keep=keep)


def present_or_none(values: pd.Series) -> pd.Series:
    """A column's values as they are, gaps as None."""
    absent = values.isna().to_numpy()
    return pd.Series([None if gap else value for gap, value in zip(absent, values, strict=True)], values.index, dtype=object)


def as_texts(values: pd.Series) -> pd.Series:
    """The same as texts; what stands for a gap is one."""
    texts = [None if value is None or str(value).strip() in MISSING else str(value).strip() for value in present_or_none(values)]
    return pd.Series(texts, values.index, dtype=object)


def days(values: pd.Series) -> pd.Series:
    """Dates as days since 1970-01-01, in UTC where they name a zone; NaN for gaps."""
    aware = values.dt.tz_localize("UTC") if values.dt.tz is None else values.dt.tz_convert("UTC")
    return (aware - _EPOCH) / _DAY


def parsed_dates(texts: pd.Series, *, day_first: bool) -> pd.Series:
    """Days since 1970 of texts that are dates, NaN for all others."""
    form = "ISO8601" if texts.dropna().map(lambda text: _ISO.fullmatch(text) is not None).all() else "mixed"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return days(pd.to_datetime(texts, errors="coerce", format=form, dayfirst=day_first and form == "mixed", utc=True))


def is_row_number(values: pd.Series) -> bool:
    """Whether a column counts the rows: each whole number from 0 or 1 on once, or one more in every row."""
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype) or len(values) < 2:
        return False
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    low, high = float(numbers.min()), float(numbers.max())
    if high - low != len(numbers) - 1 or np.mod(numbers, 1).any():  # also where a number is missing
        return False
    return bool((np.diff(numbers) == 1).all() or (low in (0, 1) and len(np.unique(numbers)) == len(numbers)))


def _texts(name: str, texts: pd.Series, mark: str, *, unnamed: bool, first: bool, keep: bool) -> Judged:
    present = texts.dropna()
    if present.empty:
        return Judged(name, "", texts, "empty")
    if (read := _numbers(present, mark)) is not None:
        values, odd, example = read
        return replace(_number(name, values.reindex(texts.index), odd, unnamed=unnamed, keep=keep), read=example)
    if (dates := _dates(present)) is not None:
        days_of, day_first = dates
        return _constant(Judged(name, "date", days_of.reindex(texts.index), day_first=day_first, read=_latest(present, days_of)), keep)
    different = present.nunique()
    if different <= VALUES and not unnamed:
        return _category(name, texts, keep=keep)
    found = _category(name, texts, keep=True)
    if keep:
        return found
    reason = f"texts with {different} values (at most {VALUES} are encoded)"
    if different == len(present):
        reason = "row names" if unnamed or (first and _ROW_NAMES.fullmatch(name)) else "an id: each row has its own"
    if present.str.split().str.len().mean() >= _FREE_TEXT and different > VALUES:
        reason = "free text"
    return Judged(name, found.kind, texts, reason, found.categories)


def _numbers(present: pd.Series, mark: str) -> tuple[pd.Series, tuple[str, ...], tuple[str, str] | None] | None:
    """Numbers of texts that nearly all are numbers, NaN for the others; some of these; and a text beside what it is read as."""
    if (read := numbers(present, mark)) is None:
        return None
    values, example = read
    others = present[values.isna()]
    odd = others[~others.str.casefold().isin(_NONE)]
    gaps = odd.str.casefold().nunique() <= _SIGNS_OF_GAPS and values.nunique() > VALUES
    if values.notna().sum() < 2 or not (gaps or len(odd) <= _NO_NUMBERS * len(present)):
        return None
    return values, tuple(odd.unique()[:3]), None if example is None else (example[0], f"{example[1]:.15g}")


def _dates(present: pd.Series) -> tuple[pd.Series, bool] | None:
    """Days since 1970, and whether days come before months."""
    matches = present.map(lambda text: _NUMERIC_DATE.fullmatch(text))
    other = present[matches.isna()]
    if not other.map(lambda text: bool(_ISO.fullmatch(text) or _WORDY_DATE.fullmatch(text))).all():
        return None
    parts = [(int(match[1]), int(match[3]), match[2]) for match in matches.dropna() if match[1]]
    day_first = any(one > 12 or sign == "." for one, _, sign in parts)
    if day_first and any(two > 12 for _, two, _ in parts):  # some days first, some months
        return None
    found = parsed_dates(present, day_first=day_first)
    return None if found.isna().any() else (found, day_first)


def _latest(texts: pd.Series, found: pd.Series) -> tuple[str, str] | None:
    """The last of some dates, which tells what was taken for the month and for the century; none of dates that can be read one way only."""
    if texts.map(lambda text: _ISO.fullmatch(text) is not None).all():
        return None
    at = found.idxmax()
    return texts[at], str((_EPOCH + found[at] * _DAY).date())


def _number(name: str, values: pd.Series, odd: tuple[str, ...], *, unnamed: bool, keep: bool) -> Judged:
    numbers = pd.Series(values.to_numpy(np.float64, na_value=np.nan))
    numbers = numbers.where(np.isfinite(numbers))
    if not numbers.notna().any():
        return Judged(name, "", numbers, "no finite number")
    found = Judged(name, "number", numbers, odd=odd)
    if keep:
        return found
    unique = bool(numbers.notna().all()) and numbers.nunique() == len(numbers)
    whole = not np.mod(numbers.dropna(), 1).any()
    if is_row_number(numbers):
        return _without(found, "a row number")
    if unique and whole and (unnamed or _ROW_NAMES.fullmatch(name)):
        return _without(found, "row numbers of another table")
    if whole and numbers.nunique() > VALUES and numbers.nunique() > 0.9 * numbers.notna().sum() and _ID.fullmatch(name):
        return _without(found, "an id")
    return _constant(found, keep)


def _category(name: str, texts: pd.Series, *, keep: bool) -> Judged:
    return _constant(Judged(name, "category", texts, categories=tuple(sorted(texts.dropna().unique()))), keep)


def _ordered(name: str, values: pd.Series) -> Judged:
    return _constant(Judged(name, "ordered", as_texts(values), categories=tuple(map(str, values.cat.categories))), keep=False)


def _constant(found: Judged, keep: bool) -> Judged:
    single = found.values.notna().all() and found.values.nunique() == 1
    return _without(found, "constant") if single and not keep else found


def _without(found: Judged, reason: str) -> Judged:
    return replace(found, reason=reason)
