"""Sentences say what their numbers say: orders, signs, directions and units, each from numbers of which it is known."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.words import chimeras, explain, results
from ked.communities.yardsticks import Yardsticks
from ked.statistics import Interval


def test_the_same_order_of_importance_is_that_of_all_superfeatures_and_not_of_the_first_alone() -> None:
    teacher = np.array([3.0, 2.0, 1.0])
    assert explain.comparison(teacher, np.array([9.0, 5.0, 0.5])).endswith("the same order of importance.")
    assert explain.comparison(teacher, np.array([9.0, 0.5, 5.0])).endswith("a different order of importance.")
    assert "agree on the sign of 2 of 3" in explain.comparison(teacher, np.array([9.0, -0.5, 5.0]))


INDEPENDENCE = {0.1: "no more", 0.25: "no more", 0.26: "a little more", 0.4: "more", 0.625: "much more", 0.93: "far more"}


@pytest.mark.parametrize(("inside", "verdict"), INDEPENDENCE.items())
def test_how_independent_groups_are_is_measured_from_chance_to_one(inside: float, verdict: str) -> None:
    """At a chance of a quarter: 0.625 is half the way, and 0.925 nine tenths of it."""
    assert f"inside them: {verdict} than the 25.0 %" in explain.independence(inside, 0.25, 4)


def test_modularity_is_told_beside_that_of_shuffled_links() -> None:
    told = explain.structure(0.124, Yardsticks(-0.011, 0.078))
    assert "modularity of 0.078" in told
    assert "of the 0.124 here, only what lies above that" in told
    assert "no more than that" in explain.structure(0.05, Yardsticks(0.0, 0.078))
    assert explain.structure(0.2, Yardsticks(0.0, 0.1), -0.02).endswith("adjusted Rand index of −0.02 (1: the same; 0: chance).")


def test_errors_and_differences_are_counted_over_all_samples() -> None:
    teacher, student, truth = np.array([0, 1, 2, 3]), np.array([0, 1, 0, 0]), np.array([0, 1, 2, 0])
    told = explain.over_the_test_set(teacher, student, truth)
    assert "of 4 test samples this student answers 1 wrongly (25.0 % ± 32.7 points" in told  # Wilson 1927
    assert "and 2 otherwise than its teacher" in told


def test_the_contribution_that_changed_most_is_named_with_its_direction() -> None:
    before = np.array([1.0, 2.0, 3.0])
    told = chimeras.cause(before, np.array([1.5, 0.5, 3.0]), [True, True, False], "7")
    assert told.startswith("For the class 7, superfeature 2 loses most: its contribution goes from +2.00 to +0.50.")
    assert chimeras.cause(before, np.array([4.0, 2.0, 3.0]), [True, False, False], "7").startswith("For the class 7, superfeature 1")
    unreplaced = chimeras.cause(before, np.array([1.5, 2.0, 99.0]), [True, False, False], "7")
    assert unreplaced.startswith("For the class 7, superfeature 1 gains most")


def test_an_answer_that_moves_is_told_with_both_shares() -> None:
    before, after = np.log([0.7, 0.2, 0.1]), np.log([0.1, 0.6, 0.3])
    assert chimeras.movement("teacher", before, after, "abc") == "The teacher goes from **a** (70 %) to **b** (60 %)."
    assert chimeras.movement("teacher", before, before, "abc") == "The teacher stays with **a** (70 %, now 70 %)."


def test_accuracies_are_in_percent_and_their_differences_in_points() -> None:
    assert results.points(Interval(0.0123, 0.0023, 0.0223)) == "+1.23 ± 1.00"
    assert results.points(Interval(-0.0123, float("nan"), float("nan"))) == "−1.23"
    assert results.percent(Interval(0.95, 0.94, 0.96)) == "95.00 % ± 1.00 points"
    assert results.percent(Interval(0.95, float("nan"), float("nan")), 1) == "95.0 %"
