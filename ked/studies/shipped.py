"""The results that come with the program: `results/<scale>/<study>/cells.csv`, as `python -m ked study NAME -o FOLDER` writes them."""

from __future__ import annotations

import functools
from pathlib import Path

import pandas as pd

from ked.errors import Unavailable
from ked.files.shipped import shipped
from ked.studies.cells import Settings
from ked.studies.outcome import COLUMNS

RESULTS = shipped("ked/results", "results")

_NUMBERS = [name for name, kind in COLUMNS.items() if kind == "float"]


def file_of(study: str, scale: str) -> Path:
    """Where the raw cells of a study would be."""
    return RESULTS / scale / study / "cells.csv"


def rows_of(study: str, scale: str) -> pd.DataFrame:
    """The cells of a study that come with the program, as `ked.studies.outcome.cell_table` has them; none where it comes without.

    The table is everybody's: take from it, change nothing in it.

    Raises:
        Unavailable: The file is damaged.
    """
    path = file_of(study, scale)
    return _read(path, path.stat().st_mtime_ns) if path.is_file() else pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)


@functools.lru_cache(maxsize=64)
def _read(path: Path, changed: int) -> pd.DataFrame:
    return read(path)


def settings_of(study: str, scale: str) -> Settings:
    """With how many teachers and students a study's shipped cells were made; the usual where there are none.

    Raises:
        Unavailable: The file is damaged.
    """
    rows = rows_of(study, scale)
    if rows.empty:
        return Settings(scale)
    students = rows.groupby(["level", "net", "teacher"])["seed"].nunique()
    return Settings(scale, seeds=int(students.max()), teachers=int(rows["teacher"].max()) + 1)


def read(path: Path) -> pd.DataFrame:
    """Cells that were written as CSV, number for number as they were.

    Raises:
        Unavailable: The file is not there, or holds something else.
    """
    try:
        missing = {name: [""] for name in _NUMBERS}
        table = pd.read_csv(path, dtype=COLUMNS, keep_default_na=False, na_values=missing)
        return table[list(COLUMNS)]
    except (OSError, ValueError, KeyError) as error:  # pandas refuses a damaged file with several kinds of ValueError
        raise Unavailable(f"the results in {path} cannot be read; get the file anew, or start the study to compute them.") from error
