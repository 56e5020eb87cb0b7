"""A table's features as bars from top to bottom, in the order and the colours of their superfeatures. Plain arrays in, figures out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme

Groups = Sequence[Sequence[int]]
_ROW, _FOOT = 20, 36  # pixels of a feature, and of the axis below them all
_LETTERS = 26  # of a feature's name have room beside its bar; the tooltip has it whole


def strengths(groups: Groups, values: np.ndarray | None, names: Sequence[str], selected: int | None = None) -> go.Figure:
    """Each feature as long as |value| (D,), or all alike; the features of the superfeature `selected` stand out."""
    order = in_order(groups)
    lengths = np.ones(len(order)) if values is None else np.abs(np.asarray(values, dtype=float).reshape(-1)[order])
    drawing = _bars(groups, lengths, names, selected, "" if values is None else ": %{x:.3g}")
    drawing.update_xaxes(showticklabels=values is not None)
    return drawing


def measured(
    groups: Groups, values: Sequence[str], deviations: np.ndarray, names: Sequence[str], selected: int | None = None
) -> go.Figure:
    """One sample: each feature's measured value, and which way and how far it lies from what is usual.

    Args:
        values: D texts, in the source's own units, written beside the bars.
        deviations: (D,) from the mean of the training samples, in their standard deviations: the bars.
        names: Of the features.
        selected: The superfeature that stands out.
    """
    order = in_order(groups)
    lengths = np.asarray(deviations, dtype=float)[order]
    drawing = _bars(groups, lengths, names, selected, ": %{text}, %{x:+.2f} standard deviations from the mean")
    texts = [theme.plain(values[d], _LETTERS) for d in order]
    drawing.update_traces(text=texts, textposition="outside", cliponaxis=False, textfont={"size": 11, "color": theme.MUTED})
    room = 0.32 * max(np.ptp([0.0, *lengths]), 1.0)  # for the values, whichever way a bar points
    drawing.update_xaxes(range=[min(0.0, lengths.min()) - room, max(0.0, lengths.max()) + room], nticks=5)
    drawing.update_xaxes(title_text="standard deviations")
    drawing.layout.height += 24
    theme.upright(drawing, 0)
    return drawing


def in_order(groups: Groups) -> list[int]:
    """The features as the bars have them from top to bottom."""
    return [feature for group in groups for feature in group]


def _bars(groups: Groups, lengths: np.ndarray, names: Sequence[str], selected: int | None, told: str) -> go.Figure:
    rows = [(d, m) for m, group in enumerate(groups) for d in group]
    colours = [theme.faded(theme.superfeature_colour(m), 1.0 if selected in (None, m) else 0.25) for _, m in rows]
    drawing = theme.figure(_ROW * len(rows) + _FOOT)
    drawing.add_bar(
        orientation="h", x=lengths, y=list(range(len(rows))), marker={"color": colours},
        customdata=[f"{theme.plain(names[d], 120)}, superfeature {m + 1}" for d, m in rows],
        hovertemplate=f"%{{customdata}}{told}<extra></extra>",
    )  # fmt: skip
    name_axis(drawing, theme.told_apart([names[d] for d, _ in rows], _LETTERS))
    return drawing


def name_axis(drawing: go.Figure, names: Sequence[str]) -> None:
    """A name beside each row, the first at the top."""
    drawing.update_yaxes(tickvals=list(range(len(names))), ticktext=list(names), range=[len(names) - 0.4, -0.6], showgrid=False)
    drawing.update_yaxes(tickfont={"color": theme.INK, "size": 12})
