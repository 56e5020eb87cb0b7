"""Links of the dependency graph as lines: bundled by superfeature and strength, strong ones above weak ones."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme

STRENGTHS = (
    (0.6, 0.16),
    (1.1, 0.4),
    (2.0, 0.8),
)
"""Width and opacity of the weak, middle and strong third."""


def strongest_edges(w: np.ndarray, count: int) -> np.ndarray:
    """(E, 2) the `count` strongest links i < j with W > 0, strongest first."""
    i, j = np.triu_indices(len(w), 1)
    weights = w[i, j]
    count = min(count, int((weights > 0).sum()))
    best = np.argpartition(-weights, count - 1)[:count] if count else np.empty(0, dtype=int)
    best = best[np.argsort(-weights[best], kind="stable")]
    return np.stack([i[best], j[best]], axis=1)


def edge_traces(
    pairs: np.ndarray, labels: np.ndarray, places: np.ndarray, *, dimmed: bool, lit: int | None = None
) -> list[go.Scatter]:
    """One trace for each colour and strength: weak links first, so that strong ones lie above them.

    `dimmed`: all are pale, but for those inside the superfeature `lit`.
    """
    traces = []
    for (m, level), chosen in edge_bundles(pairs, labels).items():
        trace, lines = bundle(m, level), bent_lines(chosen, places)
        trace.update(x=lines[:, 0], y=lines[:, 1], meta=[tuple(pair) for pair in chosen.tolist()])
        trace.opacity *= 0.3 if dimmed and m != lit else 1.0
        traces.append(trace)
    return traces


def bundle(m: int, level: int) -> go.Scatter:
    """The trace of a bundle of links, still without any."""
    width, opacity = STRENGTHS[level]
    line = {"color": theme.GREY if m < 0 else theme.superfeature_colour(m), "width": width}
    return go.Scatter(x=[], y=[], mode="lines", line=line, opacity=opacity, hoverinfo="skip", name=bundle_name(m, level))


def edge_bundles(pairs: np.ndarray, labels: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    """(superfeature or -1 for links between two, third of strength 0..2) -> links; `pairs`: (E, 2), strongest first."""
    inside = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    community = np.where(inside, labels[pairs[:, 0]], -1)
    strength = 2 - (np.arange(len(pairs)) * 3) // max(len(pairs), 1)
    keys = sorted(set(zip(strength.tolist(), community.tolist(), strict=True)))
    return {(m, level): pairs[(community == m) & (strength == level)] for level, m in keys}


def bundle_name(m: int, level: int) -> str:
    """The name of the trace of a bundle of links."""
    return ("between superfeatures" if m < 0 else f"superfeature {m + 1}") + f", strength {level + 1}"


def lines(pairs: np.ndarray, places: np.ndarray, colour: str, width: float, opacity: float, name: str) -> go.Scatter:
    """All `pairs` as one trace of lines (`bent_lines`)."""
    broken = bent_lines(pairs, places)
    line = {"color": colour, "width": width}
    pair_list = [tuple(pair) for pair in pairs.tolist()]
    return go.Scatter(
        x=broken[:, 0],
        y=broken[:, 1],
        mode="lines",
        line=line,
        opacity=opacity,
        hoverinfo="skip",
        name=name,
        meta=pair_list,
    )


def bent_lines(pairs: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(8 E, 2) gently bent lines (straight ones hide each other on a pixel grid); NaN separates them."""
    start, end = places[pairs[:, 0]], places[pairs[:, 1]]
    across = (end - start)[:, ::-1] * np.array([-1.0, 1.0])
    bend = (start + end) / 2 + 0.12 * across
    t = np.linspace(0, 1, 7)[None, :, None]
    curve = (1 - t) ** 2 * start[:, None] + 2 * t * (1 - t) * bend[:, None] + t**2 * end[:, None]
    return np.concatenate([curve, np.full((len(pairs), 1, 2), np.nan)], axis=1).reshape(-1, 2).astype(np.float32)
