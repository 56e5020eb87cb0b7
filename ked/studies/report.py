"""Everything that is known of a study at one setting, from what is stored: nothing is computed here but tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from ked.studies import ledger, words
from ked.studies.cells import Settings, cells_of
from ked.studies.outcome import Contrast, cell_table, contrast_table, contrasts, net_table
from ked.studies.study import Study


@dataclass(frozen=True)
class Report:
    """A study's outcome.

    Attributes:
        study, settings: What was asked for.
        cells: One row a net and seed (`ked.studies.outcome.cell_table`).
        table: One row a level and net (`net_table`).
        contrasts: The comparisons that the finished cells allow.
        missing: Levels with a cell that is not stored.
    """

    study: Study
    settings: Settings
    cells: pd.DataFrame
    table: pd.DataFrame
    contrasts: list[Contrast]
    missing: tuple[str, ...]

    @cached_property
    def contrast_table(self) -> pd.DataFrame:
        """The contrasts, one a row."""
        return contrast_table(self.contrasts)

    @property
    def answer(self) -> str:
        """One sentence, made of the numbers."""
        return words.answer(self.contrasts, self.recovery)

    @property
    def recovery(self) -> dict[str, float]:
        """Level -> adjusted Rand index of the superfeatures with the planted groups, mean over the teachers."""
        first = self.cells.drop_duplicates(["level", "teacher"]).dropna(subset=["recovery"])
        return {str(level): float(value) for level, value in first.groupby("level", sort=False)["recovery"].mean().items()}

    @property
    def note(self) -> str:
        """On what that sentence rests."""
        return words.note(self.contrasts, self.settings.teachers)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values; what a net does not have is null."""
        tables = {"cells": self.cells, "table": self.table, "contrasts": self.contrast_table}
        return {
            "study": self.study.name, "question": self.study.question, "answer": self.answer, "note": self.note,
            "comparisons": len(self.contrasts), "missing": list(self.missing),
            **{name: json.loads(table.to_json(orient="records", double_precision=15)) for name, table in tables.items()},
        }  # fmt: skip


def report(study: Study, settings: Settings) -> Report:
    """A study's outcome so far.

    Raises:
        InvalidInput: A setting is wrong.
    """
    cells, records = cells_of(study, settings), ledger.read(study.name)
    rows = cell_table(cells, records)
    missing = dict.fromkeys(cell.level for cell in cells if cell.key not in records)
    found = contrasts(study, rows, list(study.levels(settings.scale)))
    return Report(study, settings, rows, net_table(rows), found, tuple(missing))
