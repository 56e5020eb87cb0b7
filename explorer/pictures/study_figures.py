"""The figures of a study, made from its report. No streamlit here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from explorer.pictures.levels import Scale
from explorer.pictures.study_charts import Line, along, in_rows
from explorer.pictures.study_differences import Difference, differences
from explorer.words import studies
from explorer.words.results import LABELS
from explorer.words.story import Point
from ked.studies.authors import beside
from ked.studies.cells import cells_of
from ked.studies.outcome import Contrast
from ked.studies.report import Report
from ked.studies.study import BAYES_RULE, Fields, Measured

QUIET = ("teacher", "explaining", BAYES_RULE)

SCALES: dict[Measured, Scale] = {
    "accuracy": Scale("test accuracy, %", 100.0, 1),
    "agreement": Scale("agreement with the explaining teacher (cosine)", 1.0, 2),
}
_AXES: dict[Measured, str] = {
    "accuracy": "difference in test accuracy, percentage points",
    "agreement": "difference in agreement with the explaining teacher (cosine)",
}


@dataclass(frozen=True)
class Axis:
    """Levels that are numbers.

    Attributes:
        title: What they are.
        place: A level's recipe fields -> the number; None for a level beyond the last one, or for one that has no place.
        row: The same -> which line it is on; "" for the only one.
        log: Whether the axis is logarithmic.
        last: What is written at the level beyond; "" where there is none.
    """

    title: str
    place: Callable[[Fields], float | None]
    row: Callable[[Fields], str] = lambda fields: ""
    log: bool = False
    last: str = ""


def _planted(fields: Fields) -> dict[str, str]:
    """The settings of a planted data set, from its name; of others none."""
    return dict(part.split("=", 1) for part in str(fields["dataset"]).partition(":")[2].split(",") if part)


AXES: dict[str, Axis] = {
    "m-sweep": Axis("superfeatures M", lambda fields: fields["superfeatures"], log=True),
    "chimera": Axis("training samples n", lambda fields: fields["train_size"], log=True, last="all"),
    "correlation": Axis(
        "correlation of planted features (dashed: across their groups)",
        lambda fields: float(_planted(fields)["correlation"]) if _planted(fields) else None,
        lambda fields: "across groups" if "across" in _planted(fields) else "within groups",
    ),
}


def forests(about: Report) -> dict[Measured, go.Figure]:
    """Measure -> the differences in it against zero."""
    found: dict[Measured, list[Contrast]] = {}
    for one in about.contrasts:
        found.setdefault(one.comparison.measure, []).append(one)
    several = len(about.study.levels(about.settings.scale)) > 1
    return {
        measure: differences([_difference(one, several=several) for one in members], _AXES[measure]) for measure, members in found.items()
    }


def story_figure(found: Sequence[Point]) -> go.Figure:
    """The same comparisons over several data sets, against zero."""
    rows = []
    for point in found:
        one = _difference(point.contrast, several=False)
        told = f"{point.about}<br>{one.told}"
        rows.append(replace(one, heading=point.question, level=point.place, told=told, key=point.place))
    return differences(rows, _AXES["accuracy"])


def by_level(about: Report, measure: Measured) -> go.Figure | None:
    """Accuracy or agreement at each level and of each net, with the authors' numbers where theirs is the same; None without any."""
    values = _values(about.cells, measure)
    if not values:
        return None
    theirs = authors(about) if measure == "accuracy" else {}
    axis = AXES.get(about.study.name)
    if axis is None or {*values} - {*_places(about, axis)}:
        return in_rows(values, SCALES[measure], labels=LABELS, quiet=QUIET, marks=theirs)
    places = _places(about, axis)
    of_net = {net: {level: nets.get(net) for level, nets in values.items()} for net in _nets(values)}
    lines = [line for net, found in of_net.items() for line in _lines(about, axis, places, net, found)]
    marks: dict[str, dict[float, float]] = {}
    for (level, net), value in theirs.items():
        marks.setdefault(net, {})[places[level]] = value
    return along(lines, _ticks(places, axis), axis.title, SCALES[measure], log=axis.log, marks=marks)


def of_groups(about: Report, column: str, title: str, bounds: tuple[float, float] = (-np.inf, np.inf)) -> go.Figure | None:
    """What belongs to a level's superfeatures and to no net, over an axis of numbers; None where it is of no interest."""
    axis = AXES.get(about.study.name)
    first = about.cells.drop_duplicates(["level", "teacher"]).dropna(subset=[column])
    if axis is None or first.empty:
        return None
    values = {str(level): part[column].to_numpy() for level, part in first.groupby("level", sort=False)}
    places = _places(about, axis)
    lines = _lines(about, axis, places, "explaining", dict(values), name=title)
    scale = Scale(title, 1.0, 2, *bounds)
    return along(lines, _ticks(places, axis), axis.title, scale, log=axis.log, height=300)


def authors(about: Report) -> dict[tuple[str, str], float]:
    """(level, net) -> test accuracy that the authors' code gave, of nets trained as theirs were."""
    there = {*zip(about.cells["level"], about.cells["net"], strict=True)}
    cells = {cell.level: cell for cell in cells_of(about.study, about.settings) if not cell.teacher}
    found = {(level, net): value for level, cell in cells.items() for net, value in beside(cell).items()}
    return {who: value for who, value in found.items() if who in there}


def _difference(one: Contrast, *, several: bool) -> Difference:
    measure, found = one.comparison.measure, one.difference
    factor = studies.FACTORS[measure]
    apart = one.ours[0] != one.theirs[0]
    heading = f"{LABELS[one.ours[1]]} − {studies.side(one.theirs, level=apart)}"
    told = f"{studies.pair(one)}{'' if apart or not several else f', {one.ours[0]}'}<br>{studies.signed(found.mean, measure)}"
    decided = f" in study {one.decided_in}" * bool(one.decided_in)
    sure = f", Holm's p = {one.adjusted:.2g}{decided}" if one.adjusted == one.adjusted else ""
    told += f" {studies.between(found, measure)}<br>{one.units} pairs{sure}: {studies.VERDICTS[one.shown]}"
    mean, low, high = (factor * float(value) for value in found)
    text = studies.signed(found.mean, measure)
    return Difference(heading, one.ours[0] if several else "", one.ours[1], mean, low, high, text, told, one.shown, one.ours[0])


def _values(cells: pd.DataFrame, measure: Measured) -> dict[str, dict[str, np.ndarray]]:
    """Level -> net -> one value a unit; of several teachers with as many students each a row a teacher, (T, S)."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for (level, net), part in cells.dropna(subset=[measure]).groupby(["level", "net"], sort=False):
        students = [values.to_numpy() for _, values in part.groupby("unit")[measure]]
        alike = len({len(values) for values in students}) == 1 and len(students[0]) > 1
        found.setdefault(str(level), {})[str(net)] = np.stack(students) if alike else np.array([values.mean() for values in students])
    return found


def _nets(values: Mapping[str, Mapping[str, np.ndarray]]) -> list[str]:
    return list(dict.fromkeys(net for nets in values.values() for net in nets))


def _places(about: Report, axis: Axis) -> dict[str, float]:
    """Level -> place on the axis."""
    found = {level: axis.place(fields) for level, fields in about.study.levels(about.settings.scale).items()}
    numbers = {level: number for level, number in found.items() if number is not None}
    beyond = 2 * max(numbers.values())
    return numbers | ({level: beyond for level in found if level not in numbers} if axis.last else {})


def _ticks(places: Mapping[str, float], axis: Axis) -> dict[float, str]:
    end = max(places.values())
    return {place: axis.last if axis.last and place == end else f"{place:,.6g}".replace(",", " ") for place in sorted({*places.values()})}


def _lines(
    about: Report, axis: Axis, places: Mapping[str, float], net: str, values: Mapping[str, np.ndarray | None], name: str = ""
) -> list[Line]:
    """A net's values, a line for each row of the axis."""
    rows: dict[str, list[str]] = {}
    for level, fields in about.study.levels(about.settings.scale).items():
        if level in places and values.get(level) is not None:
            rows.setdefault(axis.row(fields), []).append(level)
    quiet = net in QUIET and not name
    return [
        Line(
            net, ", ".join(filter(None, (name or LABELS[net], row))), {places[level]: _there(values[level]) for level in levels}, levels,
            legend="" if number else name or LABELS[net], dash="dot" if quiet else "solid" if number == 0 else "dash", quiet=quiet,
        )
        for number, (row, levels) in enumerate(_solid_first(rows))
    ]  # fmt: skip


def _solid_first(rows: Mapping[str, list[str]]) -> Sequence[tuple[str, list[str]]]:
    return sorted(rows.items(), key=lambda item: -len(item[1]))


def _there(values: np.ndarray | None) -> np.ndarray:
    assert values is not None
    return values
