"""What came out of a study: differences against zero. Plain numbers in, plotly figures out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from explorer.pictures import theme

HEAD, ROW = 34, 25  # pixels of a heading, and of a row
_LETTER = 5.6  # of a level's name beside its row


@dataclass(frozen=True)
class Difference:
    """One side minus another.

    Attributes:
        heading: What is compared, such as "KED − KD".
        level: Where; "" in a figure of one level, where each heading has one row.
        net: Whose colour it has.
        mean, low, high: In the unit of the axis; low and high NaN where there is no interval.
        text: Mean as people write it.
        told: What the tooltip says.
        shown: 1 or -1 if a difference is shown, else 0.
        key: What a click reports.
    """

    heading: str
    level: str
    net: str
    mean: float
    low: float
    high: float
    text: str
    told: str
    shown: int
    key: str


def differences(rows: Sequence[Difference], title: str) -> go.Figure:
    """A row a difference: dot and 95 % interval beside a line at zero; full dots and thick lines are shown, hollow and thin ones not."""
    y, headings, depth, last = [], [], 0.0, None
    for row in rows:
        if row.heading != last:
            headings.append((row.heading, depth + HEAD - 10))
            depth, last = depth + HEAD, row.heading
        y.append(depth + ROW / 2)
        depth += ROW
    drawing = theme.figure(round(depth) + 96, margin={"l": 8, "r": 58, "t": 40, "b": 8})
    levels = [theme.wrapped(row.level, 22) for row in rows]
    # What is wider than a phone's row begins with the rows' names, not beside them.
    longest = max((len(line) for text in levels for line in text.split("<br>")), default=0)
    start = {"x": 0, "xref": "paper", "xanchor": "left", "xshift": -_LETTER * longest}
    drawing.add_vline(0, line={"color": theme.INK, "width": 1.2}, layer="below")
    for row, place in zip(rows, y, strict=True):
        _difference(drawing, row, place)
    for text, place in headings:
        drawing.add_annotation(text=text, **start, y=place, yanchor="bottom", bgcolor=theme.PAPER, borderpad=1)
    legend = "● shown, with Holm's correction &nbsp; ○ not shown"
    head = {**start, "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": 8}
    drawing.add_annotation(text=legend, font={"color": theme.MUTED}, **head)
    drawing.update_xaxes(title_text=title, range=_around_zero(rows), nticks=7)
    drawing.update_yaxes(tickvals=y, ticktext=levels, range=[depth + 4, 0], showgrid=False)
    return drawing


def _difference(drawing: go.Figure, row: Difference, y: float) -> None:
    colour, known = theme.method_colour(row.net), row.low == row.low
    if known:
        look = {"color": colour, "width": 3.5 if row.shown else 1.5, "dash": "solid" if row.shown else "2px,3px"}
        drawing.add_scatter(x=[row.low, row.high], y=[y, y], mode="lines", line=look, hoverinfo="skip", name=f"{row.key}, interval")
    fill = colour if row.shown else theme.PAPER
    drawing.add_scatter(
        x=[row.mean], y=[y], mode="markers", name="shown" if row.shown else "not shown", customdata=[row.key],
        marker={"color": fill, "size": 11, "line": {"color": colour, "width": 2}}, hovertemplate=f"{row.told}<extra></extra>",
    )  # fmt: skip
    text = f"<b>{row.text}</b>" if row.shown else f"<span style='color:{theme.MUTED}'>{row.text}</span>"
    drawing.add_annotation(text=text, x=1, xref="paper", xanchor="left", xshift=6, y=y)


def _around_zero(rows: Sequence[Difference]) -> list[float]:
    ends = sorted([0.0, *(end for row in rows for end in (row.mean, row.low, row.high) if end == end)])
    return [ends[0] - (pad := 0.06 * (ends[-1] - ends[0]) or 1.0), ends[-1] + pad]
