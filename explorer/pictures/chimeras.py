"""A chimera put together by hand: the picture with its parts, and contributions before and after. No streamlit here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme
from explorer.pictures.overlays import Groups, label_marks, pixel_labels
from explorer.pictures.pixels import picture_trace
from explorer.words.numbers import signed

_TINT = 84  # of 255: replaced parts are tinted in their superfeature's colour
_COARSE = 16  # pixels a side
_INSET = 0.07  # of a pixel: outlines run inside their superfeature, so that neighbours' stand side by side


def assembled(
    groups: Groups,
    image: np.ndarray,
    shape: Sequence[int],
    marks: Sequence[str],
    *,
    replaced: Sequence[bool],
    selected: int | None = None,
    height: int = 330,
) -> go.Figure:
    """A picture (D,) with its superfeatures outlined in their colours; those that were replaced are tinted too.

    Of many pixels only the replaced and the selected are outlined: all outlines together would hide the picture.
    `marks`: what stands on each superfeature, "" for nothing. A click's customdata is the superfeature, from 1.
    """
    labels, drawing = pixel_labels(groups, shape), theme.figure(height)
    drawing.add_trace(picture_trace(image, shape, calm=False).update(name="picture"))  # less lies over it than over most
    tint = np.zeros((*labels.shape, 4), dtype=np.uint8)
    for m, new in enumerate(replaced):
        tint[labels == m, :3] = theme.rgb(theme.superfeature_colour(m))
        tint[labels == m, 3] = _TINT if new else 0
    drawing.add_image(
        z=tint, colormodel="rgba256", customdata=labels + 1, name="parts",
        hovertemplate="superfeature %{customdata}, row %{y}, column %{x}<extra></extra>",
    )  # fmt: skip
    fine = min(labels.shape) > _COARSE
    for m in range(len(groups)):
        if fine and not (replaced[m] or m == selected):
            continue
        x, y = outline(labels == m, _INSET)
        width = (1.1 if fine else 1.8) * (2 if m == selected else 1)
        line = {"color": theme.superfeature_colour(m), "width": width}
        ends = {"x": np.array(x, dtype=float), "y": np.array(y, dtype=float)}
        drawing.add_scatter(**ends, mode="lines", line=line, hoverinfo="skip", name=f"outline {m + 1}")
    drawing.update_layout(annotations=[mark for mark in label_marks(labels, marks) if mark["text"]])
    theme.pixel_axes(drawing, *labels.shape)
    theme.fitted(drawing, labels.shape[0] / labels.shape[1])
    return drawing


def outline(inside: np.ndarray, inset: float) -> tuple[list[float | None], list[float | None]]:
    """x and y of the edges of the pixels that are `inside` (H, W) and have a neighbour, or none, that is not; None between them."""
    x: list[float | None] = []
    y: list[float | None] = []
    padded, near = np.pad(inside, 1), 0.5 - inset
    for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        beyond = np.roll(padded, (-down, -right), (0, 1))[1:-1, 1:-1]
        for row, column in np.argwhere(inside & ~beyond).tolist():
            x += [column + (right * near if right else -near), column + (right * near if right else near), None]
            y += [row + (down * near if down else -near), row + (down * near if down else near), None]
    return x, y


def changes(
    before: np.ndarray, after: np.ndarray, names: Sequence[str], *, replaced: Sequence[bool], limit: float, selected: int | None
) -> go.Figure:
    """Contributions (M,) to one class: the original's pale, the chimera's in full colour; superfeature by superfeature.

    `limit`: the end of the scale that all nets share. A click's customdata is the superfeature, from 1.
    """
    M = len(before)
    drawing = theme.figure(46 * M + 66, barmode="group", bargap=0.3, bargroupgap=0.06)
    numbers = list(range(1, M + 1))
    for title, values, alpha in (("original", before, 0.35), ("chimera", after, 1.0)):
        colours = [theme.faded(theme.superfeature_colour(m), alpha * (1.0 if selected in (None, m) else 0.5)) for m in range(M)]
        drawing.add_bar(
            orientation="h", y=numbers, x=values, name=title, customdata=numbers, text=[signed(value) for value in values],
            textposition="outside", cliponaxis=False, textfont={"size": 11, "color": theme.MUTED},
            marker={"color": colours, "line": {"width": 0}},
            hovertemplate=f"superfeature %{{customdata}}, {title}: %{{text}}<extra></extra>",
        )  # fmt: skip
    ticks = [f"<b>{name}</b>" if new else name for name, new in zip(names, replaced, strict=True)]
    drawing.update_yaxes(tickvals=numbers, ticktext=ticks, range=[M + 0.55, 0.45], showgrid=False)
    drawing.update_yaxes(tickfont={"color": theme.INK, "size": 13})
    drawing.update_xaxes(range=[-1.35 * limit, 1.35 * limit], title_text="contribution φ; pale: in the original")
    theme.upright(drawing, 0)
    return drawing
