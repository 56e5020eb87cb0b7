"""The sheet that a visitor draws on, one for each size of pictures, kept as long as the browser's tab is open."""

from __future__ import annotations

import streamlit as st

from explorer.components.draw import Sheet, draw
from ked.data import Dataset
from ked.data.drawing import sheet

_SHEETS = "ked.sheet"  # in the session, by the size of the data's pictures: digits are not garments
_ALT = "A sheet to draw on. Arrow keys move the pen, with Shift it draws, Delete clears the sheet."


def sheet_of(dataset: Dataset) -> Sheet:
    """What is on the sheet for data of this size."""
    size = sheet(dataset)
    kept: dict[tuple[int, int], Sheet] = st.session_state.setdefault(_SHEETS, {})
    return kept.setdefault(size, Sheet.empty(size))


def keep(drawn: Sheet) -> None:
    """Remember what is on a sheet."""
    rows, columns = drawn.pixels.shape
    st.session_state[_SHEETS][rows, columns] = drawn


def draw_on(dataset: Dataset) -> Sheet:
    """Show the sheet; what is on it at this moment."""
    drawing = sheet_of(dataset)
    draw(f"draw.{dataset.name}", drawing, alt=_ALT, drawn=keep)
    return drawing
