"""The dependency matrix W as a picture: a graph over the pixels, a matrix ordered by superfeature, one row as an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import plotly.graph_objects as go

from explorer.pictures import links, theme
from explorer.pictures.overlays import feature_labels
from explorer.pictures.pixels import brightness
from explorer.words.inert import inert

_LETTERS = 18  # of a feature's name beside its node; the tooltip has it whole
Groups = Sequence[Sequence[int]]

JSON_LIMIT = 1_500_000
"""Bytes of JSON above which the matrix is pooled; a byte of data takes 4/3 bytes of base64."""

LARGE, SMALL = 1000, 200
"""Cells a side that a matrix has at most: one whose JSON has to stay within JSON_LIMIT, and one of a finger's length."""


def node_positions(w: np.ndarray, shape: Sequence[int], seed: int = 0) -> np.ndarray:
    """(D, 2) x and y of each feature: its pixel for pictures (channels side by side in it), else a spring layout of W."""
    if len(shape) >= 2:
        features = np.arange(int(np.prod(shape)))
        rows, columns = np.divmod(features % (shape[-2] * shape[-1]), shape[-1])
        channels = features // (shape[-2] * shape[-1])
        middle = (features.max() // (shape[-2] * shape[-1])) / 2
        return np.stack([columns + 0.28 * (channels - middle), rows], axis=1).astype(float)
    scaled = np.sqrt(w / (w.max() or 1.0))
    iterations = int(np.clip(120 * (128 / len(w)) ** 2, 20, 120))  # each takes time as D squared
    links = nx.from_numpy_array(scaled)
    places = nx.spring_layout(links, weight="weight", seed=seed, iterations=iterations, method="force")
    return np.array([places[i] for i in range(len(w))])


def dependency_graph(
    w: np.ndarray,
    groups: Groups,
    shape: Sequence[int],
    *,
    edges: int = 400,
    positions: np.ndarray | None = None,
    background: np.ndarray | None = None,
    spread: np.ndarray | None = None,
    threshold: float = 0.02,
    names: Sequence[str] | None = None,
    selected: int | None = None,
    lit: int | None = None,
    labelled: bool = True,
    height: int = 460,
) -> go.Figure:
    """Features as nodes in their superfeature's colour, the `edges` strongest links of W between them.

    Links inside a superfeature have its colour, links between two are grey. `background`: the mean image under the nodes.
    `spread`: (D,) standard deviations; features with less than `threshold` times the largest hardly vary and are drawn hollow.
    `labelled`: whether nodes without a pixel carry their names.
    `selected`: a feature: its superfeature and its own strongest links stand out. `lit`: a superfeature that stands out with the
    links inside it, where no feature is selected. A click's customdata[0] is the feature.
    """
    w, labels = np.asarray(w, dtype=float), feature_labels(groups, len(w))
    places = node_positions(w, shape) if positions is None else np.asarray(positions, dtype=float)
    drawing = theme.figure(height, dragmode="pan")
    if background is not None and len(shape) >= 2:
        light = np.round(255 * brightness(background, shape)).astype(np.uint8)
        ground = {"zmin": 0, "zmax": 255, "colorscale": theme.INK_SCALE, "opacity": 0.16, "showscale": False}
        drawing.add_heatmap(z=light, **ground, hoverinfo="skip")
    pale = selected is not None or lit is not None
    spared = lit if selected is None else None
    for trace in links.edge_traces(links.strongest_edges(w, edges), labels, places, dimmed=pale, lit=spared):
        drawing.add_trace(trace)
    if selected is not None:
        drawing.add_trace(_own_links(w, places, labels, selected))
        lit = int(labels[selected])
    hollow = np.zeros(len(w), dtype=bool) if spread is None else np.asarray(spread) < threshold * np.max(spread)
    drawing.add_trace(_nodes(w, places, labels, hollow, names, shape, selected, lit, labelled))
    _graph_axes(drawing, places, shape)
    return drawing


def _own_links(w: np.ndarray, places: np.ndarray, labels: np.ndarray, feature: int, most: int = 24) -> go.Scatter:
    row = np.argsort(-w[feature], kind="stable")[:most]
    pairs = np.array([(feature, j) for j in row if w[feature, j] > 0 and j != feature], dtype=int).reshape(-1, 2)
    return links.lines(pairs, places, theme.INK, 1.6, 0.75, "links of the selected feature")


def _nodes(
    w: np.ndarray, places: np.ndarray, labels: np.ndarray, hollow: np.ndarray, names: Sequence[str] | None,
    shape: Sequence[int], selected: int | None, lit: int | None, labelled: bool,
) -> go.Scatter:  # fmt: skip
    colours = [theme.superfeature_colour(m) if m >= 0 else theme.GREY for m in labels]
    total = w.sum(1)
    cell = min(340 / max(shape[-2:]), 22) if len(shape) >= 2 else 22.0
    size = np.maximum(cell * (0.24 + 0.4 * np.sqrt(total / (total.max() or 1.0))), 3.0)
    visible = np.where((lit is None) | (labels == lit), 1.0, 0.22)
    edge = [theme.INK if d == selected else colour for d, colour in enumerate(colours)]
    titles = [inert(name, "figure") for name in names] if names is not None else [f"feature {d}" for d in range(len(w))]
    fills = [theme.PAPER if empty else colour for empty, colour in zip(hollow, colours, strict=True)]
    hover = (
        "%{customdata[1]}<br>superfeature %{customdata[2]}, total strength %{customdata[3]:.3g}%{customdata[4]}<extra></extra>"
    )
    notes = np.where(hollow, "<br>hardly varies: its links mean little", "").tolist()
    data = [list(item) for item in zip(range(len(w)), titles, (labels + 1).tolist(), total.tolist(), notes, strict=True)]
    marker = {
        "color": fills,
        "size": size,
        "opacity": visible,
        "line": {"color": edge, "width": [3 if d == selected else 1.4 for d in range(len(w))]},
    }
    texts = _roomy(theme.told_apart(names or titles, _LETTERS), places, total) if len(shape) < 2 and labelled else None
    return go.Scatter(
        x=places[:, 0], y=places[:, 1], mode="markers+text" if texts else "markers", marker=marker, customdata=data,
        text=texts, textposition="top center", textfont={"size": 11, "color": theme.MUTED}, name="features",
        hovertemplate=hover,
    )  # fmt: skip


def _roomy(titles: Sequence[str], places: np.ndarray, total: np.ndarray) -> list[str]:
    """The names that fit on a narrow screen (340 x 380 pixels) without covering another, strong features first."""
    scaled = (places - places.min(0)) / (np.ptp(places, axis=0) + 1e-9) * np.array([340.0, 380.0])
    kept: list[int] = []
    for i in np.argsort(-total).tolist():
        reach = [3.2 * (len(titles[i]) + len(titles[j])) for j in kept]
        apart = np.abs(scaled[kept] - scaled[i]) if kept else np.empty((0, 2))
        if all(dx > r or dy > 16 for (dx, dy), r in zip(apart, reach, strict=True)):
            kept.append(i)
    return [title if i in kept else "" for i, title in enumerate(titles)]


def _graph_axes(drawing: go.Figure, places: np.ndarray, shape: Sequence[int]) -> None:
    if len(shape) >= 2:
        theme.pixel_axes(drawing, shape[-2], shape[-1])
        theme.fitted(drawing, shape[-2] / shape[-1])
    else:
        low, high = places.min(0), places.max(0)
        pad = 0.18 * (high - low) + 1e-6
        drawing.update_xaxes(visible=False, range=[low[0] - pad[0], high[0] + pad[0]])
        drawing.update_yaxes(visible=False, range=[low[1] - pad[1], high[1] + pad[1]])


def matrix_order(groups: Groups) -> np.ndarray:
    """(D,) the features in the order of the matrix's rows and columns: superfeature by superfeature."""
    return np.array([feature for group in groups for feature in group], dtype=int)


def matrix_pair(click: dict[str, Any], groups: Groups) -> tuple[int, int]:
    """The two features (row, column) of a click on `dependency_blocks`; of a pooled cell the middle one."""
    order = matrix_order(groups)
    row, column = (min(max(round(float(click[axis])), 0), len(order) - 1) for axis in ("y", "x"))
    return int(order[row]), int(order[column])


class Ordered(NamedTuple):
    """W ordered by superfeature: cells that hold the largest of factor x factor links, and the number of features of each group."""

    cells: np.ndarray
    factor: int
    sizes: tuple[int, ...]

    def block(self, place: float) -> int:
        """The superfeature of a row or column, counted from 0; of one beside the matrix the nearest."""
        ends = np.cumsum(self.sizes)
        return int(np.searchsorted(ends, min(max(round(place), 0), ends[-1] - 1), side="right"))


def ordered(w: np.ndarray, groups: Groups, most: int) -> Ordered:
    """W (D, D) superfeature by superfeature, pooled to at most `most` cells a side."""
    order = matrix_order(groups)
    cells, factor = pool(np.asarray(w, dtype=float)[np.ix_(order, order)], most)
    return Ordered(cells, factor, tuple(len(group) for group in groups))


def dependency_blocks(
    w: np.ndarray,
    groups: Groups,
    *,
    selected: int | None = None,
    lit: int | None = None,
    names: Sequence[str] | None = None,
    height: int = 460,
) -> go.Figure:
    """W ordered by superfeature, blocks outlined and bands at the sides in their colours; the colour scale is a square root.

    W is heavy tailed: the scale ends at its 99.9 % quantile. `selected`: a feature whose row and column are marked. `lit`: a superfeature
    whose block stands out. Where the JSON would exceed JSON_LIMIT, cells are pooled by their maximum and the title says so.
    """
    what = ordered(w, groups, LARGE)
    drawing = theme.figure(height, margin={"l": 8, "r": 8, "t": 8 if what.factor == 1 else 34, "b": 8})
    if what.factor > 1:
        drawing.update_layout(title_text=f"each cell is the largest of {what.factor} × {what.factor} links")
    drawing.add_trace(_heat(what.cells, what.factor))
    _frame_blocks(drawing, what, lit)
    if selected is not None:
        order = matrix_order(groups)
        _mark(drawing, int(np.flatnonzero(order == selected)[0]), len(order))
    return drawing


def small_blocks(what: Ordered, *, lit: int | None = None, height: int = 250) -> go.Figure:
    """The same in small, to show where a superfeature's block lies: no numbers, the blocks alone."""
    drawing = theme.figure(height, margin={"l": 2, "r": 2, "t": 2, "b": 2}, dragmode=False)
    heat = _heat(what.cells, what.factor)
    drawing.add_trace(heat.update(showscale=False, customdata=None, hovertemplate=None, hoverinfo="none"))
    _frame_blocks(drawing, what, lit)
    return drawing


def _frame_blocks(drawing: go.Figure, what: Ordered, lit: int | None) -> None:
    count = sum(what.sizes)
    veil = [] if lit is None else _veil(what.sizes, lit)
    drawing.update_layout(shapes=[*veil, *_outline(what.sizes)])  # at once: one by one takes several times as long
    band = 0.035 * count
    hidden = {"visible": False, "constrain": "domain"}
    theme.put(drawing.layout.xaxis, **hidden, range=[-0.5 - band, count - 0.5])
    theme.put(drawing.layout.yaxis, **hidden, range=[count - 0.5, -0.5 - band], scaleanchor="x")


def _veil(sizes: Sequence[int], lit: int) -> list[dict[str, Any]]:
    """Paper over all but the lit superfeature's block, thinner over its links to the others."""
    before = sum(sizes[:lit])
    edges = [-0.5, before - 0.5, before + sizes[lit] - 0.5, sum(sizes) - 0.5]
    paper = {"type": "rect", "fillcolor": theme.PAPER, "line": {"width": 0}}
    return [
        {"x0": edges[j], "x1": edges[j + 1], "y0": edges[i], "y1": edges[i + 1], "opacity": 0.5 if 1 in (i, j) else 0.85, **paper}
        for i in range(3)
        for j in range(3)
        if (i, j) != (1, 1)
    ]


def pool(w: np.ndarray, most: int) -> tuple[np.ndarray, int]:
    """W with the maximum over f x f cells and f, the smallest for which at most `most` cells a side are left."""
    factor = -(-len(w) // most)
    size = -(-len(w) // factor)
    padded = np.zeros((size * factor, size * factor))
    padded[: len(w), : len(w)] = w
    return padded.reshape(size, factor, size, factor).max((1, 3)), factor


def _heat(w: np.ndarray, factor: int) -> go.Heatmap:
    """Square roots in 255 steps, a byte each; the true values ride along for the tooltip where they are few."""
    positive = w[w > 0]
    top = float(np.quantile(positive, 0.999)) if positive.size else 1.0
    levels = np.round(255 * np.sqrt(np.clip(w / top, 0, 1))).astype(np.uint8)
    ticks = np.array([0, 0.06, 0.25, 0.56, 1.0])
    texts = [f"{tick * top:.2g}" for tick in ticks]
    bar = theme.colourbar("dependency W", tickvals=255 * np.sqrt(ticks), ticktext=texts)
    few = w.size * 5.4 < 0.5 * JSON_LIMIT
    at = {"x0": (factor - 1) / 2, "dx": factor, "y0": (factor - 1) / 2, "dy": factor}
    return go.Heatmap(
        z=levels, zmin=0, zmax=255, colorscale=theme.SEQUENTIAL, colorbar=bar, name="W", **at,
        customdata=w.astype(np.float32) if few else None,
        hovertemplate="W = %{customdata:.3g}<extra></extra>" if few else None,
        hoverinfo=None if few else "none",
    )  # fmt: skip


def _outline(sizes: Sequence[int]) -> list[dict[str, Any]]:
    shapes: list[dict[str, Any]] = []
    band, start = 0.035 * sum(sizes), -0.5
    near, far = -0.5 - band * 0.3, -0.5 - band
    for m, size in enumerate(sizes):
        colour, end = theme.superfeature_colour(m), start + size
        box = {"x0": start, "x1": end, "y0": start, "y1": end, "line": {"color": colour, "width": 2}}
        solid: dict[str, Any] = {"fillcolor": colour, "line": {"width": 0}}
        shapes += [box, {"x0": far, "x1": near, "y0": start, "y1": end, **solid}, {"y0": far, "y1": near, "x0": start, "x1": end, **solid}]
        start = end
    return [{"type": "rect", **shape} for shape in shapes]


def _mark(drawing: go.Figure, place: int, count: int) -> None:
    line = {"type": "line", "line": {"color": theme.INK, "width": 1, "dash": "2px,2px"}}
    drawing.add_shape(x0=-0.5, x1=count - 0.5, y0=place, y1=place, **line)
    drawing.add_shape(x0=place, x1=place, y0=-0.5, y1=count - 0.5, **line)


def row_image(
    w: np.ndarray, feature: int, shape: Sequence[int], groups: Groups | None = None, *, height: int = 320
) -> go.Figure:
    """Row `feature` of W as an image (channels added up): how strongly each pixel depends on it, on a square-root scale."""
    drawing = theme.figure(height)
    row = np.asarray(w[feature], dtype=float).reshape(-1, *shape[-2:]).sum(0)
    drawing.add_trace(_heat(row, 1))
    x, y = node_positions(w, shape)[feature]
    ring = {"symbol": "square-open", "size": 14, "line": {"width": 3}, "color": theme.INK}
    if groups is not None:
        ring["color"] = theme.superfeature_colour(int(feature_labels(groups, len(w))[feature]))
    drawing.add_scatter(x=[x], y=[y], mode="markers", marker=ring, hoverinfo="skip", name="the feature")
    theme.pixel_axes(drawing, *row.shape)
    return drawing
