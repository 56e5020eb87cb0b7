"""Pictures and words of the chimeras page say what their numbers say."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.pictures import bars, chimeras
from explorer.pictures.efficiency import efficiency
from explorer.words import chimeras as words
from ked.what_if import BLUR, MEAN, SELF

GROUPS = ((0, 1, 4), (2, 3, 5, 6, 7), (8, 9, 10, 11))
SHAPE = (3, 4)


def test_an_outline_has_an_edge_for_each_side_of_a_pixel_that_leads_out() -> None:
    inside = np.array([[1, 1, 0], [0, 1, 0]], dtype=bool)
    x, y = chimeras.outline(inside, 0.0)
    edges = {frozenset([(x[i], y[i]), (x[i + 1], y[i + 1])]) for i in range(0, len(x), 3)}
    assert len(edges) == len(x) // 3 == 8  # the L has a rim of eight sides
    assert frozenset([(0.5, 0.5), (1.5, 0.5)]) not in edges  # between two of its own pixels


def test_outlines_of_neighbours_stand_side_by_side() -> None:
    left, right = (chimeras.outline(np.array([[m == 0, m == 1]]), 0.07)[0] for m in range(2))
    assert max(v for v in left if v is not None) == pytest.approx(0.43)
    assert min(v for v in right if v is not None) == pytest.approx(0.57)


def test_only_replaced_parts_are_tinted_and_a_click_on_a_pixel_names_its_superfeature() -> None:
    figure = chimeras.assembled(GROUPS, np.linspace(0, 1, 12), SHAPE, ["1", "2 ← 7", "3"], replaced=(False, True, False))
    parts = next(trace for trace in figure.data if trace.name == "parts")
    flat = np.asarray(parts.z).reshape(12, 4)
    assert {d for d in range(12) if flat[d, 3]} == set(GROUPS[1])
    assert np.asarray(parts.customdata).reshape(12)[list(GROUPS[2])].tolist() == [3] * 4
    assert "2 ← 7" in [note.text for note in figure.layout.annotations]


def test_in_a_fine_picture_only_what_is_replaced_or_lit_up_is_outlined() -> None:
    halves, image = (range(200), range(200, 400), range(400, 600)), np.linspace(0, 1, 600)
    figure = chimeras.assembled(halves, image, (20, 30), [""] * 3, replaced=(True, False, False), selected=2)
    assert [trace.name for trace in figure.data if trace.type == "scatter"] == ["outline 1", "outline 3"]
    coarse = chimeras.assembled(GROUPS, image[:12], SHAPE, [""] * 3, replaced=(False, False, False))
    assert [trace.name for trace in coarse.data if trace.type == "scatter"] == ["outline 1", "outline 2", "outline 3"]


def test_changes_show_both_values_of_each_superfeature() -> None:
    before, after = np.array([1.0, -2.0]), np.array([1.0, 0.5])
    figure = chimeras.changes(before, after, ["1", "2 ← mean"], replaced=(False, True), limit=2.0, selected=None)
    assert [list(trace.x) for trace in figure.data] == [[1.0, -2.0], [1.0, 0.5]]
    assert list(figure.layout.yaxis.ticktext) == ["1", "<b>2 ← mean</b>"]


def test_a_class_that_was_likely_before_is_shown_though_it_is_not_now() -> None:
    now, before = np.full(20, 0.0), np.full(20, 0.0)
    now[3] = before[17] = 1.0
    figure = bars.class_probabilities({"ked": now}, [f"class {c}" for c in range(20)], before={"ked": before}, most=2)
    assert list(figure.layout.yaxis.ticktext) == ["class 3", "class 17"]
    assert list(figure.data[1].x) == [None, 1.0]


def test_the_efficiency_curve_has_means_and_half_intervals_over_the_seeds() -> None:
    figure = efficiency({"kd": {50: np.array([0.5, 0.6, 0.7]), 100: np.array([0.8, 0.8])}}, {"kd": "KD"})
    assert list(figure.data[0].y) == pytest.approx([60.0, 80.0])
    assert list(figure.data[0].error_y.array) == pytest.approx([4.3026527 * 10.0 / 3**0.5, 0.0])  # two seeds give none


# Words


def test_donors_survive_the_address() -> None:
    assert words.parse("self,mean,17,blur") == (SELF, MEAN, 17, BLUR)


@pytest.mark.parametrize(
    ("donors", "sentence"),
    [
        ((SELF, 7, MEAN), "superfeature 2 from test sample 7 (dog) and superfeature 3 from the training mean; all else is test sample 4."),
        ((BLUR, MEAN), "superfeature 1 from the sample, blurred and superfeature 2 from the training mean."),
    ],
)  # fmt: skip
def test_where_the_parts_come_from(donors: tuple[int | str, ...], sentence: str) -> None:
    titles = ["dog" if donor == 7 else "" for donor in donors]
    assert words.composed(donors, [donor != SELF for donor in donors], 4, titles) == f"The chimera takes {sentence}"


def test_nothing_replaced_is_said() -> None:
    assert words.composed((SELF, SELF), (False, False), 4, ("", "")).startswith("Nothing is replaced yet")


def test_an_answer_moves_or_stays() -> None:
    first, then = np.log([0.9, 0.1]), np.log([0.4, 0.6])
    assert words.movement("teacher", first, then, ("cat", "dog")) == "The teacher goes from **cat** (90 %) to **dog** (60 %)."
    assert words.movement("teacher", first, np.log([0.7, 0.3]), ("cat", "dog")) == "The teacher stays with **cat** (90 %, now 70 %)."


def test_the_cause_is_the_replaced_superfeature_that_changed_most() -> None:
    before, after = np.array([1.0, 3.0, 0.5]), np.array([1.0, -1.0, 0.4])
    text = words.cause(before, after, (False, True, True), "cat")
    assert text.startswith("For the class cat, superfeature 2 loses most: its contribution goes from +3.00 to −1.00. The other one")
    assert words.cause(before, after, (True, True, True), "cat").endswith("to −1.00.")
    assert words.cause(before, before, (False, False, False), "cat") == ""
    assert words.cause(before, before, (True, True, True), "cat") == "For the class cat, no contribution changes by as much as 0.01 nats."
