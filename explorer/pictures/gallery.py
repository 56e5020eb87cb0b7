"""A strip of test samples to choose from: which ones, in what order, and the picture. No streamlit here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme
from explorer.pictures.pixels import Sheet

GAP = 0.18  # white space between two samples, as a share of a sample
CAPTION = 0.5  # height of the caption below a sample, as a share of the sample's width: enough for it on a narrow screen
_LETTER, _LETTERS_LINE = 5.2, 14  # pixels of a caption's letter, and of its line


def order(kind: str, teacher: np.ndarray, student: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Indices of the test samples that a filter offers.

    Args:
        kind: "all" in their order; "wrong" where the student errs; "disagree" where the two answers differ;
            "unsure" by the teacher's highest probability, lowest first.
        teacher, student: (N, C) log-probabilities.
        y: (N,) labels.
    """
    kinds = {
        "all": lambda: np.arange(len(y)),
        "wrong": lambda: np.flatnonzero(student.argmax(1) != y),
        "disagree": lambda: np.flatnonzero(student.argmax(1) != teacher.argmax(1)),
        "unsure": lambda: np.argsort(teacher.max(1), kind="stable"),
    }
    return kinds[kind]()


def strip(
    images: np.ndarray, shape: Sequence[int], captions: Sequence[str], *, columns: int, selected: int | None = None
) -> go.Figure:
    """Samples side by side in rows of `columns`, the selected one framed; `clicked` tells which one a click met.

    Args:
        images: (S, D), one row a sample; one that begins with NaN leaves its place empty.
        shape: (H, W) or (3, H, W).
        captions: S short texts of one line or, with <br>, two, below the samples.
        selected: Position among the S, if it is among them.
    """
    height, width = shape[-2:]
    rows = -(-len(images) // columns)
    sheet = Sheet(round(rows * _line(height, width)), round(columns * width * (1 + GAP)), shape)
    for position, image in enumerate(images):
        if np.isnan(image[0]):
            continue
        sheet.lay(image, *_corner(position, columns, height, width))
    corners = [_corner(position, columns, height, width) for position in range(len(images))]
    drawing = theme.figure(
        rows * 98 + 8,
        margin={"l": 2, "r": 2, "t": 2, "b": 2},
        dragmode=False,
        # Given at once: plotly takes milliseconds for every annotation that is added to a figure.
        annotations=[
            _caption(text, left + width / 2 - 0.5, top + height, position == selected)
            for position, (text, (top, left)) in enumerate(zip(captions, corners, strict=True))
        ],
        shapes=[] if selected is None else [_frame(*corners[selected], height, width)],
    )
    drawing.add_trace(sheet.trace())
    theme.pixel_axes(drawing, *sheet.size)
    drawing.layout.xaxis.constraintoward = "left"  # where all else on a wide page begins
    drawing.layout.xaxis.range = [-1.5, sheet.size[1] + 0.5]  # room for the frame of a sample at the edge
    drawing.layout.yaxis.range = [sheet.size[0] + 0.5, -1.5]
    letters = max((len(line) for text in captions for line in text.split("<br>")), default=0)
    lines = max((text.count("<br>") + 1 for text in captions), default=1)
    below = CAPTION / (columns * (1 + GAP))  # room for a caption, as a share of the strip's width
    lettered = max(columns * letters * _LETTER, lines * _LETTERS_LINE / below)
    theme.fitted(drawing, (sheet.size[0] + 2) / (sheet.size[1] + 2), room=4, lettered=lettered)
    return drawing


def _caption(text: str, x: float, y: float, selected: bool) -> dict[str, Any]:
    font = {"size": 11, "color": theme.INK if selected else theme.MUTED}
    return {"x": x, "y": y, "text": text, "font": font, "xanchor": "center", "yanchor": "top", "yshift": 2, "showarrow": False}


def _frame(top: int, left: int, height: int, width: int) -> dict[str, Any]:
    line = {"color": theme.INK, "width": 3}
    return {
        "type": "rect",
        "x0": left - 0.7,
        "x1": left + width - 0.3,
        "y0": top - 0.7,
        "y1": top + height - 0.3,
        "line": line,
    }


def clicked(click: dict[str, Any], shape: Sequence[int], columns: int) -> int:
    """The position of the sample that a click on `strip` met."""
    height, width = shape[-2:]
    # Half a pixel more, because corners are rounded: a sample's first pixel may lie before the exact place of its column.
    column = int((click["x"] + 0.5) // (width * (1 + GAP)))
    return int((click["y"] + 0.5) // _line(height, width)) * columns + min(column, columns - 1)


def _line(height: int, width: int) -> float:
    """Height of a row, its caption included, in pixels of the samples."""
    return height + CAPTION * width


def _corner(position: int, columns: int, height: int, width: int) -> tuple[int, int]:
    row, column = divmod(position, columns)
    return round(row * _line(height, width)), round(column * width * (1 + GAP))
