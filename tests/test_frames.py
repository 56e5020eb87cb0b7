"""Frames: the figure with frame t laid over it is figure t, whatever differs between the ticks."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer import frames, graphs, overlays, theme
from explorer.curves import learning_curves

SHAPE = (6, 6)


def groups(seed: int, count: int = 3) -> list[list[int]]:
    labels = np.random.default_rng(seed).integers(0, count, 36)
    return [np.flatnonzero(labels == m).tolist() for m in range(count)]


def dependency(seed: int) -> np.ndarray:
    half = np.random.default_rng(seed).random((36, 36)) ** 4
    return half + half.T


def graph(seed: int) -> go.Figure:
    return graphs.dependency_graph(dependency(seed), groups(seed), SHAPE, edges=[40, 3, 12][seed % 3])


def mask(seed: int) -> go.Figure:
    return overlays.superfeature_mask(groups(seed, 2 + seed), SHAPE, image=np.random.default_rng(seed).random(36))


def curves(epochs: int) -> go.Figure:
    rng = np.random.default_rng(0)
    return learning_curves({name: rng.random((epochs, 2)) for name in ("plain", "ked")[: 1 + epochs % 2]}, epochs=9)


def ragged(seed: int) -> go.Figure:
    """A trace that comes and goes, an attribute that comes and goes, and a shape."""
    figure = theme.figure(100).add_scatter(x=[0, 1], y=[seed, 1], name="always")
    if seed % 2:
        figure.add_bar(x=[0], y=[seed], name="now and then", marker={"opacity": 0.5})
        figure.update_traces(marker_size=7, selector={"name": "always"})
        figure.add_vline(seed)
    return figure.add_scatter(x=[seed], y=[0], name="on top")


def laid_over(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """What plot.js does, written down a second time: path by path, on a copy."""
    result = copy.deepcopy(dict(base))
    stack = [(result, change)]
    while stack:
        target, source = stack.pop()
        for name, value in source.items():
            if isinstance(value, dict) and "bdata" not in value and isinstance(target.get(name), dict):
                stack.append((target[name], value))
            else:
                target[name] = value
    return result


def at(figure: go.Figure, tick: str) -> dict[str, Any]:
    whole = json.loads(figure.to_json())
    frame = next(frame for frame in whole["frames"] if frame["name"] == tick)
    for place, change in zip(frame.get("traces", []), frame.get("data", []), strict=True):
        whole["data"][place] = laid_over(whole["data"][place], change)
    return {"data": whole["data"], "layout": laid_over(whole["layout"], frame.get("layout", {}))}


def as_seen(figure: Mapping[str, Any]) -> dict[str, Any]:
    """Without hidden traces, and with what is said by saying nothing left out."""
    data = [{k: v for k, v in t.items() if k != "visible"} for t in figure["data"] if t.get("visible", True)]
    layout = {k: v for k, v in figure["layout"].items() if v != []}
    return {"data": data, "layout": layout}


@pytest.mark.parametrize("make", [graph, mask, curves, ragged])
@pytest.mark.parametrize("order", [(1, 2, 3, 4), (4, 1), (2,)])
def test_the_figure_under_frame_t_is_figure_t(make: Any, order: tuple[int, ...]) -> None:
    ticks = [(f"t{t}", make(t)) for t in order]
    film = frames.with_frames(ticks[-1][1], ticks)
    assert [frame.name for frame in film.frames] == [name for name, _ in ticks]
    for name, figure in ticks:
        assert as_seen(at(film, name)) == as_seen(json.loads(figure.to_json()))


def test_a_frame_holds_only_what_differs() -> None:
    figures = [theme.figure(100).add_scatter(x=[1, 2], y=[3, t]).add_bar(x=[1], y=[2]) for t in (5, 6)]
    film = json.loads(frames.with_frames(figures[0], [("a", figures[0]), ("b", figures[1])]).to_json())
    assert film["frames"] == [{"name": "a", "traces": []}, {"name": "b", "traces": [0], "data": [{"type": "scatter", "y": [3, 6]}]}]


def test_a_traces_place_above_or_below_others_is_kept() -> None:
    order = [trace.name for trace in frames.with_frames(ragged(2), [("a", ragged(2)), ("b", ragged(1))]).data]
    assert order == ["always", "now and then", "on top"]


def test_a_playhead_stands_at_each_tick_and_changes_nothing_else() -> None:
    chart = learning_curves({"plain": np.random.default_rng(0).random((9, 2))}, references={"teacher": 0.9}, epochs=9)
    film = frames.with_playhead(chart, [("e2", 2), ("e7", 7.5)])
    still = json.loads(chart.to_json())
    for name, x in (("e2", 2), ("e7", 7.5)):
        figure = at(film, name)
        *before, line = figure["layout"].pop("shapes")
        assert before == still["layout"]["shapes"]
        assert (line["x0"], line["x1"], line["yref"]) == (x, x, "y domain")
        assert figure["data"] == still["data"]


def test_what_frames_cost() -> None:
    """The sizes that `with_frames` promises, at most."""
    w, shape = np.random.default_rng(0).random((784, 784)) ** 6, (28, 28)
    parts = [[np.flatnonzero(np.random.default_rng(s).integers(0, 4, 784) == m).tolist() for m in range(4)] for s in (1, 2)]
    film = [(f"t{s}", graphs.dependency_graph(w + w.T, parts[s], shape, edges=400)) for s in (0, 1)]
    assert _largest_frame(frames.with_frames(film[0][1], film)) < 130_000
    blocks = [[sorted(range(cut)), sorted(range(cut, 784))] for cut in (300, 500)]
    film = [(f"t{s}", overlays.superfeature_mask(blocks[s], shape, image=w[s])) for s in (0, 1)]
    assert _largest_frame(frames.with_frames(film[0][1], film)) < 10_000
    assert _largest_frame(frames.with_playhead(curves(3), [("t", 1)])) < 300


def _largest_frame(figure: go.Figure) -> int:
    return max(len(json.dumps(frame)) for frame in json.loads(figure.to_json())["frames"])
