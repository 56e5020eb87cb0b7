"""The sheet that a visitor draws on, with pen, eraser and clear; what is drawn comes back as a small array, a stroke at a time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explorer.components import script, style

_component = st.components.v2.component(
    "ked_draw",
    js=script("draw"),
    css=style("draw"),
    isolate_styles=False,
)


@dataclass(frozen=True)
class Sheet:
    """What is drawn: greys (rows, columns) of bytes, 0 the ground; `version` changes whenever the server puts something on it."""

    pixels: np.ndarray
    version: int = 0

    @staticmethod
    def empty(size: tuple[int, int], version: int = 0) -> Sheet:
        """Nothing drawn yet."""
        return Sheet(np.zeros(size, dtype=np.uint8), version)

    @property
    def figure(self) -> np.ndarray:
        """The drawing (rows, columns) from 0 to 1."""
        return self.pixels / 255


def draw(key: str, sheet: Sheet, *, alt: str, drawn: Callable[[Sheet], None]) -> None:
    """A sheet under the constant `key`, of as many rows and columns as `sheet`; `drawn` is called with every new state of it.

    The browser keeps what the visitor draws. Only a new `version` puts the server's pixels on the sheet, as does a fresh page.
    """
    rows, columns = sheet.pixels.shape

    def changed() -> None:
        told = st.session_state[key].get("ink")
        if (pixels := _pixels(told, rows, columns)) is not None:
            drawn(Sheet(pixels, sheet.version))

    data = {
        "rows": rows,
        "columns": columns,
        "pixels": base64.b64encode(sheet.pixels.tobytes()).decode("ascii"),
        "version": sheet.version,
        "alt": alt,
    }
    _component(key=key, data=data, on_ink_change=changed)


def _pixels(told: Any, rows: int, columns: int) -> np.ndarray | None:
    """The bytes that a browser sent; None for anything but a sheet of this size, which may be one of a moment ago."""
    if not isinstance(told, str):
        return None
    try:
        content = base64.b64decode(told, validate=True)
    except binascii.Error:
        return None
    return np.frombuffer(content, dtype=np.uint8).reshape(rows, columns) if len(content) == rows * columns else None
