"""The pictures of the agreement page show what they are given: means where they are, chance beside them, no cell too many."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.pictures import agreement_charts, theme
from explorer.pictures.levels import Level, Scale, levels
from ked.statistics import interval

LABELS = {"ked": "KED", "plain": "plain", "mu0": "KED without explanations"}
VALUES = {"plain": None, "ked": np.array([0.8, 0.9, 1.0]), "mu0": np.array([0.5, 0.6, 0.4])}


def trace(figure: go.Figure, name: str) -> Any:
    (found,) = [one for one in figure.data if one.name == name]
    return found


def test_a_row_has_a_dot_a_seed_and_the_mean_with_its_interval() -> None:
    figure = levels(VALUES, Scale("cosine"), labels=LABELS)
    found = interval(VALUES["ked"])  # type: ignore[arg-type]
    assert trace(figure, "KED, seeds").x.tolist() == pytest.approx([0.8, 0.9, 1.0])
    assert list(trace(figure, "KED").x) == pytest.approx([0.9])
    assert list(trace(figure, "KED, interval").x) == pytest.approx([found.low, found.high])
    assert trace(figure, "KED").marker.color == theme.method_colour("ked")
    assert any("0.90</b> ± 0.25" in note.text for note in figure.layout.annotations)


def test_a_method_without_values_says_why_and_has_no_dot() -> None:
    figure = levels(VALUES, Scale("cosine"), labels=LABELS, missing="a black box")
    assert sum(note.text == "a black box" for note in figure.layout.annotations) == 1
    assert not [one for one in figure.data if one.name and one.name.startswith("plain")]
    assert figure.layout.yaxis.ticktext[0] == "plain"


def test_each_method_has_its_own_level_of_chance_and_the_axis_shows_it() -> None:
    lines = [Level("another", each={"ked": 0.1, "mu0": 0.2}), Level("exact", at=-0.4, dash="dot"), Level("just words")]
    figure = levels(VALUES, Scale("cosine", low=-1, high=1), labels=LABELS, lines=lines)
    drawn = trace(figure, "another")
    assert [x for x in drawn.x if x is not None] == [0.1, 0.1, 0.2, 0.2]
    assert [round(y) for y in drawn.y if y is not None] == [1, 1, 2, 2]
    low, high = figure.layout.xaxis.range
    assert low < -0.4
    assert 1.0 < high < 1.2
    (head,) = [note.text for note in figure.layout.annotations if "another" in note.text]
    assert head.count("<br>") == 2
    assert "– – another" in head
    assert ">just words" in head


def test_values_are_scaled_everywhere_and_one_seed_has_no_interval() -> None:
    figure = levels({"ked": np.array([0.5])}, Scale("accuracy, %", factor=100, decimals=1), labels=LABELS)
    assert list(trace(figure, "KED").x) == [50.0]
    assert [note.text for note in figure.layout.annotations if "50" in note.text] == ["<b>50.0</b>"]


def test_ink_is_full_agreement_whichever_way_the_measure_points() -> None:
    cells = np.array([[0.2, np.nan], [0.9, 0.5]])
    sides = ["superfeature 1", "all"]
    up = agreement_charts.matrix(cells, sides, ["cat", "<b>dog"], chance=0.1, best=1.0, title="cosine", spread=cells / 10)
    down = agreement_charts.matrix(cells, sides, ["cat", "dog"], chance=1.0, best=0.0, title="divergence")
    assert (up.data[0].zmin, up.data[0].zmax) == (0.1, 1.0)
    assert (down.data[0].zmin, down.data[0].zmax) == (0.0, 1.0)
    assert up.data[0].colorscale[-1][1] == theme.INK
    assert down.data[0].colorscale[0][1] == theme.INK
    assert up.data[0].text[1] == ["all, cat: 0.900 ± 0.090", "all, &lt;b&gt;dog: 0.500 ± 0.050"]
    assert down.data[0].text[1][0] == "all, cat: 0.900"


def test_numbers_stand_in_cells_where_each_has_room() -> None:
    narrow, wide = (
        agreement_charts.matrix(np.zeros((1, count)), ["all"], list("abcdefghijkl")[:count], chance=0, best=1, title="").layout.meta
        for count in (2, 12)
    )
    phone, digits = 358, 22  # pixels of a figure on a phone, and of a number such as 0.98
    assert narrow["lettered"] < phone < wide["lettered"]
    assert wide["lettered"] - narrow["lettered"] > 10 * digits


def test_of_many_classes_those_that_agree_least_and_most_are_shown_in_that_order() -> None:
    whole = np.random.default_rng(0).permutation(100) / 100.0
    names = [f"class {value:.2f}" for value in whole]
    for best, expected in ((1.0, [*range(6), *range(94, 100)]), (-1.0, [*range(99, 93, -1), *range(5, -1, -1)])):
        figure = agreement_charts.matrix(np.stack([-whole, whole]), ["superfeature 1", "all"], names, chance=0.0, best=best, title="x")
        assert list(figure.layout.xaxis.ticktext) == [f"class {value / 100:.2f}" for value in expected]
        np.testing.assert_allclose(figure.data[0].z, [[-value / 100 for value in expected], [value / 100 for value in expected]])
    assert agreement_charts.telling(np.array([[np.nan, *whole]])) == [c + 1 for c in np.argsort(whole)[[*range(6), *range(-6, 0)]]]
    assert agreement_charts.telling(np.array([[0.5, np.nan, 0.1]])) == [0, 1, 2]
    assert agreement_charts.matrix(np.ones((1, 2)), ["all"], ["a", "b"], chance=1.0, best=1.0, title="x").data[0].zmax > 1


def test_a_dot_of_the_scatter_is_one_class_of_one_sample_in_its_superfeatures_colour() -> None:
    teacher, student = np.random.default_rng(0).normal(size=(2, 2, 5, 3))
    figure = agreement_charts.scatter(teacher, student, ["superfeature 1", "superfeature 4"], [0, 3], [f"sample {n}" for n in range(5)])
    equal, first, second = figure.data
    assert list(equal.x) == list(equal.y)
    np.testing.assert_allclose(second.x, teacher[1].ravel())
    np.testing.assert_allclose(second.y, student[1].ravel())
    assert second.marker.color == theme.superfeature_colour(3)
    assert first.text[4] == "sample 1"
    assert figure.layout.xaxis.range == figure.layout.yaxis.range


def test_a_hill_counts_every_sample_once() -> None:
    draw = np.random.default_rng(1)
    samples, chance = {"ked": draw.normal(0.5, 0.1, (2, 400))}, {"ked": draw.normal(0, 0.1, (2, 400))}
    figure = agreement_charts.distribution(samples, {"beside another sample's": chance}, "cosine", labels=LABELS, bounds=(-1.0, 1.0))
    behind, hill = figure.data
    assert behind.line.dash == "dot"
    for one in (behind, hill):
        shares = [float(text.removesuffix(" %")) for text in one.text[1:-1:2]]
        assert sum(shares) == pytest.approx(100, abs=2.1)  # each is rounded to a tenth
        assert max(one.y) == pytest.approx(0.9)
    assert any(note.text == f"<b>{np.median(samples['ked']):.2f}</b>" for note in figure.layout.annotations)


@pytest.mark.parametrize("values", [[0.0, 0.5, 1.0], [1.0], [0.0, 1 / 6, 1 / 3, 0.5, 1.0]])
def test_a_measure_of_few_values_has_a_step_for_each(values: list[float]) -> None:
    samples = {"ked": np.repeat(np.array(values)[None], 10, axis=0)}
    figure = agreement_charts.distribution(samples, {"beside another sample's": samples}, "shares", labels=LABELS, bounds=(0.0, 1.0))
    shares = [float(text.removesuffix(" %")) for text in figure.data[1].text[1:-1:2]]
    assert shares == pytest.approx([100 / len(values)] * len(values), abs=0.06)


def test_values_that_are_nearly_all_equal_still_have_a_distribution() -> None:
    values = np.ones((1, 100_000))
    values[0, :30] = np.linspace(0, 0.9, 30)
    figure = agreement_charts.distribution(
        {"ked": values}, {"beside another sample's": {"ked": values}}, "x", labels=LABELS, bounds=(-np.inf, np.inf)
    )
    assert np.isfinite(np.asarray(figure.data[1].y, dtype=float)).all()
