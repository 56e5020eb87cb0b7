"""What each column of a table is: numbers, dates, categories, or nothing that a net could learn from."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ked.data import spelling
from ked.data.intake import dates, gaps
from ked.data.intake.layout import MISSING
from ked.data.intake.numbers import numbers

VALUES = 20  # different texts that a column may hold to be encoded
_NO_NUMBERS = 0.1  # of the texts in a column of numbers or dates that may be none
_SIGNS_OF_GAPS = 2  # different texts that may be more, in a column of many numbers: what stands for a gap there
_ROW_NAMES = re.compile(
    r"(?i)(row[ _.]?(names?|id|nr|no|number|num)?|index|idx|(lfd[. ]*)?nr\.?|no\.?|#|x"
    r"|obs|observation|sample|case|unnamed: [\d.]+|level_\d|\.\.\.\d+"
    r"|s[rl]?[. ]*no\.?|serial([ _.]?(no|nr|number)\.?)?)"
)
_ID = re.compile(r"(?i:(^|.*[\W_])(id|ids|uid|uuid|guid|key|index|rownames?))|.*[a-z]I[dD]|(?i:(patient|customer|user|sample|case)id)")
_FORMULA = re.compile(r'="([^"]*)"')  # keeps Excel from changing a value
_LONG = re.compile(r"[+-]?\d{16,}")
_TOO_LONG = "whole numbers that differ after their 15th digit, as those of ids do"
_ON = 0.8  # of the rows number on, in a column without a name where several tables were put together
_FREE_TEXT = 3  # words on average, from which on texts are free


@dataclass(frozen=True, eq=False)
class Judged:
    """A column and what it is.

    Attributes:
        kind: As `ked.data.columns.Column.kind`; "" for a column that nothing can be made of.
        values: Numbers with NaN for gaps, or texts with None.
        reason: Why it is left out; "" for a column that is used.
        categories: Of a category or an ordered column.
        odd: Some texts that are no numbers, or no dates.
        day_first: How its dates are written.
        read: One of its texts, and what it is read as, where that needs to be told.
        codes: Numbers that are taken for gaps.
        spellings: Of one of its words that is written in several ways.
    """

    name: str
    kind: str
    values: pd.Series
    reason: str = ""
    categories: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    day_first: bool = False
    read: tuple[str, str] | None = None
    codes: tuple[float, ...] = ()
    spellings: tuple[str, ...] = ()

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
        return _constant(Judged(name, "date", dates.days(values)), keep)
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
    texts = [None if value is None else str(value).strip() for value in present_or_none(values)]
    kept = [text if text is None or not (formula := _FORMULA.fullmatch(text)) else formula[1].strip() for text in texts]
    return pd.Series([None if text in MISSING else text for text in kept], values.index, dtype=object)


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
        number = _number(name, values.reindex(texts.index), odd, unnamed=unnamed, keep=keep)
        long = present[present.str.fullmatch(_LONG)]
        if not keep and long.nunique() > values.reindex(long.index).nunique():
            return _without(number, _TOO_LONG)
        return number if number.read else replace(number, read=example)
    told = present[~gaps.are_none(present)]
    if len(told) and (dated := dates.of_texts(told)) is not None and (others := _odd(told, dated[0])) is not None:
        days, day_first = dated
        found = Judged(name, "date", days.reindex(texts.index), odd=others, day_first=day_first, read=dates.latest(told, days))
        return _constant(found, keep)
    different = present.nunique() if keep else present.map(spelling.key).nunique()
    if different <= VALUES and not unnamed:
        return _category(name, texts, keep=keep)
    if len(told) and (others := _odd(told, hours := dates.of_clock(told))) is not None:
        late = hours.idxmax()
        clock = Judged(name, "number", hours.reindex(texts.index), odd=others, read=(told[late], f"{hours[late]:.6g} hours"))
        return _constant(clock, keep)
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
    told = present[~gaps.are_none(present)]
    if not len(told) or (read := numbers(told, mark)) is None:
        return None
    values, example = read
    named, odd = present[gaps.are_told(present)], told[values.isna()]
    signs = odd.str.casefold().nunique() <= _SIGNS_OF_GAPS and values.nunique() > VALUES
    if values.notna().sum() < 2 or not (signs or len(odd) <= _NO_NUMBERS * len(told)):
        return None
    return values, tuple(pd.concat([odd, named]).unique()[:3]), None if example is None else (example[0], f"{example[1]:.15g}")


def _odd(told: pd.Series, found: pd.Series) -> tuple[str, ...] | None:
    """Some of the texts for which nothing is found; None where they are too many for gaps."""
    odd = told[found.isna()]
    return tuple(odd.unique()[:3]) if len(odd) <= _NO_NUMBERS * len(told) else None


def _number(name: str, values: pd.Series, odd: tuple[str, ...], *, unnamed: bool, keep: bool) -> Judged:
    numbers = pd.Series(values.to_numpy(np.float64, na_value=np.nan))
    odd = (*odd, *(f"{value:g}" for value in numbers[np.isinf(numbers)].unique()))
    numbers = numbers.where(np.isfinite(numbers))
    if not numbers.notna().any():
        return Judged(name, "", numbers, "no finite number")
    found = Judged(name, "number", numbers, odd=odd)
    if keep:
        return found
    if codes := gaps.codes(numbers):
        numbers = numbers.where(~numbers.isin(codes))
        found = replace(found, values=numbers, codes=codes)
    if (days := dates.of_numbers(numbers)) is not None:
        written, day = f"{numbers.max():.0f}", float(days.max())
        return _constant(replace(found, kind="date", values=days, read=(written, dates.shown(day))), keep)
    unique = bool(numbers.notna().all()) and numbers.nunique() == len(numbers)
    whole = not np.mod(numbers.dropna(), 1).any()
    if is_row_number(numbers):
        return _without(found, "a row number")
    if unnamed and whole and (np.diff(numbers) == 1).mean() > _ON:
        return _without(found, "row numbers of several tables")
    if unique and whole and (unnamed or _ROW_NAMES.fullmatch(name)):
        return _without(found, "row numbers of another table")
    if whole and numbers.nunique() > VALUES and numbers.nunique() > 0.9 * numbers.notna().sum() and _ID.fullmatch(name):
        return _without(found, "an id")
    if pd.api.types.is_integer_dtype(values.dtype) and values.nunique() > numbers.nunique() + len(codes):
        return _without(found, _TOO_LONG)
    return _constant(found, keep)


def _category(name: str, texts: pd.Series, *, keep: bool) -> Judged:
    spelt, spellings = (texts, ()) if keep else spelling.unified(texts)
    found = Judged(name, "category", spelt, categories=tuple(sorted(spelt.dropna().unique())), spellings=spellings)
    return _constant(found, keep)


def _ordered(name: str, values: pd.Series) -> Judged:
    return _constant(Judged(name, "ordered", as_texts(values), categories=tuple(map(str, values.cat.categories))), keep=False)


def _constant(found: Judged, keep: bool) -> Judged:
    single = found.values.notna().all() and found.values.nunique() == 1
    return _without(found, "constant") if single and not keep else found


def _without(found: Judged, reason: str) -> Judged:
    return replace(found, reason=reason)
