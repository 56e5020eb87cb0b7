"""Accuracy against the number of training samples, a line a method. No streamlit here."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme
from explorer.words.numbers import plus_minus
from ked.statistics import interval

_SHIFT = 0.012  # of a decade between methods, so that their intervals stand side by side


def efficiency(curves: Mapping[str, Mapping[int, np.ndarray]], labels: Mapping[str, str], *, height: int = 360) -> go.Figure:
    """Mean test accuracy with its 95 % interval over the seeds against n, on a logarithmic axis.

    `curves`: method -> n -> accuracies (0 to 1), one a student; a single one has no interval.
    """
    drawing = theme.figure(height, margin={"l": 8, "r": 8, "t": 36, "b": 8})
    for place, (method, points) in enumerate(curves.items()):
        sizes = [n * 10 ** (_SHIFT * (place - (len(curves) - 1) / 2)) for n in points]
        found = [interval(100 * values) for values in points.values()]
        half = [float(one.mean - one.low) if one.low == one.low else 0.0 for one in found]
        colour = theme.method_colour(method)
        drawing.add_scatter(
            x=sizes, y=[float(one.mean) for one in found], mode="lines+markers", name=labels.get(method, method),
            line={"color": colour, "width": 2, "dash": theme.method_dash(method)},
            marker={"size": 8, "color": colour, "symbol": theme.method_symbol(method)},
            customdata=[[n, plus_minus(h, 1), len(v)] for (n, v), h in zip(points.items(), half, strict=True)],
            error_y={"array": half, "color": colour, "thickness": 1.5, "width": 4},
            hovertemplate="%{fullData.name}, %{customdata[0]} samples: %{y:.1f}%{customdata[1]} %<br>"
            "%{customdata[2]} seeds<extra></extra>",
        )  # fmt: skip
    all_sizes = sorted({n for points in curves.values() for n in points})
    drawing.update_xaxes(type="log", tickvals=all_sizes, ticktext=[f"{n:,}".replace(",", " ") for n in all_sizes])
    drawing.update_xaxes(title_text="training samples")
    drawing.update_yaxes(title_text="test accuracy, %")
    legend = {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom"}
    drawing.update_layout(showlegend=True, legend=legend)
    return drawing
