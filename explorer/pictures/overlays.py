"""Superfeatures and their contributions laid over a picture (H, W) or (3, H, W), or listed as bars for tabular data (D,)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme
from explorer.pictures.feature_bars import name_axis, strengths
from explorer.pictures.frames import Change, moving
from explorer.pictures.pixels import brightness, in_colour, picture_trace
from explorer.words.numbers import signed

Groups = Sequence[Sequence[int]]
_LETTERS = 18  # of a feature's name, where three stand beside a bar
MASK, BORDERS, CONTRIBUTIONS = "mask", "borders", "contributions"  # names of traces


def feature_labels(groups: Groups, count: int) -> np.ndarray:
    """(D,) the superfeature of each feature, -1 where a feature is in none."""
    labels = np.full(count, -1)
    for m, group in enumerate(groups):
        labels[np.asarray(group, dtype=int)] = m
    return labels


def pixel_labels(groups: Groups, shape: Sequence[int]) -> np.ndarray:
    """(H, W) the superfeature of each pixel; with colour channels the one that most of them belong to, the first on a tie."""
    labels = feature_labels(groups, int(np.prod(shape))).reshape(-1, *shape[-2:])
    votes = np.array([(labels == m).sum(0) for m in range(len(groups))])
    return np.where(votes.max(0) > 0, votes.argmax(0), -1)


def shared_limit(*phis: np.ndarray) -> float:
    """The largest |phi| of all arrays: the end of the one diverging scale that all nets on screen share."""
    return max((float(np.abs(phi).max()) for phi in phis if np.size(phi)), default=1.0) or 1.0


def superfeature_mask(
    groups: Groups,
    shape: Sequence[int],
    *,
    image: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    selected: int | None = None,
    over: bool = False,
    members: Sequence[bool] | None = None,
    height: int = 380,
) -> go.Figure:
    """Each superfeature in its colour, its opacity the picture's brightness, with crisp borders; `selected` stands out.

    `over`: a picture in colour itself lies under it, and the superfeatures are thin.
    Those that are no `members` of the coalition are all but gone.

    `image`: (D,) or `shape`, an average or a single sample; flat without one. A click's customdata is the superfeature.
    Tabular data (shape (D,)): the features as bars in their superfeature's colour, as long as |image| (or all alike).
    """
    if len(shape) < 2:
        return strengths(groups, image, names or [f"feature {d}" for d in range(shape[0])], selected)
    labels = pixel_labels(groups, shape)
    drawing = theme.figure(height)
    light = brightness(image, shape) if image is not None else np.ones(labels.shape)
    if over and image is not None and in_colour(shape):
        drawing.add_trace(picture_trace(image, shape, calm=False))
        light = np.zeros(labels.shape)
    hover = "superfeature %{customdata}, row %{y}, column %{x}<extra></extra>"
    drawing.add_image(
        z=mask_pixels(labels, light, selected, members),
        colormodel="rgba256",
        customdata=labels + 1,
        hovertemplate=hover,
        name=MASK,
    )
    drawing.add_trace(borders(labels))
    _labels_on(drawing, labels, [str(m + 1) for m in range(len(groups))])
    theme.pixel_axes(drawing, *labels.shape)
    theme.fitted(drawing, labels.shape[0] / labels.shape[1])
    return drawing


def lit_picture(groups: Groups, shape: Sequence[int], image: np.ndarray, m: int, *, height: int = 380) -> go.Figure:
    """A picture in grey and, on it, the pixels of superfeature m in its colour and outlined; a click tells row and column."""
    labels, drawing = pixel_labels(groups, shape), theme.figure(height)
    drawing.add_trace(picture_trace(image, shape))
    drawing.add_heatmap(
        z=(labels == m).astype(np.float32), zmin=0, zmax=1, showscale=False, opacity=0.68, customdata=labels + 1, name=MASK,
        colorscale=((0.0, theme.CLEAR), (1.0, theme.superfeature_colour(m))),
        hovertemplate="superfeature %{customdata}, row %{y}, column %{x}<extra></extra>",
    )  # fmt: skip
    drawing.add_trace(borders(labels, m))
    theme.pixel_axes(drawing, *labels.shape)
    theme.fitted(drawing, labels.shape[0] / labels.shape[1])
    return drawing


def mask_pixels(
    labels: np.ndarray, light: np.ndarray, selected: int | None = None, members: Sequence[bool] | None = None
) -> np.ndarray:
    """(H, W, 4) bytes: the superfeature's colour, opacity 30 % where dark to 100 % where light; clear outside all groups."""
    pixels = np.zeros((*labels.shape, 4), dtype=np.uint8)
    for m in range(labels.max() + 1):
        inside = labels == m
        strength = 0.08 if members is not None and not members[m] else 1.0 if selected in (None, m) else 0.25
        pixels[inside, :3] = theme.rgb(theme.superfeature_colour(m))
        pixels[inside, 3] = np.round(255 * strength * (0.3 + 0.7 * light[inside]))
    return pixels


def contributions(
    groups: Groups,
    phi: np.ndarray,
    shape: Sequence[int],
    image: np.ndarray,
    *,
    limit: float,
    names: Sequence[str] | None = None,
    titles: Sequence[str] | None = None,
    members: Sequence[bool] | None = None,
    selected: int | None = None,
    bar: bool = True,
    height: int = 380,
) -> go.Figure:
    """The picture under the signed contributions: every pixel of superfeature m tinted by phi[m] on the diverging scale.

    `phi`: (M,) contributions to one class. `limit`: the scale's end, the same for all nets on screen (`shared_limit`).
    Superfeatures that are no `members` of the coalition stay untinted. `bar`: draw the colour bar.
    Tabular data: one bar a superfeature, with its title or the names of its features. A click's customdata is the superfeature,
    from 1.
    """
    phi = np.asarray(phi, dtype=float) * (1.0 if members is None else np.asarray(members, dtype=float))
    off = [False] * len(phi) if members is None else [not on for on in members]
    if len(shape) < 2:
        short = theme.told_apart(names, _LETTERS) if names else [f"feature {d}" for d in range(sum(map(len, groups)))]
        return _contribution_bars(phi, limit, titles or [_listed(group, short) for group in groups], off)
    labels, drawing = pixel_labels(groups, shape), theme.figure(height)
    drawing.add_trace(picture_trace(image, shape))
    values = np.where(labels >= 0, phi[labels], np.nan)
    drawing.add_heatmap(
        z=values.astype(np.float32), zmin=-limit, zmax=limit, colorscale=theme.DIVERGING, opacity=0.68, customdata=labels + 1,
        hovertemplate="superfeature %{customdata}: %{z:+.2f}<extra></extra>", showscale=bar,
        colorbar=theme.colourbar("contribution φ"), name=CONTRIBUTIONS,
    )  # fmt: skip
    drawing.add_trace(borders(labels, selected))
    texts = ["off" if o else signed(value) for o, value in zip(off, phi, strict=True)]
    _labels_on(drawing, labels, [_mark(m, text) for m, text in enumerate(texts)])
    theme.pixel_axes(drawing, *labels.shape)
    return drawing


def moving_contributions(
    groups: Groups,
    phis: Mapping[str, np.ndarray],
    shape: Sequence[int],
    image: np.ndarray,
    *,
    limit: float,
    names: Sequence[str] | None = None,
    titles: Sequence[str] | None = None,
    height: int = 380,
) -> go.Figure:
    """`contributions` with a frame for each tick, `phis`: tick -> (M,)."""
    last = list(phis.values())[-1]
    base = contributions(groups, last, shape, image, limit=limit, names=names, titles=titles, height=height)
    if len(shape) < 2:
        return moving(base, [Change(tick, {CONTRIBUTIONS: _bar_values(phi, limit)}, {}) for tick, phi in phis.items()])
    labels, marks = pixel_labels(groups, shape), [mark.to_plotly_json() for mark in base.layout.annotations]

    def change(tick: str, phi: np.ndarray) -> Change:
        z = np.where(labels >= 0, np.asarray(phi)[labels], np.nan).astype(np.float32)
        texts = [_mark(m, signed(value)) for m, value in enumerate(phi)]
        annotations = [mark | {"text": text} for mark, text in zip(marks, texts, strict=True)]
        return Change(tick, {CONTRIBUTIONS: {"z": z}}, {"annotations": annotations})

    return moving(base, [change(tick, phi) for tick, phi in phis.items()])


def _mark(m: int, text: str) -> str:
    return f"{m + 1} <b>{text}</b>"


def _bar_values(phi: np.ndarray, limit: float) -> dict[str, Any]:
    colours = ["rgba({},{},{},{:.3f})".format(*theme.diverging(value, limit)) for value in phi]
    return {"x": phi, "marker": {"color": colours}, "text": [signed(value) for value in phi]}


def picture(image: np.ndarray, shape: Sequence[int], *, height: int = 380) -> go.Figure:
    """A picture with nothing on it; a click tells its row and column."""
    drawing = theme.figure(height)
    drawing.add_trace(picture_trace(image, shape).update(hoverinfo="none"))
    theme.pixel_axes(drawing, *shape[-2:])
    theme.fitted(drawing, shape[-2] / shape[-1])
    return drawing


def borders(labels: np.ndarray, selected: int | None = None) -> go.Scatter:
    """Lines along the pixel edges where the label changes; only around `selected` when one is given."""
    x, y = border_lines(labels if selected is None else (labels == selected))
    line = {
        "color": theme.PAPER if selected is None else theme.INK,
        "width": 1.6 if selected is None else 2.2,
    }
    ends = {"x": np.array(x, dtype=float), "y": np.array(y, dtype=float)}  # plotly looks at each entry of a list
    return go.Scatter(**ends, mode="lines", line=line, hoverinfo="skip", name=BORDERS)


def border_lines(inside: np.ndarray) -> tuple[list[float | None], list[float | None]]:
    """x and y of the pixel edges where a value changes; None separates them."""
    x: list[float | None] = []
    y: list[float | None] = []
    for row, column in np.argwhere(inside[:, 1:] != inside[:, :-1]).tolist():
        x += [column + 0.5, column + 0.5, None]
        y += [row - 0.5, row + 0.5, None]
    for row, column in np.argwhere(inside[1:] != inside[:-1]).tolist():
        x += [column - 0.5, column + 0.5, None]
        y += [row + 0.5, row + 0.5, None]
    return x, y


def label_places(labels: np.ndarray) -> dict[int, tuple[float, float]]:
    """Superfeature -> (row, column) of the pixel that its label stands on: deep inside it, and clear of the other labels.

    A plain mean of the pixels may lie outside a ring or between two parts, where its label would mislead.
    """
    room = np.array(labels.shape) * (0.12, 0.36)  # what a label takes, as a share of the picture
    places: dict[int, tuple[float, float]] = {}
    for m in range(labels.max() + 1):
        depth = _depth(labels == m)
        pixels = np.argwhere(depth > 0)
        if not len(pixels):
            continue
        taken = np.array(list(places.values())).reshape(-1, 2)
        clear = (np.abs(pixels[:, None] - taken) / room).max(-1).min(-1) if len(taken) else np.full(len(pixels), np.inf)
        off_centre = np.hypot(*(pixels - pixels[depth[tuple(pixels.T)] == depth.max()].mean(0)).T)
        best = np.lexsort((off_centre, -depth[tuple(pixels.T)], -np.minimum(clear, 1)))[0]
        places[m] = float(pixels[best, 0]), float(pixels[best, 1])
    return places


def _depth(inside: np.ndarray) -> np.ndarray:
    """How many rings of pixels lie between each pixel and the border of its part; 0 outside."""
    inside, depth = np.pad(inside, 1), np.zeros((inside.shape[0] + 2, inside.shape[1] + 2))
    while inside.any():
        depth += inside
        inside = inside & np.roll(inside, 1, 0) & np.roll(inside, -1, 0) & np.roll(inside, 1, 1) & np.roll(inside, -1, 1)
    return depth[1:-1, 1:-1]


def _labels_on(drawing: go.Figure, labels: np.ndarray, texts: Sequence[str]) -> None:
    drawing.update_layout(annotations=label_marks(labels, texts))  # at once: plotly takes milliseconds for each by itself


def label_marks(labels: np.ndarray, texts: Sequence[str]) -> list[dict[str, Any]]:
    """An annotation on each superfeature, in its colour."""
    look = {"bgcolor": theme.PAPER, "borderwidth": 1.5, "borderpad": 3, "opacity": 0.92, "showarrow": False}
    look["font"] = {"size": 12, "color": theme.INK}
    return [
        {"x": column, "y": row, "text": texts[m], "bordercolor": theme.superfeature_colour(m), **look}
        for m, (row, column) in label_places(labels).items()
    ]


def _contribution_bars(phi: np.ndarray, limit: float, titles: Sequence[str], off: Sequence[bool]) -> go.Figure:
    drawing = theme.figure(58 * len(phi) + 48)
    edges = {"color": [theme.superfeature_colour(m) for m in range(len(phi))], "width": 2}
    numbers = [m + 1 for m in range(len(phi))]
    drawing.add_bar(
        orientation="h", y=list(range(len(phi))), marker_line=edges, customdata=numbers, width=0.5, cliponaxis=False,
        textposition="outside", name=CONTRIBUTIONS,
        hovertemplate="superfeature %{customdata}: %{x:+.2f}<extra></extra>",
    )  # fmt: skip
    drawing.update_traces(values := _bar_values(phi, limit))
    drawing.update_traces(text=["off" if o else text for o, text in zip(off, values["text"], strict=True)])
    name_axis(drawing, [f"<b>{m + 1}</b> {title}" for m, title in enumerate(titles)])
    drawing.update_xaxes(range=[-1.7 * limit, 1.7 * limit], title_text="contribution φ")
    theme.upright(drawing, 0)
    return drawing


def _listed(group: Sequence[int], names: Sequence[str]) -> str:
    texts = [names[d] for d in group]
    most = 3 if sum(map(len, texts[:3])) <= 3 * _LETTERS - 12 else 2  # three lines have room beside a bar
    return theme.wrapped(", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else ""), 22)
