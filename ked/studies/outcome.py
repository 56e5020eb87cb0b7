"""What came out of a study: its cells and nets as tables, and its comparisons, paired, with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ked.statistics import ALPHA, CLAIMING, Interval, holm, interval, p_value, paired_difference, step_of
from ked.studies.cells import Cell
from ked.studies.ledger import Record
from ked.studies.study import BAYES_RULE, BEST, Comparison, Study

Side = tuple[str, str]
"""A level and a method."""

_NOTHING = Interval(float("nan"), float("nan"), float("nan"))
_AVERAGED = ("accuracy", "agreement", "answer")
_OF_A_CELL = ("modularity", "recovery", "seconds")

COLUMNS: dict[str, str] = {
    "level": "str", "teacher": "int", "net": "str", "seed": "int", "unit": "int", "accuracy": "float", "validation": "float",
    "agreement": "float", "answer": "float", "modularity": "float", "adjusted": "str", "recovery": "float", "seconds": "float",
    "run": "str", "key": "str",
}  # fmt: skip
"""The columns of a table of cells, and their types."""


@dataclass(frozen=True)
class Contrast:
    """Students of one side minus those of the other.

    Attributes:
        comparison: What it belongs to.
        ours, theirs: Level and method.
        difference: Mean and 95 % interval over the units, not corrected for the number of comparisons; accuracy as a share, 0 to 1,
            and no unit known better than to one test sample.
        units: How many teachers, or students of one teacher, were paired; less than `ked.statistics.CLAIMING` show nothing.
        p: Of the paired t-test that there is no difference.
        adjusted: The same after Holm's correction for all contrasts of the study; of several studies the largest
            (`ked.studies.verdicts`).
        also: The other studies in which the same nets are compared.
        decided_in: The one of them whose correction is the strictest; "" where it is the study's own.
    """

    comparison: Comparison
    ours: Side
    theirs: Side
    difference: Interval
    units: int
    p: float
    adjusted: float
    also: tuple[str, ...] = ()
    decided_in: str = ""

    @property
    def shown(self) -> int:
        """1 or -1 if a difference above or below zero is shown, also after Holm's correction; 0 if not, or of too few units."""
        return int(np.sign(self.difference.mean)) if self.adjusted < ALPHA and self.units >= CLAIMING else 0


def cell_table(cells: Sequence[Cell], records: Mapping[str, Record]) -> pd.DataFrame:
    """One row a net and seed of every finished cell: everything that the other tables are made of.

    Columns: level, teacher (its number), net, seed, unit (the teacher where there are several, else the seed), accuracy,
    validation, agreement and answer (with the explaining teacher),
    modularity, adjusted, recovery, seconds (of all seeds of the net together; about 0 from the stage cache), run, key.
    """
    rows = [row for cell in cells if cell.key in records for row in _rows(cell, records[cell.key])]
    return _with_units(pd.DataFrame(rows, columns=list(COLUMNS)), cells)


def completed(own: pd.DataFrame, others: pd.DataFrame, cells: Sequence[Cell]) -> pd.DataFrame:
    """A table of cells with rows from elsewhere for the cells that it lacks, in the order of the study.

    Args:
        own: Of `cell_table`.
        others: Of the same form; cells are known by their keys, and those that the study has not are left out.
        cells: The study's.
    """
    place = {cell.key: number for number, cell in enumerate(cells)}
    lacking = others[others["key"].isin(place) & ~others["key"].isin(own["key"])]
    both = pd.concat([own, lacking], ignore_index=True)
    both = both.loc[both["key"].map(place).sort_values(kind="stable").index].reset_index(drop=True)
    at = [cells[place[key]] for key in both["key"]]
    return _with_units(both.assign(level=[cell.level for cell in at], teacher=[cell.teacher for cell in at]), cells)


def _with_units(table: pd.DataFrame, cells: Sequence[Cell]) -> pd.DataFrame:
    several = any(cell.teacher for cell in cells)  # asked of all cells, as those that are finished may be of one teacher yet
    return table.assign(unit=table["teacher" if several else "seed"]).astype(COLUMNS)


def net_table(cells: pd.DataFrame) -> pd.DataFrame:
    """One row a level and net: mean, low and high of accuracy, agreement and answer over the units, and what the cells cost.

    Columns beside these: units, modularity and recovery (means over the teachers), adjusted, seconds (mean over the cells).
    """
    rows, of_units = [], {name: _units(cells, name) for name in _AVERAGED}
    teachers = cells.groupby(["level", "net", "teacher"], sort=False)[["adjusted", *_OF_A_CELL]].first()
    means = teachers[[*_OF_A_CELL]].astype(float).groupby(level=["level", "net"]).mean()
    for (level, net), adjusted in teachers["adjusted"].groupby(level=["level", "net"], sort=False):
        row: dict[str, Any] = {"level": level, "net": net, "units": len(of_units["accuracy"].get((level, net), {}))}
        for name, sides in of_units.items():
            values = interval(np.array([*sides[level, net].values()])) if (level, net) in sides else _NOTHING
            row |= {name: float(values.mean), f"{name}_low": float(values.low), f"{name}_high": float(values.high)}
        rows.append({**row, **means.loc[(level, net)], "adjusted": "; ".join(dict.fromkeys(filter(None, adjusted)))})
    return pd.DataFrame(rows)


def contrasts(study: Study, cells: pd.DataFrame, levels: Sequence[str]) -> list[Contrast]:
    """All comparisons of a study that its finished cells allow, with p values adjusted for their number.

    Args:
        study: The study.
        cells: Of `cell_table`.
        levels: The study's, in order.
    """
    found = [pair for comparison in study.comparisons for pair in _pairs(comparison, cells, levels)]
    of_units = {measure: _units(cells, measure) for measure in {comparison.measure for comparison in study.comparisons}}
    values = [_paired(of_units[comparison.measure], ours, theirs) for comparison, ours, theirs in found]
    steps = {level: step_of(part["accuracy"]) for level, part in cells[cells["net"] != BAYES_RULE].groupby("level")}
    there = [
        (pair, both, steps.get(pair[1][0], 0.0) if pair[0].measure == "accuracy" else 0.0)
        for pair, both in zip(found, values, strict=True)
        if both[0]
    ]
    p = [p_value(*both, step) for _, both, step in there]
    return [
        Contrast(*pair, paired_difference(*both, step), len(both[0]), raw, adjusted)
        for (pair, both, step), raw, adjusted in zip(there, p, holm(p), strict=True)
    ]


def contrast_table(found: Sequence[Contrast]) -> pd.DataFrame:
    """The contrasts as a table, one a row."""
    return pd.DataFrame([
        {
            "measure": contrast.comparison.measure, "level": contrast.ours[0], "method": contrast.ours[1],
            "against_level": contrast.theirs[0], "against": contrast.theirs[1], "units": contrast.units,
            "difference": float(contrast.difference.mean), "low": float(contrast.difference.low), "high": float(contrast.difference.high),
            "p": contrast.p, "p_holm": contrast.adjusted, "shown": contrast.shown, "also_in": ", ".join(contrast.also),
        }
        for contrast in found
    ])  # fmt: skip


def best_level(cells: pd.DataFrame, method: str) -> str | None:
    """The level at which the method's mean validation accuracy is the highest, the first of equals."""
    means = cells[cells["net"] == method].groupby("level", sort=False)["validation"].mean().dropna()
    return None if means.empty else str(means.idxmax())


def _rows(cell: Cell, record: Record) -> Iterator[dict[str, Any]]:
    for net, values in record.nets.items():
        for k, accuracy in enumerate(values["accuracy"]):
            one = {name: values[name][k] for name in ("validation", "agreement", "answer") if name in values}
            yield {
                "level": cell.level, "teacher": cell.teacher, "net": net, "seed": cell.recipe.seed + k, "accuracy": accuracy,
                "seconds": values["seconds"], "run": record.run, "key": cell.key,
                "modularity": record.groups.get("modularity"), "adjusted": record.groups.get("adjusted") or "",
                "recovery": record.groups.get("recovery"),
            } | one  # fmt: skip


def _pairs(comparison: Comparison, cells: pd.DataFrame, levels: Sequence[str]) -> Iterator[tuple[Comparison, Side, Side]]:
    """The two sides at every level at which a comparison is made."""
    named: Sequence[str | None] = comparison.levels or levels
    for level in (best_level(cells, comparison.method) if level == BEST else level for level in named):
        if level is not None:
            ours, theirs = (level, comparison.method), (comparison.against_level or level, comparison.against)
            if ours != theirs:
                yield comparison, ours, theirs


def _paired(sides: Mapping[Side, Mapping[int, float]], ours: Side, theirs: Side) -> tuple[list[float], list[float]]:
    """The values of both sides at the units that both have."""
    mine, other = sides.get(ours, {}), sides.get(theirs, {})
    both = [unit for unit in mine if unit in other]
    return [mine[unit] for unit in both], [other[unit] for unit in both]


def _units(cells: pd.DataFrame, name: str) -> dict[Side, dict[int, float]]:
    """Of each level and net a value a unit: of several teachers the mean over each one's students, of a single one each student's."""
    found: dict[Side, dict[int, float]] = {}
    for (level, net, unit), value in cells.groupby(["level", "net", "unit"])[name].mean().dropna().items():
        found.setdefault((level, net), {})[unit] = value
    return found
