"""Columns become features, and features columns again: scikit-learn's imputer and encoders, for whole tables and for single rows alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from ked.data import spelling
from ked.data.columns import Column, number_in
from ked.data.intake import dates
from ked.data.intake.kinds import Judged
from ked.data.intake.layout import MISSING
from ked.errors import InvalidInput, quoted, shortened

GAP = "missing"
_huge = partial(np.errstate, over="ignore", invalid="ignore")  # the largest numbers have sums beyond all numbers, which nobody uses


class Encoding:
    """What was learned from a table's columns, to make features of them: D of N rows.

    Args:
        columns: Those that are used, in their order.
        train: Rows whose median fills gaps.
        telling: Names of columns that give the class away.
    """

    def __init__(self, columns: Sequence[Judged], train: np.ndarray, telling: frozenset[str] = frozenset()) -> None:
        self.columns: tuple[Column, ...] = ()
        self.features: tuple[str, ...] = ()
        self._steps: list[SimpleImputer | OneHotEncoder | OrdinalEncoder] = []
        self._day_first = {column.name: column.day_first for column in columns}
        for judged in columns:
            self._add(judged, train, judged.name in telling)
        self.width = len(self.features)

    def _add(self, judged: Judged, train: np.ndarray, telling: bool) -> None:
        gaps, start = int(judged.values.isna().sum()), len(self.features)
        values = judged.categories
        if judged.kind == "category":
            values += (_gap_among(values),) if gaps else ()
            self._steps.append(OneHotEncoder(categories=[list(values)], sparse_output=False).fit(np.array([[values[0]]], object)))
            self.features += tuple(f"{judged.name} = {value}" for value in values)
        else:
            numbers = _column(judged.values, judged)
            known = numbers[train] if np.isfinite(numbers[train]).any() else numbers
            with _huge():
                self._steps.append(SimpleImputer(strategy="median").fit(known))
            self.features += (judged.name, *((f"{judged.name} {GAP}",) if gaps else ()))
        width = len(self.features) - start
        self.columns += (
            Column(
                judged.name, judged.kind, start, width, values, gaps, judged.odd, telling, judged.read, judged.codes, judged.spellings
            ),
        )  # fmt: skip

    def table(self, columns: Sequence[Judged]) -> np.ndarray:
        """(N, D) float64 of the columns that this was learned from."""
        return np.hstack([self._features(i, judged.values) for i, judged in enumerate(columns)])

    def _features(self, i: int, values: pd.Series) -> np.ndarray:
        column, step = self.columns[i], self._steps[i]
        if column.kind == "category":
            texts = values.where(values.notna(), column.values[-1]).to_numpy(object)
            one_hot: np.ndarray = step.transform(texts[:, None])
            return one_hot
        numbers = _column(values, column)
        with _huge():
            filled: np.ndarray = step.transform(numbers)
        return np.hstack([filled, np.isnan(numbers)]) if column.gaps else filled

    def encode(self, row: Mapping[str, str]) -> np.ndarray:
        """(D,) of texts; see `ked.data.columns.Intake.encode`."""
        return np.hstack([self._features(i, self._typed(column, row.get(column.name, "")))[0] for i, column in enumerate(self.columns)])

    def _typed(self, column: Column, text: str) -> pd.Series:
        """A text that somebody typed in, as a value of its column."""
        text = text.strip()
        if text in MISSING and text not in column.values:
            if not column.gaps:
                raise InvalidInput(f"The column {quoted(column.name)} needs a value: no row of the table is without.")
            return pd.Series([None if column.values else np.nan], dtype=object if column.values else float)
        if column.values:
            same = [value for value in column.values if spelling.key(value) == spelling.key(text)]
            text = same[0] if len(same) == 1 else text
            if text not in column.values:
                allowed = shortened(", ".join(column.values), 120)
                raise InvalidInput(f"The column {quoted(column.name)} holds no {quoted(text)}; choose one of {allowed}.")
            return pd.Series([text], dtype=object)
        if column.kind == "date":
            return pd.Series([_date(column, text, self._day_first[column.name])])
        number = number_in(column, text)
        return pd.Series([np.nan if number in column.codes else number])

    def decode(self, features: np.ndarray) -> dict[str, str]:
        """Column name -> text; see `ked.data.columns.Intake.decode`."""
        return {column.name: _decoded(column, features[list(column.features)]) for column in self.columns}


def _gap_among(values: tuple[str, ...]) -> str:
    """What a gap is called among values, of which none may have the name."""
    name = GAP
    while name in values:
        name = f"({name})"
    return name


def _column(values: pd.Series, column: Judged | Column) -> np.ndarray:
    """(n, 1) numbers; of an ordered column the places of its values."""
    if column.kind == "ordered":
        order = column.categories if isinstance(column, Judged) else column.values
        encoder = OrdinalEncoder(categories=[list(order)], handle_unknown="use_encoded_value", unknown_value=np.nan)
        places: np.ndarray = encoder.fit(np.array([[order[0]]], object)).transform(values.to_numpy(object)[:, None])
        return places
    numbers: np.ndarray = values.to_numpy(np.float64)[:, None]
    return numbers


def _date(column: Column, text: str, day_first: bool) -> float:
    found = float(dates.parsed(pd.Series([text], dtype=object), day_first=day_first).iloc[0])
    if not np.isfinite(found):
        raise InvalidInput(f"The column {quoted(column.name)} holds dates, and {quoted(text)} is none; write it as 2026-01-31.")
    return found


def _decoded(column: Column, features: np.ndarray) -> str:
    if column.kind == "category":
        value = column.values[int(features.argmax())]
        return "" if column.gaps and value == column.values[-1] else value
    if column.gaps and features[1] > 0.5:
        return ""
    if column.kind == "ordered":
        return column.values[int(np.clip(np.rint(features[0]), 0, len(column.values) - 1))]
    if column.kind == "date":
        moment = pd.Timestamp("1970-01-01") + pd.Timedelta(days=float(features[0])).round("s")
        return str(moment.date()) if moment == moment.normalize() else str(moment)
    return repr(float(features[0]))
