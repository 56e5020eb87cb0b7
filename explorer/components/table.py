"""The one way to show a table: Streamlit's grid where there is room, on a narrow screen rows that open to the rest of their cells.

The grid is painted, and on a phone shows three columns of eight. There `table.js` lays the same cells out as text: as a plain table
where that fits, else row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from numbers import Integral, Real
from re import search
from typing import Any, Literal

import numpy as np
import pandas as pd
import streamlit as st

from explorer.components import script, style
from explorer.words.glossary import explained

_component = st.components.v2.component(
    "ked_table",
    js=script("table"),
    css=style("table"),
    isolate_styles=False,
)
MOST = 200
"""Rows that a narrow screen lists: nobody scrolls through more there."""

Mark = Callable[[list[int]], None]


def table(
    rows: pd.DataFrame,
    key: str,
    *,
    columns: Mapping[str, Any] | None = None,
    height: int | Literal["auto", "content"] = "auto",
    alt: str | None = None,
    marked: Sequence[int] = (),
    mark: Mark | None = None,
    several: bool = False,
) -> None:
    """Show `rows` under the constant `key`, without their index; `columns` say how a column is written, as `st.column_config` does.

    `mark`: rows can be marked, one or `several`; `marked` are those that are, and `mark` is called with those that a visitor wants to be.
    """
    looks, key, narrow = explaining(rows, columns or {}), f"table.{key}", f"table.{key}.narrow"
    grid: dict[str, Any] = {}
    if mark is not None:
        st.session_state[key] = {"selection": {"rows": list(marked), "columns": [], "cells": []}}
        mode = "multi-row" if several else "single-row"
        grid = {"on_select": lambda: mark(st.session_state[key]["selection"]["rows"]), "selection_mode": mode}
    st.dataframe(rows, key=key, hide_index=True, height=height, column_config=dict(looks), placeholder="", alt=alt, **grid)
    data = written(rows, looks) | {"marked": None if mark is None else list(marked), "several": several, "alt": alt or ""}

    def told() -> None:
        asked = (st.session_state[narrow].get("marks") or {}).get("rows", [])
        if mark is not None and isinstance(asked, list):
            mark([row for row in asked if isinstance(row, int) and 0 <= row < len(rows)])

    _component(key=narrow, data=data, on_marks_change=told)


def explaining(rows: pd.DataFrame, looks: Mapping[str, Any]) -> dict[str, Any]:
    """How columns are written, where the field's words in a head without help explain themselves under the pointer."""
    told = {name: explained((looks.get(name) or {}).get("label") or str(name)) for name in rows.columns}
    helped = {name for name in told if (looks.get(name) or {}).get("help")}
    return {**looks} | {
        name: {**(looks.get(name) or st.column_config.Column()), "help": text} for name, text in told.items() if text and name not in helped
    }


def written(rows: pd.DataFrame, looks: Mapping[str, Any]) -> dict[str, Any]:
    """Heads and cells as text, a link's with its address; and how many rows are left out."""
    heads = [str((looks.get(name) or {}).get("label") or name) for name in rows.columns]
    types = [(looks.get(name) or {}).get("type_config") or {} for name in rows.columns]
    cells = [
        [_cell(value, look) for value, look in zip(row, types, strict=True)]
        for row in rows.head(MOST).itertuples(index=False, name=None)
    ]
    return {"heads": heads, "cells": cells, "left": max(0, len(rows) - MOST)}


def _cell(value: Any, look: Mapping[str, Any]) -> str | list[str]:
    """A value as the grid would write it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if pd.isna(value):
        return ""
    if look.get("type") == "link" and value:
        found = search(look.get("display_text") or "(.+)", str(value))
        return [found[1] if found else str(value), str(value)]
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, Real):
        usual = f"{round(float(value), 4) or 0.0:.4f}".rstrip("0").rstrip(".") if not isinstance(value, Integral) else str(value)
        return (look["format"] % value if look.get("format") else usual).replace("-", "−")
    return str(value).replace(" %", "\xa0%")  # a line does not begin with it
