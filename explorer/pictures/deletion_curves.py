"""Deletion and insertion curves: what is left of a prediction as features go or come in the order that a method gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme

_PLOT = 210  # pixels of the plot's height
_LINE = 16  # of a line of the legend
_FOOT = 44  # of the axis's numbers and title


@dataclass(frozen=True)
class Order:
    """The curve of one method: its key and label, (S + 1,) shares of the features and heights from 0 to 1, the area under them."""

    method: str
    label: str
    shares: np.ndarray
    heights: np.ndarray
    area: float


def order_curves(orders: Sequence[Order], *, removed: bool, what: str) -> go.Figure:
    """A line a method on the scale of all such figures, 0 to 1; under the plot their legend, the best order first.

    Args:
        orders: The curves.
        removed: Whether features are removed (a small area is good) or put in (a large one is).
        what: The class whose probability is shown.
    """
    ranked = sorted(orders, key=lambda order: order.area if removed else -order.area)
    below = _FOOT + _LINE * (len(ranked) + 1) + 6
    drawing = theme.figure(_PLOT + below, margin={"l": 8, "r": 12, "t": 8, "b": below}, dragmode=False)
    done = "removed" if removed else "put in"
    for order in reversed(ranked):  # the best lies on top
        drawing.add_trace(_line(order, done))
    drawing.update_layout(annotations=_legend(ranked))
    fixed = {"fixedrange": True, "nticks": 5}
    theme.put(drawing.layout.xaxis, title_text=f"features {done}, %", range=[0, 100], automargin=False, **fixed)
    theme.put(drawing.layout.yaxis, title_text=f"probability of {theme.plain(what, 14)}", range=[-0.01, 1.01], **fixed)
    return drawing


def _line(order: Order, done: str) -> go.Scatter:
    colour, dash = theme.ATTRIBUTIONS[order.method]
    return go.Scatter(
        x=(100 * order.shares).astype(np.float32), y=order.heights.astype(np.float32), mode="lines", name=order.label,
        line={"color": colour, "dash": dash, "width": 3.5 if order.method == "own" else 1.7}, cliponaxis=False,
        hovertemplate=f"{order.label}: %{{y:.2f}} with %{{x:.0f}} % {done}<br>area {order.area:.3f}<extra></extra>",
    )  # fmt: skip


def _legend(ranked: Sequence[Order]) -> list[dict[str, object]]:
    """A line a method under the plot: its colour, its area, its name."""
    rows = [f"<span style='color:{theme.MUTED}'>area, best first</span>"]
    for order in ranked:
        colour, dash = theme.ATTRIBUTIONS[order.method]
        text = f"<span style='color:{colour}'>{theme.STROKES[dash]}</span> {order.area:.2f} {order.label}"
        rows.append(f"<b>{text}</b>" if order.method == "own" else text)
    place = {"xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": 0, "yanchor": "top", "showarrow": False}
    return [
        {"text": text, "yshift": -_FOOT - _LINE * number, "font": {"size": 12, "color": theme.INK}, **place}
        for number, text in enumerate(rows)
    ]
