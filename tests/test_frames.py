"""Frames: the figure with frame t laid over it is figure t, whatever differs between the ticks."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from films import with_frames

from explorer.pictures import bars, frames, graphs, overlays, theme
from explorer.pictures.curves import ACCURACY, learning_curves, moving_curves
from explorer.pictures.forming import moving_forming

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
    film = with_frames(ticks[-1][1], ticks)
    assert [frame.name for frame in film.frames] == [name for name, _ in ticks]
    for name, figure in ticks:
        assert as_seen(at(film, name)) == as_seen(json.loads(figure.to_json()))


def test_a_frame_holds_only_what_differs() -> None:
    figures = [theme.figure(100).add_scatter(x=[1, 2], y=[3, t]).add_bar(x=[1], y=[2]) for t in (5, 6)]
    film = json.loads(with_frames(figures[0], [("a", figures[0]), ("b", figures[1])]).to_json())
    assert film["frames"] == [{"name": "a", "traces": []}, {"name": "b", "traces": [0], "data": [{"type": "scatter", "y": [3, 6]}]}]


def test_a_traces_place_above_or_below_others_is_kept() -> None:
    order = [trace.name for trace in with_frames(ragged(2), [("a", ragged(2)), ("b", ragged(1))]).data]
    assert order == ["always", "now and then", "on top"]


def test_what_frames_cost() -> None:
    """The sizes that `with_frames` promises, at most."""
    w, shape = np.random.default_rng(0).random((784, 784)) ** 6, (28, 28)
    parts = [[np.flatnonzero(np.random.default_rng(s).integers(0, 4, 784) == m).tolist() for m in range(4)] for s in (1, 2)]
    film = [(f"t{s}", graphs.dependency_graph(w + w.T, parts[s], shape, edges=400)) for s in (0, 1)]
    assert _largest_frame(with_frames(film[0][1], film)) < 130_000
    blocks = [[sorted(range(cut)), sorted(range(cut, 784))] for cut in (300, 500)]
    film = [(f"t{s}", overlays.superfeature_mask(blocks[s], shape, image=w[s])) for s in (0, 1)]
    assert _largest_frame(with_frames(film[0][1], film)) < 10_000


def _largest_frame(figure: go.Figure) -> int:
    return max(len(json.dumps(frame)) for frame in json.loads(figure.to_json())["frames"])


# Figures made of what moves: under frame t they are the figure that is made for t alone.


def same(film: go.Figure, tick: str, figure: go.Figure) -> bool:
    mine, alone = at(film, tick), json.loads(figure.to_json())
    drawn = [{k: v for k, v in trace.items() if k != "visible"} for trace in mine["data"] if trace.get("visible", True)]
    return bool(drawn == alone["data"]) and mine["layout"] == alone["layout"]


@pytest.mark.parametrize("shape", [(6, 6), (36,)])
def test_contributions_under_frame_t_are_those_of_t(shape: tuple[int, ...]) -> None:
    image, phis = np.random.default_rng(1).random(36), {f"t{t}": np.random.default_rng(t).normal(size=3) for t in range(3)}
    film = overlays.moving_contributions(groups(0), phis, shape, image, limit=2.0)
    for tick, phi in phis.items():
        assert same(film, tick, overlays.contributions(groups(0), phi, shape, image, limit=2.0, height=380))


def test_probabilities_under_frame_t_are_those_of_t() -> None:
    said = {f"t{t}": {net: np.random.default_rng(t).dirichlet(np.ones(4)) for net in ("teacher", "ked")} for t in range(3)}
    film = bars.moving_probabilities(said, "abcd", truth=1)
    for tick, now in said.items():
        assert same(film, tick, bars.class_probabilities(now, "abcd", truth=1))


def test_of_many_classes_the_likeliest_at_the_last_tick_are_shown_at_all() -> None:
    last = np.full(30, 0.001)
    last[[3, 17]] = 0.4, 0.57
    film = bars.moving_probabilities({"a": {"ked": np.ones(30) / 30}, "b": {"ked": last}}, [f"c{c}" for c in range(30)], most=2)
    assert [list(at(film, tick)["layout"]["yaxis"]["ticktext"]) for tick in "ab"] == [["c3", "c17"]] * 2
    assert at(film, "a")["data"][0]["text"] == ["3", "3"]


def test_curves_under_frame_t_are_those_that_look_at_t() -> None:
    rng = np.random.default_rng(0)
    lines = {"plain": rng.random((9, 2)), "ked": rng.random((9, 2))}
    look: dict[str, Any] = {"epochs": 9, "references": {"teacher": 0.95}}
    film = moving_curves(lines, [("e2", {"plain": 2, "ked": 2}), ("e9", {"plain": 9, "ked": 9})], **look)
    for tick, epoch in (("e2", 2), ("e9", 9)):
        alone = json.loads(learning_curves(lines, at={"plain": epoch, "ked": epoch}, **look).to_json())
        moved = at(film, tick)
        assert [mark["text"] for mark in moved["layout"]["annotations"]] == [mark["text"] for mark in alone["layout"]["annotations"]]
        dots = [[t["x"], t["y"]] for t in alone["data"] if t.get("name", "").endswith(", here")]
        assert [[t["x"], t["y"]] for t in moved["data"] if t.get("name", "").endswith(", here")] == dots
        assert moved["layout"]["yaxis"] == alone["layout"]["yaxis"]
        assert dots[0][1] == [pytest.approx(ACCURACY.scale * lines["plain"][epoch - 1].mean())]


def test_a_line_that_had_not_begun_is_pale_and_has_no_dot() -> None:
    lines = {"ked": np.full((3, 1), 0.5), "ked+chimera": np.array([[np.nan], [0.6], [0.7]])}
    film = moving_curves(lines, [("e1", {"ked": 1}), ("e3", {"ked": 3, "ked+chimera": 3})])
    seen = {trace["name"]: trace for trace in at(film, "e1")["data"]}
    assert (seen["ked+chimera"]["opacity"], seen["ked+chimera, here"]["visible"], seen["ked"]["opacity"]) == (0.25, False, 1.0)
    later = {trace["name"]: trace for trace in at(film, "e3")["data"]}
    assert (later["ked+chimera"]["opacity"], later["ked+chimera, here"]["x"]) == (1.0, [3])


@pytest.mark.parametrize("shape", [(6, 6), (36,)])
def test_forming_superfeatures_show_each_states_mask_and_links(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    places = np.stack([np.arange(36) % 6, np.arange(36) // 6], axis=1).astype(float)
    labels = [rng.permutation(np.arange(36) % 3) for _ in range(2)]
    edges = [rng.integers(0, 36, (12, 2)) for _ in range(2)]
    states = {f"t{t}": (labels[t], edges[t]) for t in range(2)}
    film = moving_forming(states, shape, places=places, background=rng.random(36))
    for t in range(2):
        seen = {trace["name"]: trace for trace in at(film, f"t{t}")["data"]}
        points = [trace["x"] for name, trace in seen.items() if "strength" in name]
        assert sum(_length(x) for x in points) == 8 * len(edges[t]), "a link is seven points and a gap"
        if len(shape) == 2:
            groups_now = [np.flatnonzero(labels[t] == m).tolist() for m in range(3)]
            alone = overlays.superfeature_mask(groups_now, shape)
            assert _colours(seen["mask"]["z"]) == _colours(json.loads(alone.to_json())["data"][0]["z"])
        else:
            colours = [theme.superfeature_colour(m) for m in labels[t]]
            assert seen["features"]["marker"]["color"] == colours


def _length(x: Any) -> int:
    return len(np.frombuffer(base64.b64decode(x["bdata"]), x["dtype"])) if isinstance(x, dict) else len(x)


def _colours(z: Any) -> list[list[int]]:
    """Red, green and blue of each pixel, whatever its opacity."""
    pixels = np.frombuffer(base64.b64decode(z["bdata"]), np.uint8) if isinstance(z, dict) else np.array(z)
    return pixels.reshape(-1, 4)[:, :3].tolist()  # type: ignore[no-any-return]


def test_joined_figures_show_one_at_a_time() -> None:
    first = frames.moving(theme.figure(100).add_scatter(x=[1], y=[1], name="a"), [frames.Change("x", {"a": {"x": [5]}}, {})])
    other = theme.figure(100).add_scatter(x=[2], y=[2], name="b").add_hline(3)
    other.update_yaxes(range=[0, 9])
    film = frames.joined(first, frames.moving(other, [frames.Change("y", {"b": {"x": [7]}}, {})]))
    early, late = at(film, "x"), at(film, "y")
    assert [(trace["name"], trace["visible"]) for trace in early["data"]] == [("a", True), ("b", False)]
    assert [(trace["name"], trace["visible"]) for trace in late["data"]] == [("a", False), ("b", True)]
    assert (early["data"][0]["x"], late["data"][1]["x"]) == ([5], [7])
    assert ("shapes" in early["layout"], len(late["layout"]["shapes"])) == (False, 1)
    assert late["layout"]["yaxis"]["range"] == [0, 9]


def test_borders_lie_between_all_neighbours_of_different_superfeatures_and_nowhere_else() -> None:
    labels = np.random.default_rng(0).integers(0, 3, (6, 7))
    x, y = (np.array(ends, dtype=float).reshape(-1, 3)[:, :2] for ends in overlays.border_lines(labels))
    lines = {(*map(float, across), *map(float, down)) for across, down in zip(x, y, strict=True)}
    expected = {(c + 0.5, c + 0.5, r - 0.5, r + 0.5) for r in range(6) for c in range(6) if labels[r, c] != labels[r, c + 1]}
    expected |= {(c - 0.5, c + 0.5, r + 0.5, r + 0.5) for r in range(5) for c in range(7) if labels[r, c] != labels[r + 1, c]}
    assert lines == expected
    assert len(lines) == len(x)


@pytest.mark.parametrize("seed", range(5))
def test_a_label_keeps_clear_of_all_before_it_where_its_superfeature_has_room_for_that(seed: int) -> None:
    rng = np.random.default_rng(seed)
    seeds, side = rng.uniform(0, 16, (6, 2)), np.stack(np.mgrid[:16, :16], axis=-1)
    labels = ((side[:, :, None] - seeds) ** 2).sum(-1).argmin(-1)
    labels = np.unique(labels, return_inverse=True)[1].reshape(16, 16)
    places, room = overlays.label_places(labels), np.array([16 * 0.12, 16 * 0.36])

    def clear(place: tuple[float, float], m: int) -> float:
        return min(float((np.abs(np.array(place) - places[other]) / room).max()) for other in range(m))

    for m in range(1, labels.max() + 1):
        best = max(clear((float(r), float(c)), m) for r, c in np.argwhere(labels == m))
        assert clear(places[m], m) >= min(1.0, best) - 1e-9


@pytest.mark.parametrize("values", [
    np.array([0.5, np.nan, -1]), np.arange(6, dtype=np.float32).reshape(2, 3), np.array([3, -2]), np.array([2**40, 1]),
    np.array([], dtype=int), np.array([200, 1], dtype=np.uint8),
], ids=str)  # fmt: skip
def test_a_frame_tells_its_numbers_as_plotly_does(values: np.ndarray) -> None:
    base = theme.figure(100).add_scatter(x=[0], y=[0], name="line")
    film = frames.moving(base, [frames.Change("a", {"line": {"y": values}}, {})])
    written, checked = film.to_dict()["frames"][0]["data"][0]["y"], film.frames[0].data[0].y
    numbers = np.frombuffer(base64.b64decode(written["bdata"]), written["dtype"])
    assert np.array_equal(numbers.reshape(values.shape), np.asarray(checked), equal_nan=True)
    assert json.loads(film.to_json())["frames"][0]["data"][0]["y"] == written
    assert copy.deepcopy(film).to_dict() == film.to_dict()
