"""Pictures of superfeatures as they form: names that can be read, and numbers that belong to what is drawn."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.pictures.forming import moving_forming, moving_modularity
from ked.communities.superfeatures import from_labels, normalised

STATES = {1: {"modularity": 0.1, "sizes": [5, 7]}, 4: {"modularity": 0.3, "sizes": [6, 6]}}
TICKS = [("teacher-1", 1), ("teacher-3", 3), ("teacher-9", 9)]


def formed(names: list[str]) -> go.Figure:
    count = len(names)
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    places = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    state = np.arange(count) % 2, np.array([[0, 1]])
    return moving_forming({"teacher-1": state}, (count,), places=places, names=names)


def nodes(figure: go.Figure) -> go.Scatter:
    return next(trace for trace in figure.data if trace.name == "features")


def words(figure: go.Figure) -> dict[str, str]:
    return {frame.name: frame.layout.annotations[0].text for frame in figure.frames}


def dots(figure: go.Figure) -> dict[str, tuple[float, float]]:
    return {frame.name: (frame.data[0].x[0], frame.data[0].y[0]) for frame in figure.frames}


def test_a_tables_features_carry_their_names_away_from_the_links() -> None:
    found = nodes(formed(["east", "north", "west", "south"]))
    assert list(found.text) == ["east", "north", "west", "south"]
    assert list(found.textposition) == ["middle right", "top center", "middle left", "bottom center"]


def test_a_long_name_is_cut_and_what_a_user_wrote_is_no_markup() -> None:
    found = nodes(formed(["<b>x</b>", "a name that is far too long to be drawn beside a circle"]))
    assert found.text[0] == "&lt;b&gt;x&lt;/b&gt;"
    assert len(found.text[1]) == 16


@pytest.mark.parametrize(("count", "mode"), [(24, "markers+text"), (25, "markers")])
def test_more_features_than_fit_around_a_circle_have_no_names(count: int, mode: str) -> None:
    assert nodes(formed([f"feature {d}" for d in range(count)])).mode == mode


def test_modularity_and_sizes_are_those_of_the_newest_state_at_a_moment() -> None:
    figure = moving_modularity(STATES, TICKS, epochs=9)
    assert dots(figure) == {"teacher-1": (1, 0.1), "teacher-3": (1, 0.1), "teacher-9": (4, 0.3)}
    assert "5 · 7" in words(figure)["teacher-3"]
    assert "6 · 6" in words(figure)["teacher-9"]


def test_once_superfeatures_came_out_their_own_numbers_are_shown_at_the_teachers_last_epoch() -> None:
    rng = np.random.default_rng(0)
    W = rng.random((12, 12))
    final = from_labels(normalised(W + W.T), np.repeat([0, 1], [8, 4]), 1.0, "by hand", "")
    figure = moving_modularity(STATES, TICKS, epochs=9, final=("explaining-1", final))
    assert dots(figure)["explaining-1"] == (9, final.modularity)
    assert "8 · 4" in words(figure)["explaining-1"]
    assert "6 · 6" in words(figure)["teacher-9"], "while the teacher trained nothing had come out"
