"""Learning curves: what grows over the epochs, a line a method, with its band over seeds. Plain arrays in, plotly figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from explorer import theme
from ked.statistics import interval

Values = np.ndarray


class Look(NamedTuple):
    """How a line is drawn: its colour, and how it is broken ("solid", "dash", ...)."""

    colour: str
    dash: str

    @staticmethod
    def of_method(name: str) -> Look:
        """The colour and dash that a method has everywhere."""
        return Look(theme.method_colour(name), theme.method_dash(name))


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
        return f"%{{y:{digits}}} ± %{{customdata:{digits}}}{self.unit}"


ACCURACY = Measure("validation accuracy, %", 100.0, 1, " %", 0.0, 101.0)
AGREEMENT = Measure("cosine of contributions", 1.0, 2, "", -1.0, 1.02)


def band(values: Values) -> tuple[Values, Values, Values]:
    """Mean and 95 % interval over the last axis, the seeds; with a single seed the band has no width."""
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
    texts = [
        theme.key(looks[n].colour, f"{theme.wrapped(labels.get(n, n))} <b>{measure.short(v)}</b>") for n, v in here.items()
    ]
    end_labels(drawing, texts, list(here.values()), low, high, height - 60)
    return drawing


def _curve(drawing: go.Figure, look: Look, label: str, values: Values, measure: Measure, *, pale: bool = False) -> float:
    """Draws one method and returns where its line ends."""
    begun = ~np.isnan(values).any(axis=1)  # a student that goes on begins where another one ended
    colour, x = look.colour, np.arange(1, len(values) + 1)[begun]
    mean, low, high = band(values[begun])
    opacity = 0.25 if pale else 1.0
    if values.shape[1] > 1:
        ribbon = {"x": np.concatenate([x, x[::-1]]), "y": np.concatenate([high, low[::-1]])}
        fill = {
            "fill": "toself",
            "fillcolor": theme.faded(colour, 0.2),
            "line": {"width": 0},
            "hoverinfo": "skip",
        }
        drawing.add_scatter(**ribbon, **fill, mode="lines", name=f"{label}, interval", opacity=opacity)
    drawing.add_scatter(
        x=x, y=mean, name=label, mode="lines" if len(x) > 1 else "markers", opacity=opacity,
        line={"color": colour, "width": 2.4, "dash": look.dash},
        customdata=(high - mean), hovertemplate=f"{label}, epoch %{{x}}: {measure.hover}<extra></extra>",
    )  # fmt: skip
    return float(mean[-1])


def _dot(drawing: go.Figure, look: Look, label: str, values: Values, epoch: int) -> float:
    """Marks an epoch on a method's line, or the first or last that it has, and returns its mean there."""
    begun = np.flatnonzero(~np.isnan(values).any(axis=1))
    behind = int((begun < epoch).sum())
    place = int(begun[max(behind - 1, 0)])
    mean = float(values[place].mean())
    marker = {"color": look.colour, "size": 9, "line": {"color": theme.PAPER, "width": 1.5}}
    drawing.add_scatter(x=[place + 1], y=[mean], mode="markers", marker=marker, hoverinfo="skip", name=f"{label}, here")
    return mean


def _bounds(drawing: go.Figure, extra: Sequence[float], measure: Measure) -> tuple[float, float]:
    """The vertical range that shows every line, without the first steep epochs pressing the end flat."""
    ends = [float(v) for v in extra] or [0.0, 100.0]
    lines = [np.asarray(trace.y, dtype=float) for trace in drawing.data if trace.fill is None and len(trace.y)]
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
    sizes = [(high - low) * (4 + 14 * (1 + text.count("<br>"))) / pixels for text in texts]
    for text, place in zip(texts, theme.spread(values, sizes, low, high), strict=True):
        drawing.add_annotation(text=text, x=1, xref="paper", y=place, yref=axis, xanchor="left", xshift=8, align="left")
    drawing.update_layout(margin_r=130)
