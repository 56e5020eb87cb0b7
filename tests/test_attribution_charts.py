"""Figures of the attributions page show the numbers that they were given."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.pictures import attribution_charts as charts
from explorer.pictures import maps, theme
from explorer.pictures.deletion_curves import Order, order_curves
from ked.attribution import ATTRIBUTIONS

SHAPE = (4, 6)


def cell(values: np.ndarray | None) -> maps.Cell:
    return maps.Cell(np.linspace(0, 1, 24), values, ("KED",), "KED, saliency", ("del .1", "own .2"))


def test_a_map_is_a_share_of_its_own_strongest_place() -> None:
    assert charts.normalised(np.array([1.0, -4.0, 0.0])).tolist() == [0.25, -1.0, 0.0]
    assert charts.normalised(np.zeros(3)).tolist() == [0, 0, 0]


def test_signed_maps_are_drawn_on_the_diverging_scale_with_their_texts_above_and_under() -> None:
    values = np.linspace(-1, 1, 24).reshape(SHAPE)
    drawing = maps.sheet([cell(values), cell(None)], SHAPE, None, limit=1.0, columns=1, width=108, head="<b>Saliency</b><br> ")
    tint = drawing.data[1]
    assert (tint.zmin, tint.zmax) == (-1, 1)
    assert tuple(tuple(step) for step in tint.colorscale) == theme.DIVERGING
    assert np.asarray(tint.z) == pytest.approx(values, abs=1e-6)
    assert len(drawing.data) == 3  # the second net has no map
    notes = drawing.layout.annotations
    assert [note.text for note in notes] == ["<b>Saliency</b><br> ", *["KED", "del .1", "own .2"] * 2]
    boxes = drawing.layout.shapes
    assert notes[1].y == boxes[0].y0
    assert notes[2].y == notes[3].y == boxes[0].y1 < boxes[1].y0
    assert notes[2].yshift > notes[3].yshift


def test_bars_of_a_table_are_the_values_in_the_order_that_is_shown_and_a_net_without_any_keeps_its_place() -> None:
    panels = [charts.Panel("black box", None, ("does",)), charts.Panel("KED student", np.array([0.5, -1.0, 0.25]), ("del .1",))]
    drawing = charts.feature_bars(panels, ("ash", "hue", "<b>"), (2, 0), ["#0077BB"] * 3, "Occlusion")
    assert [list(bar.x) for bar in drawing.data] == [[0, 0], [0.25, 0.5]]
    assert [text.rsplit(" ", 1)[1] for text in drawing.layout.yaxis.ticktext] == ["&lt;b&gt;", "ash"]
    assert {"<b>Occlusion</b>", "KED<br>student", "does", "del .1"} == {
        note.text for note in drawing.layout.annotations if note.text != "black<br>box"
    }


def test_the_matrix_and_the_pairs_show_their_values_and_a_dash_for_none() -> None:
    values = np.array([[1.0, -0.25], [-0.25, np.nan]])
    heat = charts.matrix(values, ["own", "saliency"]).data[0]
    assert [list(row) for row in heat.text] == [["1.00", "−0.25"], ["−0.25", "–"]]
    assert (heat.zmin, heat.zmax) == (-1, 1)
    drawing = charts.pairs({"a, b": [0.5, -1.0], "c, d": [0.1, 0.2]}, ["own", "saliency"], {"a, b": "#E07B00", "c, d": "#3B78C9"})
    assert [list(trace.x) for trace in drawing.data] == [[0.5, -1.0], [0.1, 0.2]]
    assert [trace.marker.color for trace in drawing.data] == ["#E07B00", "#3B78C9"]
    assert drawing.layout.annotations[0].yshift != drawing.layout.annotations[1].yshift  # one legend line each


def test_shapley_values_are_a_bar_a_game_in_their_superfeatures_colours() -> None:
    games = {"own": np.array([1.0, -2.0]), "Captum": np.array([1.0, -2.0]), "blanked": np.array([0.5, 0.0])}
    drawing = charts.shapley(games)
    assert [list(bar.x) for bar in drawing.data] == [[1, -2], [1, -2], [0.5, 0]]
    assert list(drawing.data[0].marker.color) == [theme.faded(theme.superfeature_colour(m), 1.0) for m in range(2)]


def test_the_scale_is_the_one_that_maps_are_drawn_on() -> None:
    heat = charts.scale().data[0]
    assert tuple(tuple(step) for step in heat.colorscale) == theme.DIVERGING
    assert heat.z[0][0] == -heat.z[0][-1] == -1


@pytest.mark.parametrize(("removed", "expected"), [(True, ["saliency", "own", "occlusion"]), (False, ["occlusion", "own", "saliency"])])
def test_orders_are_ranked_by_their_area_which_is_good_when_small_or_when_large(removed: bool, expected: list[str]) -> None:
    shares, areas = np.linspace(0, 1, 5), {"own": 0.5, "saliency": 0.25, "occlusion": 0.75}
    orders = [Order(name, name, shares, np.full(5, area), area) for name, area in areas.items()]
    drawing = order_curves(orders, removed=removed, what="<b>3")
    assert [line.name for line in reversed(drawing.data)] == expected
    assert [note.text.split("</span> ")[1].removesuffix("</b>") for note in drawing.layout.annotations[1:]] == [
        f"{areas[name]:.2f} {name}" for name in expected
    ]
    assert drawing.data[0].line.color == theme.ATTRIBUTIONS[expected[-1]][0]
    assert drawing.layout.yaxis.title.text == "probability of &lt;b&gt;3"


def test_every_method_has_a_line_of_its_own() -> None:
    assert set(theme.ATTRIBUTIONS) == set(ATTRIBUTIONS)
    assert len(set(theme.ATTRIBUTIONS.values())) == len(ATTRIBUTIONS)
