"""Answers over classes that are pairs, laid out as a grid: what knows one figure lights a row or a column, both light a cell."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme
from explorer.words.inert import inert
from ked.data.class_pairs import ClassPairs
from ked.shares import in_percent

CELLS = "answers"  # name of the trace
FAINT = 6.0  # nats below certainty, from which on a cell is clear: less than 1 in 400

_NAMED = 200  # pixels of height, from which on rows and columns are named


def answer_grid(
    p: np.ndarray, pairs: ClassPairs, *, colour: str = theme.INK, truth: int | None = None, height: int = 260
) -> go.Figure:
    """Class probabilities p (C,) as R x K cells, in `colour` where certain and fainter by the logarithm; `truth` is framed.

    In logarithms, because there it is a sum: what one superfeature says and what another says meet in a cell, and around it the
    row and the column are still seen. All grids have the same scale; where p is zero throughout nothing is said.
    """
    rows, columns = len(pairs.first), len(pairs.second)
    cells = np.asarray(p, dtype=float).reshape(rows, columns)
    names = [[f"{inert(a, 'figure')} and {inert(b, 'figure')}" for b in pairs.second] for a in pairs.first]
    named = height >= _NAMED
    rim = 26 if named else 4
    drawing = theme.figure(height, dragmode=False, margin={"l": rim, "r": 6, "t": rim, "b": 6})
    drawing.add_heatmap(
        z=_levels(cells), zmin=-FAINT, zmax=0, colorscale=((0.0, theme.PAPER), (1.0, colour)), showscale=False,
        xgap=1, ygap=1, customdata=np.dstack([names, [[f"{in_percent(p, 1)}" for p in row] for row in cells]]),
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>", name=CELLS,
    )  # fmt: skip
    look: dict[str, object] = {"showgrid": False, "zeroline": False, "showticklabels": named, "fixedrange": True}
    look["tickfont"] = {"size": 11, "color": theme.MUTED}
    theme.put(drawing.layout.xaxis, **look, side="top", tickvals=list(range(columns)), ticktext=_short(pairs.second), constrain="domain")
    theme.put(
        drawing.layout.yaxis, **look, tickvals=list(range(rows)), ticktext=_short(pairs.first), range=[rows - 0.5, -0.5],
        scaleanchor="x", constrain="domain",
    )  # fmt: skip
    frame = {"type": "rect", "x0": -0.5, "x1": columns - 0.5, "y0": -0.5, "y1": rows - 0.5, "line": {"color": theme.LINE, "width": 1}}
    theme.fitted(drawing, rows / columns, room=rim)
    drawing.update_layout(shapes=[frame, *([] if truth is None else _framed(*divmod(truth, columns)))])
    return drawing


def _levels(p: np.ndarray) -> np.ndarray:
    """log p, no lower than -FAINT, in the few digits that are seen."""
    levels: np.ndarray = np.log(np.maximum(p, np.exp(-FAINT))).round(2).astype(np.float32)
    return levels


def _short(names: tuple[str, ...]) -> list[str]:
    return [theme.plain(name, 3) if len(name) > 3 else inert(name, "figure") for name in names]


def _framed(row: int, column: int) -> list[dict[str, object]]:
    """A frame in ink and one of paper inside it, by which it is seen around a cell in ink, too."""
    lines = ((0.5, {"color": theme.INK, "width": 2}), (0.36, {"color": theme.PAPER, "width": 1.5}))
    return [
        {"type": "rect", "x0": column - half, "x1": column + half, "y0": row - half, "y1": row + half, "line": line} for half, line in lines
    ]
