"""Values over seeds, a row a method, beside the level that chance would reach. Plain arrays in, plotly figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme
from explorer.pictures.curves import band
from explorer.words.numbers import plus_minus

Values = np.ndarray

ROW, ROOM = 46, 92  # pixels of a row, and of axis and head


@dataclass(frozen=True)
class Scale:
    """How values are shown: the axis's title, what they are multiplied by, decimals, and the bounds of the axis."""

    title: str
    factor: float = 1.0
    decimals: int = 2
    low: float = -np.inf
    high: float = np.inf

    def text(self, value: float) -> str:
        """A value as people write it, in the scale's unit."""
        return f"{self.factor * value:.{self.decimals}f}".replace("-", "−")


@dataclass(frozen=True)
class Level:
    """What a line means: its words, and its place, one for all methods or one each; without a place there are only the words."""

    words: str
    at: float | None = None
    each: Mapping[str, float] = field(default_factory=dict)
    dash: str = "dash"

    @property
    def drawn(self) -> bool:
        """Whether it has a place."""
        return self.at is not None or bool(self.each)


def levels(
    values: Mapping[str, Values | None], scale: Scale, *, labels: Mapping[str, str], lines: Sequence[Level] = (), missing: str = ""
) -> go.Figure:
    """A row a method: a small dot a seed, a large dot and a line for the mean and its 95 % interval, and lines to compare with.

    `values`: method -> (K,), or None where a method has none, which the text `missing` says. `lines`: such as the chance level.
    """
    head = max(44, 14 + 16 * len(lines))
    drawing = theme.figure(ROW * len(values) + ROOM + head - 44, margin={"l": 8, "r": 92, "t": head, "b": 8})
    for row, (name, found) in enumerate(values.items()):
        if found is None:
            note = {"text": missing, "x": 0.5, "xref": "paper", "bgcolor": theme.PAPER, "font": {"color": theme.MUTED, "size": 12}}
            drawing.add_annotation(y=row, **note)
        else:
            _row(drawing, row, name, labels.get(name, name), np.asarray(found, dtype=float), scale)
    for line in lines:
        _line(drawing, line, list(values), scale)
    heads = [f"<span style='color:{theme.MUTED}'>{theme.STROKES[line.dash] * line.drawn}{line.words}</span>" for line in lines]
    place = {"x": 0, "xref": "paper", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": 2, "align": "left"}
    drawing.add_annotation(text="<br>".join(heads), **place)
    names = [theme.wrapped(labels.get(name, name), 12) for name in values]
    drawing.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.4, -0.6], showgrid=False)
    drawing.update_yaxes(tickfont={"color": theme.INK, "size": 13})
    drawing.update_xaxes(title_text=scale.title, range=_range(values, lines, scale), nticks=5)
    return drawing


def _row(drawing: go.Figure, row: int, name: str, label: str, found: Values, scale: Scale) -> None:
    colour, factor = theme.method_colour(name), scale.factor
    mean, low, high = (float(v) for v in band(found))
    line = {"color": colour, "width": 3}
    drawing.add_scatter(x=[factor * low, factor * high], y=[row, row], mode="lines", line=line, hoverinfo="skip", name=f"{label}, interval")
    hover = f": %{{x:.{scale.decimals + 1}f}}<extra></extra>"
    drawing.add_scatter(
        x=factor * found, y=np.full(len(found), row + 0.22), mode="markers", name=f"{label}, seeds",
        marker={"color": colour, "size": 6, "opacity": 0.5}, hovertemplate=f"{label}, one seed{hover}",
    )  # fmt: skip
    symbol = theme.method_symbol(name)
    large = {"color": colour, "symbol": symbol, "size": 13, **theme.rim(symbol, 2)}
    drawing.add_scatter(x=[factor * mean], y=[row], mode="markers", marker=large, hovertemplate=f"{label}{hover}", name=label)
    half = plus_minus(factor * (high - mean), scale.decimals)
    drawing.add_annotation(text=f"<b>{scale.text(mean)}</b>{half}", x=1, xref="paper", y=row, xanchor="left", xshift=10)


def _line(drawing: go.Figure, line: Level, names: Sequence[str], scale: Scale) -> None:
    look = {"color": theme.MUTED, "width": 1.5, "dash": line.dash}
    if line.at is not None:
        drawing.add_vline(scale.factor * line.at, line=look, layer="below")
    x: list[float | None] = []
    y: list[float | None] = []
    for name, value in line.each.items():
        row = names.index(name)
        x += [scale.factor * value, scale.factor * value, None]
        y += [row - 0.36, row + 0.36, None]
    if x:
        hover = f"{line.words}: %{{x:.{scale.decimals + 1}f}}<extra></extra>"
        drawing.add_scatter(x=x, y=y, mode="lines", line=look, hovertemplate=hover, name=line.words)


def _range(values: Mapping[str, Values | None], lines: Sequence[Level], scale: Scale) -> list[float]:
    """Everything with some room, within the bounds; a little over them, so that a dot at the bound is whole."""
    ends = [float(end) for found in values.values() if found is not None for end in (*found, *band(np.asarray(found, dtype=float))[1:])]
    ends += [value for line in lines for value in (*line.each.values(), *([] if line.at is None else [line.at]))]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    pad = max(0.08 * (high - low), 0.5 * 10.0**-scale.decimals / scale.factor)
    return [scale.factor * max(low - pad, scale.low - pad / 2), scale.factor * min(high + pad, scale.high + pad / 2)]
