"""Figures that move over the ticks of a training: one plotly figure whose frames hold only what differs at each tick.

A tick is a moment with a name, such as "teacher-3". `plot.js` shows the figure at a tick by laying its frame over the figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import plotly.graph_objects as go

Json = dict[str, Any]

_LISTS = ("annotations", "shapes", "images")  # of a layout


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
    return go.Figure({"data": whole["data"], "layout": whole["layout"], "frames": frames})


def joined(first: go.Figure, second: go.Figure) -> go.Figure:
    """Two figures in one: at the ticks of the first its traces, axes and marks, at those of the second the second's."""
    one, other = first.to_dict(), second.to_dict()
    counts = len(one["data"]), len(other["data"])
    frames = [_only(frame, one["layout"], range(counts[0]), range(counts[0], sum(counts)), 0) for frame in one["frames"]]
    frames += [_only(frame, other["layout"], range(counts[0], sum(counts)), range(counts[0]), counts[0]) for frame in other["frames"]]
    plain = {name: value for name, value in other["layout"].items() if name not in _LISTS}  # each frame has its own
    return go.Figure({"data": [*one["data"], *other["data"]], "layout": plain, "frames": frames})


def _only(frame: Json, layout: Json, mine: Iterable[int], others: Iterable[int], offset: int) -> Json:
    """A frame of one of two joined figures: the other one's traces are hidden."""
    kinds = {number + offset: dict(data) for number, data in zip(frame.get("traces", ()), frame.get("data", ()), strict=True)}
    data = [{"visible": True, **kinds.get(number, {"type": "scatter"})} for number in mine]
    data += [{"type": "scatter", "visible": False} for _ in others]
    whole = {**layout, **frame.get("layout", {})}
    shown = {name: value for name, value in whole.items() if name in _LISTS or name[1:5] == "axis"}
    return {**frame, "data": data, "traces": [*mine, *others], "layout": shown}
