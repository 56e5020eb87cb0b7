"""What branches look at: pictures (H, W) or (3, H, W) under maps in a superfeature's colour; and how groups are linked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme
from explorer.pictures.pixels import picture_trace

_LINE = 16  # pixels of the screen that a line of text above a picture takes
_GAP = 0.08  # white space between two pictures, as a share of a picture
_ALPHA = 0.85  # of the strongest place: what lies under it stays to be seen


@dataclass(frozen=True)
class Cell:
    """A picture (D,), the map (H, W) over it, if any, lines of text above and under it, and what a pointer on it is told."""

    picture: np.ndarray
    values: np.ndarray | None
    lines: tuple[str, ...] = ()
    about: str = ""
    under: tuple[str, ...] = ()


def sheet(
    cells: Sequence[Cell], shape: Sequence[int], colour: str | None, *, limit: float, columns: int, width: int, head: str = ""
) -> go.Figure:
    """Pictures in rows of `columns`, each under its map: clear at 0, in full colour at `limit`.

    Args:
        cells: The pictures; all with as many lines of text.
        shape: (H, W) or (3, H, W).
        colour: #RRGGBB of maps that are nowhere negative; None for the diverging scale.
        limit: The end of the scale, the same for all figures that are to be compared.
        columns: Pictures a row.
        width: The figure's width on the screen in pixels, roughly: it decides the height.
        head: A line above everything, or several, parted by <br>.
    """
    height, across = shape[-2:]
    rows = -(-len(cells) // columns)
    side = width / (columns + (columns - 1) * _GAP)  # of a picture on the screen
    text, below = (
        (_LINE * lines + 4) * across / side if lines else 0.0  # in pixels of the picture
        for lines in (max(len(cell.lines) for cell in cells), max(len(cell.under) for cell in cells))
    )
    step = (across * (1 + _GAP), height + text + below + across * _GAP)
    top = 8 + _LINE * (1 + head.count("<br>")) if head else 2
    drawing = theme.figure(
        round(top + 2 + (rows * step[1] - across * _GAP) * side / across),
        margin={"l": 1, "r": 1, "t": top, "b": 1}, dragmode=False,
    )  # fmt: skip
    notes, frames = _head(head), []
    for position, cell in enumerate(cells):
        row, column = divmod(position, columns)
        corner = (column * step[0], row * step[1] + text)
        drawing.add_traces(_traces(cell, shape, colour, limit, corner))
        notes += _texts(cell, corner, height, across)
        frames.append(_frame(corner, height, across))
    drawing.update_layout(annotations=notes, shapes=frames)  # at once: one by one takes several times as long
    hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
    drawing.update_xaxes(**hidden, range=[-0.6, columns * step[0] - across * _GAP - 0.4])
    drawing.update_yaxes(
        **hidden, range=[rows * step[1] - across * _GAP - 0.4, -0.6], scaleanchor="x", constraintoward="top"
    )
    return drawing


def _traces(
    cell: Cell, shape: Sequence[int], colour: str | None, limit: float, corner: tuple[float, float]
) -> list[go.Heatmap | go.Image]:
    place = {"x0": corner[0], "y0": corner[1], "dx": 1, "dy": 1}
    if cell.values is None:
        return [picture_trace(cell.picture, shape, calm=False).update(place)]
    picture = picture_trace(cell.picture, shape).update(**place, opacity=0.6)
    scale = theme.DIVERGING if colour is None else ((0.0, theme.faded(colour, 0)), (1.0, theme.faded(colour, _ALPHA)))
    tint = go.Heatmap(
        z=np.asarray(cell.values, dtype=np.float32), **place, zmin=0 if colour else -limit, zmax=limit,
        colorscale=scale, opacity=1 if colour else _ALPHA, showscale=False, name=cell.about,
        hovertemplate=f"{cell.about}: %{{z:.2f}}<extra></extra>",
    )  # fmt: skip
    return [picture, tint]


def _frame(corner: tuple[float, float], height: int, across: int) -> dict[str, Any]:
    x, y = corner
    sides = {"x0": x - 0.5, "x1": x + across - 0.5, "y0": y - 0.5, "y1": y + height - 0.5}
    return {"type": "rect", "line": {"color": theme.LINE, "width": 1}, "layer": "below", **sides}


def _texts(cell: Cell, corner: tuple[float, float], height: int, across: int) -> list[dict[str, Any]]:
    """The lines above a picture, the first one larger, and those under it."""
    x, y = corner[0] + across / 2 - 0.5, corner[1] - 0.5
    small, large = {"size": 11, "color": theme.MUTED}, {"size": 12, "color": theme.INK}
    notes: list[dict[str, Any]] = []
    for number, line in enumerate(cell.lines):
        shift = _LINE * (len(cell.lines) - 1 - number) - 1
        notes.append({"text": line, "font": small if number else large, "y": y, "yshift": shift, "yanchor": "bottom"})
    for number, line in enumerate(cell.under):
        notes.append({"text": line, "font": small, "y": y + height, "yshift": -_LINE * number - 1, "yanchor": "top"})
    return [{"x": x, "xanchor": "center", "showarrow": False, **note} for note in notes]


def _head(text: str) -> list[dict[str, Any]]:
    place = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 1, "xanchor": "center", "yanchor": "bottom", "yshift": 4}
    return [{"text": text, "font": {"size": 13, "color": theme.INK}, "showarrow": False, **place}] if text else []


def plain(picture: np.ndarray, shape: Sequence[int], *, height: int) -> go.Figure:
    """A picture by itself."""
    drawing = theme.figure(height)
    drawing.add_trace(picture_trace(picture, shape, calm=False))
    theme.pixel_axes(drawing, *shape[-2:])
    return drawing


def group_links(means: np.ndarray, *, height: int = 330) -> go.Figure:
    """The mean strength of links inside and between M groups, as a multiple of the mean over all pairs.

    `means`: (M, M). White is what chance gives; warm is more, cold is less.
    """
    count = len(means)
    span = max(float(np.nanmax(np.abs(means - 1), initial=0.0)), 0.1)
    drawing = theme.figure(height, margin={"l": 8, "r": 8, "t": 8, "b": 8})
    texts = [[f"{value:.2f}×" if np.isfinite(value) else "–" for value in row] for row in means]
    drawing.add_heatmap(
        z=(means - 1).astype(np.float32), zmin=-span, zmax=span, colorscale=theme.DIVERGING, opacity=0.68, xgap=2, ygap=2,
        showscale=False, text=texts, texttemplate="%{text}" if count <= 8 else None,
        textfont={"size": 13 if count <= 5 else 10, "color": theme.INK},
        customdata=[[f"{i + 1} and {j + 1}" if i != j else f"{i + 1} inside" for j in range(count)] for i in range(count)],
        hovertemplate="superfeatures %{customdata}: %{text} chance<extra></extra>",
    )  # fmt: skip
    ticks = [theme.key(theme.superfeature_colour(m), str(m + 1)) for m in range(count)]
    place = {"tickvals": list(range(count)), "ticktext": ticks, "showgrid": False, "constrain": "domain"}
    drawing.update_xaxes(**place, side="top")
    drawing.update_yaxes(**place, autorange="reversed", scaleanchor="x")
    return drawing
