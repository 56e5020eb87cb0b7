"""Figures that move over the ticks of a training: one plotly figure whose frames hold only what differs at each tick.

A tick is a moment with a name, such as "teacher-3". `plot.js` shows the figure at a tick by laying its frame over the figure.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

Json = dict[str, Any]

_LISTS = ("annotations", "shapes", "images")  # of a layout


class Film(go.Figure):
    """A figure whose frames stay as they were written: plotly would check every attribute of every tick, which takes most of the time."""

    def __init__(self, whole: Json) -> None:
        """`whole`: data, layout and frames, as `go.Figure.to_dict` gives them; so a copy of a film is one, too."""
        super().__init__(data=whole["data"], layout=whole["layout"])
        self._written: list[Json] = whole["frames"]

    def to_dict(self) -> Json:
        return {**super().to_dict(), "frames": [{**frame, "data": _packed(frame.get("data", []))} for frame in self._written]}

    @property
    def frames(self) -> tuple[go.Frame, ...]:
        return tuple(go.Frame(frame) for frame in self._written)


def _packed(value: Any) -> Any:
    """Arrays of numbers in the form in which plotly.js reads them from the least room: bytes in base64."""
    if isinstance(value, dict):
        return {name: _packed(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_packed(inner) for inner in value]
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        return value
    if value.dtype.kind in "iu" and value.dtype.itemsize == 8:  # which JavaScript's arrays do not have
        value = value.astype("i4") if abs(value).max(initial=0) < 2**31 else value.astype(float)
    form = {"dtype": f"{value.dtype.kind}{value.dtype.itemsize}", "bdata": base64.b64encode(value.tobytes()).decode()}
    return form | ({"shape": ", ".join(map(str, value.shape))} if value.ndim > 1 else {})


class Change(NamedTuple):
    """What a figure has at a tick: trace's name -> attributes, and attributes of the layout. The same ones at every tick."""

    tick: str
    traces: Mapping[str, Json]
    layout: Json


def moving(base: go.Figure, changes: Iterable[Change]) -> go.Figure:
    """`base` with a frame for each change. No figure is made for a tick, so this is quick; names tell traces apart."""
    whole = base.to_dict()
    place = {trace["name"]: number for number, trace in enumerate(whole["data"]) if trace.get("name")}
    frames = []
    for tick, traces, layout in changes:
        data = [{"type": whole["data"][place[name]]["type"], **attributes} for name, attributes in traces.items()]
        frames.append({"name": tick, "data": data, "traces": [place[name] for name in traces], "layout": layout})
    return Film({**whole, "frames": frames})


def joined(first: go.Figure, second: go.Figure) -> go.Figure:
    """Two figures in one: at the ticks of the first its traces, axes and marks, at those of the second the second's."""
    one, other = first.to_dict(), second.to_dict()
    counts = len(one["data"]), len(other["data"])
    frames = [_only(frame, one["layout"], range(counts[0]), range(counts[0], sum(counts)), 0) for frame in one["frames"]]
    frames += [_only(frame, other["layout"], range(counts[0], sum(counts)), range(counts[0]), counts[0]) for frame in other["frames"]]
    plain = {name: value for name, value in other["layout"].items() if name not in _LISTS}  # each frame has its own
    return Film({"data": [*one["data"], *other["data"]], "layout": plain, "frames": frames})


def _only(frame: Json, layout: Json, mine: Iterable[int], others: Iterable[int], offset: int) -> Json:
    """A frame of one of two joined figures: the other one's traces are hidden."""
    kinds = {number + offset: dict(data) for number, data in zip(frame.get("traces", ()), frame.get("data", ()), strict=True)}
    data = [{"visible": True, **kinds.get(number, {"type": "scatter"})} for number in mine]
    data += [{"type": "scatter", "visible": False} for _ in others]
    whole = {**layout, **frame.get("layout", {})}
    shown = {name: value for name, value in whole.items() if name in _LISTS or name[1:5] == "axis"}
    return {**frame, "data": data, "traces": [*mine, *others], "layout": shown}
