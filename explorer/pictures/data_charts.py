"""How many samples each class has in each split. No streamlit here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme

_NAMED = 24  # class names beside the bars, at most


def class_balance(counts: np.ndarray, classes: Sequence[str], *, selected: int | None = None) -> go.Figure:
    """A row a class, its samples in the train, validation and test split end to end; a click's `y` is the class.

    `counts`: (3, C). `selected`: the class that stands out.
    """
    C = len(classes)
    drawing = theme.figure(min(460, 26 * C + 74), barmode="stack", bargap=0.28 if C <= _NAMED else 0.0)
    faint = [0.35 if selected not in (None, c) else 1.0 for c in range(C)]
    names = [theme.plain(name, 40) for name in classes]
    for (split, colour), row in zip(theme.SPLITS.items(), counts, strict=True):
        drawing.add_bar(
            orientation="h", x=row, y=list(range(C)), name=split, customdata=names,
            marker={"color": colour, "opacity": faint, "line": {"width": 1, "color": theme.PAPER}},
            hovertemplate=f"%{{customdata}}, {split}: %{{x}} samples<extra></extra>",
        )  # fmt: skip
    shown = np.unique(np.linspace(0, C - 1, min(C, _NAMED)).round().astype(int)).tolist()
    drawing.update_yaxes(
        tickvals=shown, ticktext=theme.told_apart([classes[c] for c in shown], 18), range=[C - 0.4, -0.6], showgrid=False
    )
    drawing.update_yaxes(tickfont={"color": theme.INK, "size": 13})
    drawing.update_xaxes(title_text="samples", rangemode="tozero")
    drawing.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "traceorder": "normal"},
        margin={"l": 8, "r": 8, "t": 32, "b": 8},
    )
    return drawing
