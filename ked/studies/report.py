"""Everything that is known of a study at one setting, from what is stored: nothing is computed here but tables."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from ked.showing import figure
from ked.studies import ledger, shipped, words
from ked.studies.cells import Cell, Settings, cells_of
from ked.studies.outcome import Contrast, cell_table, completed, contrast_table, contrasts, net_table
from ked.studies.study import BAYES_RULE, Study
from ked.studies.verdicts import Rows, unified


@dataclass(frozen=True)
class Report:
    """A study's outcome.

    Attributes:
        study, settings: What was asked for.
        cells: One row a net and seed (`ked.studies.outcome.cell_table`).
        table: One row a level and net (`net_table`).
        contrasts: The comparisons that the finished cells allow.
        missing: Levels with a cell that is not stored.
        shipped: Levels with a cell that was not computed here but came with the program.
    """

    study: Study
    settings: Settings
    cells: pd.DataFrame
    table: pd.DataFrame
    contrasts: list[Contrast]
    missing: tuple[str, ...]
    shipped: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """The contrasts, one a row (`contrast_table`)."""
        return self.contrast_table

    def plot(self, measure: str = "accuracy") -> Any:
        """The app's figure (plotly) of the differences in a measure against zero, with their intervals."""
        return figure("study", self, measure)

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.answer)}</p>{self.contrast_table.to_html(index=False)}"

    @cached_property
    def contrast_table(self) -> pd.DataFrame:
        """The contrasts, one a row."""
        return contrast_table(self.contrasts)

    @property
    def answer(self) -> str:
        """One sentence, made of the numbers."""
        return words.answer(self.contrasts, self.recovery, self.bayes_rule, self.headroom)

    @property
    def findings(self) -> list[tuple[bool, str]]:
        """A short sentence for each comparison, and whether it shows anything (`ked.studies.words.findings`)."""
        return words.findings(self.contrasts)

    @property
    def truths(self) -> str:
        """What is known of the data: how far true groups are found, and what the Bayes rule reaches; "" where nobody knows."""
        return words.truths(self.recovery, self.bayes_rule, self.headroom)

    @property
    def recovery(self) -> dict[str, float]:
        """Level -> adjusted Rand index of the superfeatures with the planted groups, mean over the teachers."""
        first = self.cells.drop_duplicates(["level", "teacher"]).dropna(subset=["recovery"])
        return {str(level): float(value) for level, value in first.groupby("level", sort=False)["recovery"].mean().items()}

    @property
    def bayes_rule(self) -> dict[str, float]:
        """Level -> test accuracy of the Bayes rule, mean over the teachers, where the true distribution is known and asked for."""
        rows = self.cells[self.cells["net"] == BAYES_RULE]
        return {str(level): float(value) for level, value in rows.groupby("level", sort=False)["accuracy"].mean().items()}

    @property
    def headroom(self) -> dict[str, float]:
        """Level -> by how much the Bayes rule's test accuracy is above that of KD students, means over the teachers.

        With P(y | x) known, no classifier has a larger expected accuracy than E max_c P(c | x), so that for any student s of any teacher
        acc(s) - acc(KD) <= acc(Bayes rule) - acc(KD) in expectation over test samples of that distribution; on a finite test set both are
        estimates. It bounds accuracy alone: not agreement, and not what fewer training samples would do.
        """
        kd = self.table[self.table["net"] == "kd"].set_index("level")["accuracy"] if len(self.table) else {}
        return {level: value - float(kd[level]) for level, value in self.bayes_rule.items() if level in kd}

    @property
    def note(self) -> str:
        """On what that sentence rests."""
        return words.note(self.contrasts, self.settings.teachers)

    def as_json(self) -> dict[str, Any]:
        """The same as plain values; what a net does not have is null."""
        tables = {"cells": self.cells, "table": self.table, "contrasts": self.contrast_table}
        return {
            "study": self.study.name, "question": self.study.question, "answer": self.answer, "note": self.note,
            "comparisons": len(self.contrasts), "missing": list(self.missing), "shipped": list(self.shipped),
            **{name: json.loads(table.to_json(orient="records", double_precision=15)) for name, table in tables.items()},
        }  # fmt: skip


def report(study: Study, settings: Settings) -> Report:
    """A study's outcome so far, from the cells that were computed here.

    Raises:
        InvalidInput: A setting is wrong.
    """

    def rows(one: Study, cells: tuple[Cell, ...]) -> pd.DataFrame:
        return cell_table(cells, ledger.read(one.name))

    return _made(study, settings, rows)


def report_with_shipped(study: Study, settings: Settings) -> Report:
    """The same with the results that come with the program in place of cells that were not computed here.

    Raises:
        InvalidInput: A setting is wrong.
        Unavailable: The shipped results are damaged.
    """
    own = {*ledger.read(study.name)}

    def rows(one: Study, cells: tuple[Cell, ...]) -> pd.DataFrame:
        return completed(cell_table(cells, ledger.read(one.name)), shipped.rows_of(one.name, settings.scale), cells)

    return _made(study, settings, rows, lambda cell: cell.key not in own)


def shipped_report(study: Study, scale: str) -> Report:
    """The outcome that comes with the program, whatever was computed here, of as many teachers and students as there are of it.

    Raises:
        Unavailable: The shipped results are damaged.
    """

    def rows(one: Study, cells: tuple[Cell, ...]) -> pd.DataFrame:
        return completed(cell_table((), {}), shipped.rows_of(one.name, scale), cells)

    return _made(study, shipped.settings_of(study.name, scale), rows, lambda cell: True)


def _made(study: Study, settings: Settings, source: Rows, elsewhere: Callable[[Cell], bool] = lambda cell: False) -> Report:
    """The report of what a source has; `elsewhere`: which of its cells were not computed here."""
    cells = cells_of(study, settings)
    rows = source(study, cells)
    there = {*rows["key"]}
    missing = dict.fromkeys(cell.level for cell in cells if cell.key not in there)
    brought = dict.fromkeys(cell.level for cell in cells if cell.key in there and elsewhere(cell))
    found = unified(study, settings, contrasts(study, rows, list(study.levels(settings.scale))), source)
    return Report(study, settings, rows, net_table(rows), found, tuple(missing), tuple(brought))
