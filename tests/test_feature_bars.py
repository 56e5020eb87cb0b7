"""A table's sample is drawn as it was measured: values with their names, deviations with their signs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from test_pages_chimeras import numbers
from visitor import figure, sound, visit

from explorer.pictures import feature_bars, overlays, theme
from ked.data import load
from ked.recipe import Recipe
from ked.store import Run

GROUPS = ((2, 0), (1,))


def test_a_light_bird_is_on_the_other_side_than_a_heavy_one() -> None:
    light, heavy = np.array([2700.0, 0.1, 5.0]), np.array([6300.0, 0.1, 5.0])
    for values, side in ((light, -1), (heavy, 1)):
        deviations = (values - [4200.0, 0.1, 5.0]) / [800.0, 1.0, 1.0]
        (bars,) = feature_bars.measured(GROUPS, [f"{value:.0f}" for value in values], deviations, ("mass in g", "b", "c")).data
        assert np.sign(bars.x[1]) == side
        assert bars.x[1] == pytest.approx((values[0] - 4200) / 800)
        assert bars.text[1] == f"{values[0]:.0f}"


def test_each_bar_has_its_own_name_value_and_colour_in_the_order_of_the_superfeatures() -> None:
    drawn = feature_bars.measured(GROUPS, ("1", "−22.5", "1e−07"), np.array([0.5, -2.0, 0.0]), ("a", "b", "c" * 100), selected=1)
    (bars,) = drawn.data
    assert list(bars.text) == ["1e−07", "1", "−22.5"]
    assert list(bars.x) == [0.0, 0.5, -2.0]
    assert list(drawn.layout.yaxis.ticktext[1:]) == ["a", "b"]
    assert bars.customdata[0] == f"{'c' * 100}, superfeature 1"
    assert bars.marker.color[2] == theme.faded(theme.superfeature_colour(1), 1)
    low, high = drawn.layout.xaxis.range
    assert low < -2.5
    assert high > 1


def test_a_superfeature_that_is_switched_off_says_so_and_not_nothing() -> None:
    look = {"limit": 2.0, "names": ("a", "b", "c"), "members": [True, False]}
    (bars,) = overlays.contributions(GROUPS, np.array([1.5, -0.5]), (3,), np.zeros(3), **look).data  # type: ignore[arg-type]
    assert list(bars.text) == ["+1.50", "off"]
    assert list(bars.x) == [1.5, 0]


def test_explain_shows_a_wine_as_it_was_measured(small_recipe: Recipe, finish: Callable[[Recipe], Run]) -> None:
    run = finish(small_recipe.without(dataset="wine", superfeatures=3, epochs=1, teacher_epochs=1, methods=("ked",)))
    app, data = sound(visit("explain", data="wine", i="7", run=run.id), "explain"), load("wine")
    (bars,) = [trace for trace in figure(app, "sample")["data"] if trace["type"] == "bar"]
    row = data.test[7:8]
    measured, standard = data.original(row)[0].numpy(), data.x[row][0].numpy()
    order = [feature for group in run.superfeatures().groups for feature in group]
    assert bars["text"] == [f"{measured[d]:.4g}".replace("-", "−") for d in order]
    assert numbers(bars) == pytest.approx(standard[order], abs=1e-3)
    assert (numbers(bars) < 0).any(), "values below the mean point the other way"
