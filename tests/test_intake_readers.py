"""Whatever a table holds: no traceback, no row or column that is lost without a word, and every value comes back."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ked import data
from ked.errors import InvalidInput

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = st.text("abcxyzäß .'", min_size=1, max_size=6).map(lambda word: f"w{word.strip()}")
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda number: round(number, 3))


NO = ["no", "yes"] * 6


@st.composite
def columns(draw: st.DrawFn, rows: int) -> list[object]:
    """A column of numbers or of a few words, with gaps or without."""
    if draw(st.booleans()):
        values: list[object] = list(draw(st.lists(NUMBERS, min_size=rows, max_size=rows)))
    else:
        words = draw(st.lists(WORDS, min_size=1, max_size=4, unique=True))
        values = [draw(st.sampled_from(words)) for _ in range(rows)]
    for gap in draw(st.lists(st.integers(0, rows - 1), max_size=3)):
        values[gap] = None
    return values


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(12, 30))
    letters = st.text("abcdefg ,;=", min_size=1, max_size=8)
    names = draw(
        st.lists(
            letters.map(lambda name: f"n{name}".strip()),
            min_size=1,
            max_size=5,
            unique=True,
        )
    )
    frame = pd.DataFrame({name: pd.Series(draw(columns(rows)), dtype=object) for name in names})
    return frame.assign(label=[("no", "yes")[row % 2] for row in range(rows)])


def _told(frame: pd.DataFrame, found: data.Dataset) -> None:
    """Columns and rows in are columns and rows used, and those left out and named."""
    report = found.intake
    assert report is not None
    named = [column.name for column in report.columns] + [one.name for one in report.left_out] + [report.label]
    assert sorted(named) == sorted(frame.columns)
    assert report.rows == len(found.x) == len(frame) - sum(report.rows_left_out.values())


@QUICK
@given(frame=tables(), separator=st.sampled_from(",;\t|"), encoding=st.sampled_from(["utf-8", "utf-16", "cp1252"]))
@example(frame=pd.DataFrame({"n;": ["wa"] * 12, "n,;": NO, "label": NO}), separator=",", encoding="utf-8")
def test_a_table_that_is_written_encoded_and_shown_gives_its_own_values_back(
    tmp_path: Path, frame: pd.DataFrame, separator: str, encoding: str
) -> None:
    frame.to_csv(tmp_path / "t.csv", index=False, sep=separator, encoding=encoding)
    try:
        found = data.load(str(tmp_path / "t.csv"), "label")
    except InvalidInput as refusal:
        if "none of its columns can be used" not in str(refusal):
            raise
        return
    _told(frame, found)
    units = found.original(torch.arange(len(frame))).numpy()
    for row in range(len(frame)):
        shown = found.intake.decode(units[row])
        for column in found.intake.columns:
            value = frame[column.name][row]
            if pd.isna(value):
                assert shown[column.name] == ""
            elif column.values:
                assert shown[column.name] == value.strip()
            else:
                spread = np.ptp(frame[column.name].dropna().astype(float)) or abs(value)
                assert float(shown[column.name]) == pytest.approx(value, abs=1e-5 * spread + 1e-9)
    first = {name: "" if pd.isna(value) else str(value) for name, value in frame.iloc[0].items()}
    assert torch.allclose(found.scaled(found.intake.encode(first)), found.x[0], atol=1e-4)


ODD = ["NA", "2024-01-01", "1,5", "TRUE", ""]
CELLS = st.one_of(
    st.text("ab1,.;'\"\t |#-", max_size=5),
    st.integers(-9, 9).map(str),
    st.sampled_from(ODD),
)
LINES = st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=14)


@QUICK
@given(lines=LINES, separator=st.sampled_from([",", ";", "\t", " ", ", "]), end=st.sampled_from(["\n", "\r\n", "\r"]))
@example(lines=[["#"], ["1"]], separator=",", end="\n")
def test_lines_of_anything_are_a_table_or_one_sentence(
    tmp_path: Path, lines: list[list[str]], separator: str, end: str
) -> None:
    text = end.join(separator.join(line) for line in lines)
    _table_or_sentence(tmp_path / "t.csv", text.encode())


@QUICK
@given(content=st.binary(min_size=1, max_size=300), ending=st.sampled_from(["csv", "tsv", "csv.gz", "xlsx", "parquet"]))
def test_bytes_of_anything_are_a_table_or_one_sentence(tmp_path: Path, content: bytes, ending: str) -> None:
    _table_or_sentence(tmp_path / f"t.{ending}", content)


@pytest.mark.parametrize("ending", ["xlsx", "parquet", "csv.gz"])
def test_a_damaged_file_is_one_sentence(ending: str, tmp_path: Path) -> None:
    packed, frame = io.BytesIO(), pd.DataFrame({"a": range(40), "label": ["x", "y"] * 20})
    if ending == "csv.gz":
        frame.to_csv(packed, index=False, compression="gzip")
    else:
        (frame.to_excel if ending == "xlsx" else frame.to_parquet)(packed, index=False)
    whole = packed.getvalue()
    for content in (whole[: len(whole) // 2], whole[:60] + b"\0" * 40 + whole[100:], whole[:-8]):
        _table_or_sentence(tmp_path / f"t.{ending}", content)


def _table_or_sentence(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        found = data.load(str(path))
    except InvalidInput as refusal:
        said = str(refusal)
        assert said.endswith(".")
        assert said.isprintable()
        assert len(said) < 400
    else:
        assert found.intake is not None
