"""What came out of a study: values over the levels of its axis. Plain arrays in, plotly figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme
from explorer.pictures.curves import band
from explorer.pictures.levels import Scale
from explorer.words.numbers import plus_minus

Values = np.ndarray

_BESIDE = 5  # pixels between a row and its units
_LEGEND = {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom"}
AUTHORS = "the authors' code, one run"


@dataclass(frozen=True)
class Line:
    """Values along an axis.

    Attributes:
        net: Whose colour it has.
        name: As in the tooltip; legend: as in the legend, "" for a line that is told by its dashes.
        at: Place on the axis -> (K,) values, one a unit, or (T, S) of S students of T teachers, who are the units.
        keys: What a click on each place reports.
        dash: How it is broken.
        quiet: Whether it is only there to compare with: no dots and no intervals.
    """

    net: str
    name: str
    at: Mapping[float, Values]
    keys: Sequence[str]
    legend: str = ""
    dash: str = "solid"
    quiet: bool = False


def along(
    lines: Sequence[Line],
    ticks: Mapping[float, str],
    title: str,
    scale: Scale,
    *,
    log: bool = False,
    marks: Mapping[str, Mapping[float, float]] | None = None,
    height: int = 380,
) -> go.Figure:
    """Values over an axis of numbers: faint dots for units, a line through the means with 95 % intervals.

    `ticks`: place -> what is written there. `marks`: net -> place -> what somebody else found, drawn as a cross.
    """
    drawing = theme.figure(height, margin={"l": 8, "r": 8, "t": 40 if len(lines) > 1 else 12, "b": 8})
    dodged = [line for line in lines if not line.quiet]
    for line in lines:
        shift = 0.0 if line.quiet else dodged.index(line) - (len(dodged) - 1) / 2
        _line(drawing, line, [_moved(x, shift, ticks, log=log) for x in line.at], scale)
    for net, found in (marks or {}).items():
        places, values = list(found), [scale.factor * value for value in found.values()]
        _crosses(drawing, net, places, values, scale)
    drawing.update_xaxes(title_text=title, type="log" if log else "linear", tickvals=list(ticks), ticktext=list(ticks.values()))
    bounds = [scale.factor * end for end in (scale.low, scale.high)]
    drawing.update_yaxes(title_text=scale.title, nticks=6, range=bounds if np.isfinite(bounds).all() else None)
    drawing.update_layout(showlegend=sum(bool(line.legend) for line in lines) > 1, legend=_LEGEND)
    return drawing


def _moved(x: float, shift: float, ticks: Mapping[float, str], *, log: bool) -> float:
    """A place a little aside, so that intervals of several lines stand side by side."""
    if log:
        return float(x * 1.02**shift)
    return float(x + 0.006 * shift * (max(ticks) - min(ticks)))


def _line(drawing: go.Figure, line: Line, x: Sequence[float], scale: Scale) -> None:
    colour = theme.method_colour(line.net)
    every = [scale.factor * np.asarray(values, dtype=float) for values in line.at.values()]
    found = [units(values) for values in every]
    means = [float(values.mean()) for values in found]
    hover = f"{line.name}: %{{y:.{scale.decimals + 1}f}}"
    look = {"color": colour, "width": 1.3 if line.quiet else 2.2, "dash": line.dash}
    if line.quiet:
        drawing.add_scatter(x=x, y=means, mode="lines", line=look, hovertemplate=f"{hover}<extra></extra>", **_known(line))
        return
    for kind, of_kind in _spreads(every).items():
        counts = [values.size for values in of_kind]
        drawing.add_scatter(
            x=np.repeat(x, counts), y=np.concatenate([values.ravel() for values in of_kind]) if of_kind else [], mode="markers",
            name=f"{line.name}, {kind}s", showlegend=False, marker={"color": colour, **_DOTS[kind]},
            customdata=np.repeat(line.keys, counts),
            hovertemplate=f"{line.name}, one {kind}: %{{y:.{scale.decimals + 1}f}}<extra></extra>",
        )  # fmt: skip
    half = [float(band(values)[2] - values.mean()) for values in found]
    drawing.add_scatter(
        x=x, y=means, mode="lines+markers", line=look, marker={"size": 8, "color": colour, "symbol": theme.method_symbol(line.net)},
        **_known(line),
        error_y={"array": half, "color": colour, "thickness": 1.5, "width": 4}, customdata=list(line.keys),
        text=[plus_minus(h, scale.decimals + 1) for h in half],
        hovertemplate=f"%{{customdata}}<br>{hover}%{{text}}<extra></extra>",
    )  # fmt: skip


_DOTS: dict[str, dict[str, float]] = {
    "seed": {"size": 6, "opacity": 0.35}, "teacher": {"size": 7, "opacity": 0.5}, "student": {"size": 3, "opacity": 0.4},
}  # fmt: skip
"""How the dots look of a unit, of a teacher who is one, and of the teacher's students."""


def units(values: Values) -> Values:
    """One value a unit: of (T, S) values the teachers' means over their students."""
    values = np.asarray(values, dtype=float)
    return values.mean(axis=1) if values.ndim == 2 else values


def _spreads(every: Sequence[Values]) -> dict[str, list[Values]]:
    """Whose dots there are: the seeds', or the students' and above them the teachers'."""
    if any(values.ndim == 2 for values in every):
        return {"student": list(every), "teacher": [units(values) for values in every]}
    return {"seed": list(every)}


def _known(line: Line) -> dict[str, Any]:
    """A line's place in the legend; what belongs to one net comes and goes together."""
    return {"name": line.legend or line.name, "showlegend": bool(line.legend), "legendgroup": line.net}


def _crosses(drawing: go.Figure, net: str, x: Sequence[float], y: Sequence[float], scale: Scale, label: str = "") -> None:
    drawing.add_scatter(
        x=x, y=y, mode="markers", name=f"{label or net}, {AUTHORS}", showlegend=False,
        marker={"symbol": "x-thin", "size": 10, "line": {"color": theme.method_colour(net), "width": 2.5}},
        hovertemplate=f"{label or net}, {AUTHORS}: %{{{'x' if label else 'y'}:.{scale.decimals + 1}f}}<extra></extra>",
    )  # fmt: skip


def in_rows(
    groups: Mapping[str, Mapping[str, Values]],
    scale: Scale,
    *,
    labels: Mapping[str, str],
    quiet: Sequence[str] = (),
    marks: Mapping[tuple[str, str], float] | None = None,
) -> go.Figure:
    """Values at levels that are no numbers: a row a level and net, with faint dots for units, the mean and its 95 % interval.

    `groups`: level -> net -> (K,). `quiet`: nets that share one row in each level, as ticks, to compare with. `marks`: level and net
    -> what somebody else found, drawn as a cross. Nets are told by their signs where a level's nets differ in it; else, and where there is
    one level, each row is named by its net.
    """
    rows, ticks, depth = _rows(groups, labels, quiet)
    told = {level for level, nets in groups.items() if _told_by_sign(groups, nets)}
    head = 44 if told else 8  # a legend
    drawing = theme.figure(round(depth) + 48 + head, margin={"l": 8, "r": 92, "t": head, "b": 8})
    for net in dict.fromkeys(row.net for row in rows):
        mine = [row for row in rows if row.net == net]
        legend = any(row.level in told for row in mine)
        draw = _ticks if net in quiet else _rows_of
        draw(drawing, net, labels.get(net, net), mine, scale, legend=legend)
        crosses = {row.y: marks[row.level, net] for row in mine if (row.level, net) in marks} if marks else {}
        if crosses:
            _crosses(drawing, net, [scale.factor * value for value in crosses.values()], list(crosses), scale, labels.get(net, net))
    drawing.update_layout(showlegend=bool(told), legend=_LEGEND, annotations=[_written(row, scale) for row in rows if row.net not in quiet])
    drawing.update_xaxes(title_text=scale.title, nticks=6)
    look = {"range": [depth, 0], "showgrid": False, "tickfont": {"color": theme.INK}}
    drawing.update_yaxes(tickvals=list(ticks), ticktext=list(ticks.values()), **look)
    return drawing


def _told_by_sign(groups: Mapping[str, Mapping[str, Values]], nets: Mapping[str, Values]) -> bool:
    return len(groups) > 1 and len({theme.method_symbol(net) for net in nets}) == len(nets)


class _Place(NamedTuple):
    """A row: whose it is, how deep it lies in pixels, and its values."""

    level: str
    net: str
    y: float
    values: Values


def _rows(
    groups: Mapping[str, Mapping[str, Values]], labels: Mapping[str, str], quiet: Sequence[str]
) -> tuple[list[_Place], dict[float, str], float]:
    """Each row, depth -> what is written there, and the whole depth in pixels."""
    rows: list[_Place] = []
    ticks: dict[float, str] = {}
    depth = 6.0
    for level, nets in groups.items():
        top, told = depth, _told_by_sign(groups, nets)
        step = 15 if told else 42 if len(groups) == 1 else 30
        for net, values in nets.items():
            if net in quiet and told:
                continue
            rows.append(_Place(level, net, depth + step / 2, np.asarray(values, dtype=float)))
            if not told:
                name = labels.get(net, net)
                ticks[depth + step / 2] = theme.wrapped(name, 12) if len(groups) == 1 else theme.wrapped(f"{level}, {name}", 24)
            depth += step
        if told:
            middle = (top + depth) / 2
            rows += [_Place(level, net, middle, np.asarray(nets[net], dtype=float)) for net in nets if net in quiet]
            ticks[middle] = theme.wrapped(level, 20) if len(level) < 30 else level.replace(" = ", " ")
        depth += 10
    return rows, ticks, depth


def _rows_of(drawing: go.Figure, net: str, name: str, rows: Sequence[_Place], scale: Scale, *, legend: bool) -> None:
    """A net's intervals, units and means."""
    colour, digits = theme.method_colour(net), f".{scale.decimals + 1}f"
    found = [[scale.factor * float(value) for value in band(units(row.values))] for row in rows]
    ends = [end for (_, low, high), row in zip(found, rows, strict=True) for end in ((low, row.y), (high, row.y), (None, None))]
    drawing.add_scatter(
        x=[x for x, _ in ends], y=[y for _, y in ends], mode="lines", line={"color": colour, "width": 2.5}, hoverinfo="skip",
        showlegend=False, name=f"{name}, interval",
    )  # fmt: skip
    for kind, of_kind in _spreads([row.values for row in rows]).items():
        below = 2 * _BESIDE if kind == "student" else _BESIDE
        drawing.add_scatter(
            x=scale.factor * np.concatenate([values.ravel() for values in of_kind]),
            y=np.concatenate([np.full(values.size, row.y + below) for row, values in zip(rows, of_kind, strict=True)]),
            mode="markers", name=f"{name}, {kind}s", showlegend=False,
            customdata=[row.level for row, values in zip(rows, of_kind, strict=True) for _ in range(values.size)],
            marker={"color": colour, **_DOTS[kind]}, hovertemplate=f"{name}, %{{customdata}}, one {kind}: %{{x:{digits}}}<extra></extra>",
        )  # fmt: skip
    drawing.add_scatter(
        x=[mean for mean, _, _ in found], y=[row.y for row in rows], mode="markers", name=name, legendgroup=net, showlegend=legend,
        customdata=[row.level for row in rows], text=[plus_minus(high - mean, scale.decimals + 1) for mean, _, high in found],
        marker={"color": colour, "symbol": theme.method_symbol(net), "size": 10, **theme.rim(theme.method_symbol(net), 1.5)},
        hovertemplate=f"{name}, %{{customdata}}: %{{x:{digits}}}%{{text}}<extra></extra>",
    )  # fmt: skip


def _ticks(drawing: go.Figure, net: str, name: str, rows: Sequence[_Place], scale: Scale, *, legend: bool) -> None:
    """A net to compare with."""
    drawing.add_scatter(
        x=[scale.factor * float(row.values.mean()) for row in rows], y=[row.y for row in rows], mode="markers", name=name,
        legendgroup=net, showlegend=legend, customdata=[row.level for row in rows],
        marker={"symbol": "line-ns", "size": 20, "line": {"color": theme.method_colour(net), "width": 2}},
        hovertemplate=f"{name}, %{{customdata}}: %{{x:.{scale.decimals + 1}f}}<extra></extra>",
    )  # fmt: skip


def _written(row: _Place, scale: Scale) -> dict[str, Any]:
    """Mean and half an interval, beside the row."""
    mean, _, high = (scale.factor * float(value) for value in band(units(row.values)))
    text = f"<b>{mean:.{scale.decimals}f}</b>{plus_minus(high - mean, scale.decimals)}".replace("-", "−")
    return {"text": text, "x": 1, "xref": "paper", "y": row.y, "xanchor": "left", "xshift": 8, "font": {"size": 11}, "showarrow": False}
