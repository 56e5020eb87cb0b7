"""Superfeatures while they form: the mask and the strongest links of one state of a teacher, for every moment alike.

Nodes stay where they are and communities keep their colours (`ked.runs.forming` numbers them), so what moves is what changed. No
streamlit here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import links, overlays, theme
from explorer.pictures.frames import Change, moving
from explorer.pictures.pixels import brightness
from explorer.words.inert import inert
from ked.communities.groups import Superfeatures

_READABLE = 24  # so many names fit around a circle
_LETTERS, _LETTER = 16, 0.062  # of a name; and the room that each takes on a narrow screen, in radii of the circle

State = tuple[np.ndarray, np.ndarray]
"""Labels (D,) and links (E, 2), strongest first."""


def moving_forming(
    states: Mapping[str, State],
    shape: Sequence[int],
    *,
    places: np.ndarray,
    background: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    height: int = 340,
) -> go.Figure:
    """The superfeatures of each state over the mean image, with the strongest links; of a table, its features as nodes.

    `states`: tick -> state. `places`: (D, 2) x and y of each feature. `background`: (D,) the mean image. `names`: of the
    features, for tables.
    """
    labels = list(states.values())[-1][0]
    if len(shape) < 2:
        base = _nodes(places, names or [], height)
    else:
        groups = [np.flatnonzero(labels == m).tolist() for m in range(int(labels.max()) + 1)]
        base = overlays.superfeature_mask(groups, shape, image=background, height=height)
    M = max(int(labels.max()) for labels, _ in states.values()) + 1
    bundles = [(m, level) for level in range(len(links.STRENGTHS)) for m in range(-1, M)]
    base.add_traces([links.bundle(m, level) for m, level in bundles])
    changes = []
    for tick, (labels, edges) in states.items():
        found = links.edge_bundles(edges.astype(int), labels)
        lines = {bundle: links.bent_lines(found[bundle], places) if bundle in found else np.zeros((0, 2)) for bundle in bundles}
        traces = {links.bundle_name(*bundle): {"x": line[:, 0], "y": line[:, 1]} for bundle, line in lines.items()}
        own, marks = _node_colours(labels, names) if len(shape) < 2 else _mask(labels, shape, background)
        changes.append(Change(tick, traces | own, marks))
    return moving(base, changes)


def _mask(labels: np.ndarray, shape: Sequence[int], background: np.ndarray | None) -> tuple[dict[str, Any], dict[str, Any]]:
    groups = [np.flatnonzero(labels == m).tolist() for m in range(int(labels.max()) + 1)]
    pixels = overlays.pixel_labels(groups, shape)
    light = brightness(background, shape) if background is not None else np.ones(pixels.shape)
    x, y = overlays.border_lines(pixels)
    mask = {"z": overlays.mask_pixels(pixels, light), "customdata": pixels + 1}
    marks = overlays.label_marks(pixels, [str(m + 1) for m in range(len(groups))])
    return {overlays.MASK: mask, overlays.BORDERS: {"x": x, "y": y}}, {"annotations": marks}


def _node_colours(labels: np.ndarray, names: Sequence[str] | None) -> tuple[dict[str, Any], dict[str, Any]]:
    colours = [theme.superfeature_colour(m) for m in labels.tolist()]
    texts = [inert(name, "figure") for name in names] if names is not None else [f"feature {d}" for d in range(len(labels))]
    data = [[text, m + 1] for text, m in zip(texts, labels.tolist(), strict=True)]
    return {"features": {"marker": {"color": colours}, "customdata": data}}, {}


def _nodes(places: np.ndarray, names: Sequence[str], height: int) -> go.Figure:
    """Features on a circle with their names around it, as long as there are few enough to be read."""
    drawing = theme.figure(height)
    texts = theme.told_apart(names, _LETTERS) if len(names) <= _READABLE else []
    drawing.add_scatter(
        x=places[:, 0], y=places[:, 1], mode="markers+text" if texts else "markers", name="features", marker={"size": 13},
        text=texts, textposition=[_outward(x, y) for x, y in places], textfont={"size": 11, "color": theme.MUTED}, cliponaxis=False,
        hovertemplate="%{customdata[0]}<br>superfeature %{customdata[1]}<extra></extra>",
    )  # fmt: skip
    room = 1.1 + _LETTER * max(map(len, texts), default=0)
    drawing.update_xaxes(visible=False, range=[-room, room])
    drawing.update_yaxes(visible=False, range=[-1.2, 1.2])
    return drawing


def _outward(x: float, y: float) -> str:
    """On which side of its node a name stands, so that it lies outside the circle."""
    if abs(x) < 0.3:
        return "top center" if y > 0 else "bottom center"
    return "middle right" if x > 0 else "middle left"


def moving_modularity(
    states: Mapping[int, Mapping[str, Any]],
    ticks: Sequence[tuple[str, int]],
    *,
    epochs: int,
    final: tuple[str, Superfeatures] | None = None,
    height: int = 130,
) -> go.Figure:
    """Modularity of each state against the teacher's epochs, with a dot at each tick's epoch; `ticks`: (name, epoch).

    `final`: the tick from which the superfeatures that came out are shown, and they.
    """
    points = {epoch: states[epoch]["modularity"] for epoch in sorted(states)}
    if final:
        points.setdefault(epochs, final[1].modularity)
    told, values = list(points), list(points.values())
    drawing = theme.figure(height, margin={"l": 8, "r": 8, "t": 26, "b": 8})
    line, dot = {"color": theme.MUTED, "width": 2}, {"color": theme.INK, "size": 10, "line": {"color": theme.PAPER, "width": 2}}
    hover = "epoch %{x}: %{y:.3f}<extra></extra>"
    drawing.add_scatter(x=told, y=values, mode="lines", line=line, name="modularity", hovertemplate=hover)
    drawing.add_scatter(x=told[-1:], y=values[-1:], mode="markers", marker=dot, name="here", hoverinfo="skip", cliponaxis=False)
    low, high = min(values), max(values)
    pad = max(0.12 * (high - low), 0.01)
    drawing.update_xaxes(title_text="teacher's epoch", range=[1, max(epochs, 2)], showgrid=False)
    drawing.update_yaxes(range=[low - pad, high + pad], nticks=3)
    changes = [_modularity_at(tick, *_latest(states, epoch)) for tick, epoch in ticks]
    if final:
        changes.append(_modularity_at(final[0], epochs, final[1].modularity, final[1].sizes, "in the end: "))
    return moving(drawing, changes)


def _latest(states: Mapping[int, Mapping[str, Any]], epoch: int) -> tuple[int, float, Sequence[int]]:
    """Epoch, modularity and sizes of the newest state at an epoch."""
    here = max((other for other in states if other <= epoch), default=min(states))
    return here, states[here]["modularity"], states[here]["sizes"]


def _modularity_at(tick: str, here: int, value: float, sizes: Sequence[int], when: str = "") -> Change:
    place = {"x": 0, "xref": "paper", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": 2}
    words = f"{when}modularity <b>{value:.3f}</b>, sizes {' · '.join(map(str, sizes))}"
    text = {"text": words, "showarrow": False, "font": {"size": 12}}
    return Change(tick, {"here": {"x": [here], "y": [value]}}, {"annotations": [place | text]})
