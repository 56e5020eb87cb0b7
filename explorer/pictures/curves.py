"""Learning curves: what grows over the epochs, a line a method, with its band over seeds. Plain arrays in, plotly figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme
from explorer.pictures.frames import Change, moving
from explorer.words.numbers import plus_minus
from ked.statistics import LEAST, interval

Values = np.ndarray


class Look(NamedTuple):
    """How a line is drawn: its colour, how it is broken ("solid", "dash", ...), and the sign of its points."""

    colour: str
    dash: str
    symbol: str = "circle"

    @staticmethod
    def of_method(name: str) -> Look:
        """The look that a method has everywhere."""
        return Look(theme.method_colour(name), theme.method_dash(name), theme.method_symbol(name))


class Measure(NamedTuple):
    """What a learning curve shows: the axis's title, what values are multiplied by, decimals, and the unit behind a number."""

    title: str
    scale: float
    decimals: int
    unit: str
    low: float
    high: float

    def short(self, value: float) -> str:
        """A scaled value as beside its line."""
        return f"{value:.{self.decimals}f}"

    @property
    def hover(self) -> str:
        """A scaled value with half its interval, in plotly's words."""
        digits = f".{self.decimals + 1}f"
        return f"%{{y:{digits}}}%{{customdata}}{self.unit}"


ACCURACY = Measure("validation accuracy, %", 100.0, 1, " %", 0.0, 101.0)
AGREEMENT = Measure("cosine of contributions", 1.0, 2, "", -1.0, 1.02)


def band(values: Values) -> tuple[Values, Values, Values]:
    """Mean and 95 % interval over the last axis, the seeds; where there is no interval the band has no width."""
    mean, low, high = interval(values)
    return mean, np.where(np.isnan(low), mean, low), np.where(np.isnan(high), mean, high)


def learning_curves(
    curves: Mapping[str, Values],
    *,
    labels: Mapping[str, str] | None = None,
    references: Mapping[str, float] | None = None,
    looks: Mapping[str, Look] | None = None,
    epochs: int | None = None,
    at: Mapping[str, int] | None = None,
    measure: Measure | None = None,
    height: int = 340,
) -> go.Figure:
    """Accuracy against epochs: a line for the mean over seeds and a ribbon for its 95 % interval, labelled at the line's end.

    `curves`: method -> (epochs so far, K) accuracies in [0, 1]. `references`: net -> accuracy, a dotted line (the teachers).
    `looks`: name -> colour and dash, where the names are not those of methods.
    `epochs`: where the axis ends, so that it stands still while a run grows.
    `at`: method -> epoch that is looked at: there each line has a dot, its label says the value there, and lines without an
    epoch, which had not begun, are pale. `measure`: what the values are, percent of accuracy by default.
    """
    drawing, labels, references = theme.figure(height), dict(labels or {}), dict(references or {})
    looks = {name: Look.of_method(name) for name in (*curves, *references)} | dict(looks or {})
    measure = measure or ACCURACY
    ends, here = dict[str, float](), dict[str, float]()
    for name, values in curves.items():
        if len(values):
            scaled = measure.scale * np.asarray(values, dtype=float)
            pale = at is not None and name not in at
            ends[name] = _curve(drawing, looks[name], labels.get(name, name), scaled, measure, pale=pale)
            if not pale:
                here[name] = ends[name] if at is None else _dot(drawing, looks[name], labels.get(name, name), scaled, at[name])
    for name, value in references.items():
        ends[name] = here[name] = measure.scale * value
        drawing.add_hline(measure.scale * value, line={"color": looks[name].colour, "width": 1.2, "dash": "dot"})
    length = max([epochs or 1, *(len(values) for values in curves.values())])
    low, high = _bounds(drawing, list(ends.values()), measure)
    drawing.update_xaxes(title_text="epoch", range=[1, max(length, 2)], showgrid=False)
    drawing.update_yaxes(title_text=measure.title, range=[low, high])
    texts = [_label(looks[n], labels.get(n, n), measure, v) for n, v in here.items()]
    end_labels(drawing, texts, list(here.values()), low, high, height - 60)
    return drawing


def moving_curves(
    curves: Mapping[str, Values],
    ticks: Sequence[tuple[str, Mapping[str, int]]],
    *,
    labels: Mapping[str, str] | None = None,
    references: Mapping[str, float] | None = None,
    epochs: int | None = None,
    measure: Measure | None = None,
    height: int = 340,
) -> go.Figure:
    """`learning_curves` with a frame for each tick and what is looked at then (`at`): dots and labels move, lines stay."""
    measure, labels, references = measure or ACCURACY, dict(labels or {}), dict(references or {})
    same: dict[str, Any] = {"labels": labels, "references": references, "epochs": epochs, "measure": measure, "height": height}
    base = learning_curves(curves, at={name: len(values) for name, values in curves.items()}, **same)
    low, high = base.layout.yaxis.range
    points = {name: _points(measure.scale * np.asarray(values, dtype=float)) for name, values in curves.items()}

    def change(tick: str, at: Mapping[str, int]) -> Change:
        traces: dict[str, Any] = {}
        here: dict[str, float] = {}
        for name, (xs, means) in points.items():
            label, pale = labels.get(name, name), name not in at
            x, y = _at(xs, means, at.get(name, 0))
            here |= {} if pale else {name: y}
            opacity = {"opacity": 0.25 if pale else 1.0}
            traces |= {label: opacity, f"{label}, here": {"x": [x], "y": [y], "visible": not pale}}
            traces |= {f"{label}, interval": opacity} if curves[name].shape[1] >= LEAST else {}
        here |= {name: measure.scale * value for name, value in references.items()}
        texts = [_label(Look.of_method(n), labels.get(n, n), measure, v) for n, v in here.items()]
        return Change(tick, traces, {"annotations": placed_labels(texts, list(here.values()), low, high, height - 60)})

    return moving(base, [change(tick, at) for tick, at in ticks])


def _label(look: Look, label: str, measure: Measure, value: float) -> str:
    return f"<span style='color:{look.colour}'>{theme.SIGNS[look.symbol]}</span> {theme.wrapped(label)} <b>{measure.short(value)}</b>"


def _curve(drawing: go.Figure, look: Look, label: str, values: Values, measure: Measure, *, pale: bool = False) -> float:
    """Draws one method and returns where its line ends."""
    begun = ~np.isnan(values).any(axis=1)  # a student that goes on begins where another one ended
    colour, x = look.colour, np.arange(1, len(values) + 1)[begun]
    mean, low, high = band(values[begun])
    opacity = 0.25 if pale else 1.0
    if values.shape[1] >= LEAST:
        ribbon = {"x": np.concatenate([x, x[::-1]]), "y": np.concatenate([high, low[::-1]])}
        fill = {
            "fill": "toself",
            "fillcolor": theme.veil(0.2),
            "line": {"width": 0},
            "hoverinfo": "skip",
        }
        drawing.add_scatter(**ribbon, **fill, mode="lines", name=f"{label}, interval", opacity=opacity)
    drawing.add_scatter(
        x=x, y=mean, name=label, mode="lines" if len(x) > 1 else "markers", opacity=opacity,
        line={"color": colour, "width": 2.4, "dash": look.dash},
        customdata=[plus_minus(half, measure.decimals + 1) for half in high - mean],
        hovertemplate=f"{label}, epoch %{{x}}: {measure.hover}<extra></extra>",
    )  # fmt: skip
    return float(mean[-1])


def _dot(drawing: go.Figure, look: Look, label: str, values: Values, epoch: int) -> float:
    """Marks an epoch on a method's line, or the first or last that it has, and returns its mean there."""
    x, mean = _at(*_points(values), epoch)
    marker = {"color": look.colour, "symbol": look.symbol, "size": 9, **theme.rim(look.symbol, 1.5)}
    drawing.add_scatter(x=[x], y=[mean], mode="markers", marker=marker, hoverinfo="skip", name=f"{label}, here", cliponaxis=False)
    return mean


def _points(values: Values) -> tuple[Values, Values]:
    """Epochs (1, 2, ...) that a method has values for, and their means over the seeds."""
    begun = ~np.isnan(values).any(axis=1)
    return np.flatnonzero(begun) + 1, values[begun].mean(axis=1)


def _at(epochs: Values, means: Values, epoch: int) -> tuple[int, float]:
    """The latest point not after an epoch, or the first."""
    place = max(int((epochs <= epoch).sum()) - 1, 0)
    return int(epochs[place]), float(means[place])


def _bounds(drawing: go.Figure, extra: Sequence[float], measure: Measure) -> tuple[float, float]:
    """The vertical range that shows every line, without the first steep epochs pressing the end flat."""
    ends = [float(v) for v in extra] or [0.0, 100.0]
    lines = [np.asarray(trace.y, dtype=float) for trace in drawing.data if trace.hoverinfo != "skip" and len(trace.y)]
    low = min([np.quantile(line, 0.1) for line in lines] + ends)
    high = max([line.max() for line in lines] + ends)
    pad = max(0.08 * (high - low), 0.005 * measure.scale)
    return max(low - pad, measure.low), min(high + pad, measure.high)


def end_labels(
    drawing: go.Figure,
    texts: Sequence[str],
    values: Sequence[float],
    low: float,
    high: float,
    pixels: int,
    axis: str = "y",
) -> None:
    """Labels at the right edge, moved apart where lines end close together; `pixels` is the height from low to high."""
    for label in placed_labels(texts, values, low, high, pixels, axis):
        drawing.add_annotation(label)
    drawing.update_layout(margin_r=130)


def placed_labels(
    texts: Sequence[str], values: Sequence[float], low: float, high: float, pixels: int, axis: str = "y"
) -> list[dict[str, Any]]:
    """The annotations of `end_labels`."""
    sizes = [(high - low) * (4 + 14 * (1 + text.count("<br>"))) / pixels for text in texts]
    look = {"x": 1, "xref": "paper", "yref": axis, "xanchor": "left", "xshift": 8, "align": "left", "showarrow": False}
    look["font"] = {"size": 12}
    places = spread(values, sizes, low, high)
    return [{"text": text, "y": place, **look} for text, place in zip(texts, places, strict=True)]


def spread(values: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Centres for labels of the given sizes: as near to `values` as can be without overlap, inside [low, high] if they fit."""
    clusters: list[tuple[float, list[int]]] = []
    for i in sorted(range(len(values)), key=lambda i: values[i]):
        clusters.append(_held((values[i], [i]), sizes, low, high))
        while len(clusters) > 1 and _overlap(clusters[-2], clusters[-1], sizes):
            clusters[-2:] = [_held(_joined(clusters[-2], clusters[-1]), sizes, low, high)]
    places = [0.0] * len(values)
    for centre, members in clusters:
        edge = centre - _extent(members, sizes) / 2
        for i in members:
            places[i] = edge + sizes[i] / 2
            edge += sizes[i]
    return places


_Cluster = tuple[float, list[int]]


def _extent(members: Sequence[int], sizes: Sequence[float]) -> float:
    return sum(sizes[i] for i in members)


def _held(cluster: _Cluster, sizes: Sequence[float], low: float, high: float) -> _Cluster:
    half = _extent(cluster[1], sizes) / 2
    return max(min(cluster[0], high - half), low + half), cluster[1]


def _overlap(lower: _Cluster, upper: _Cluster, sizes: Sequence[float]) -> bool:
    return upper[0] - lower[0] < (_extent(lower[1], sizes) + _extent(upper[1], sizes)) / 2


def _joined(lower: _Cluster, upper: _Cluster) -> _Cluster:
    members = lower[1] + upper[1]
    return (lower[0] * len(lower[1]) + upper[0] * len(upper[1])) / len(members), members
