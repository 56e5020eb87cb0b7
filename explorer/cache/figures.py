"""Figures that many look at, such as a class that follows its lecturer, are drawn once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ParamSpec

import plotly.graph_objects as go
import streamlit as st

Asked = ParamSpec("Asked")


def figure(draw: Callable[Asked, go.Figure], *asked: Asked.args, **settings: Asked.kwargs) -> go.Figure:
    """What `draw` makes of these values; the same figure for all who ask, so nobody may change it."""
    return _drawn(f"{draw.__module__}.{draw.__qualname__}", asked, settings, draw)


@st.cache_resource(max_entries=64, show_spinner=False)
def _drawn(name: str, asked: tuple[Any, ...], settings: Mapping[str, Any], _draw: Callable[..., go.Figure]) -> go.Figure:
    return _draw(*asked, **settings)
