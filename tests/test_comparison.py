"""Comparing runs: only what shares seeds and data is paired, and only settings that differ are listed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from ked.library.comparison import differing, pair
from ked.recipe import Recipe
from ked.runs.presets import RECIPES


def info(seeds: list[int], ked: list[float] | None, **recipe: Any) -> dict[str, Any]:
    """What run.json says of a run with these accuracies."""
    accuracy: dict[str, Any] = {"teacher": 0.9} | ({} if ked is None else {"ked": ked})
    return {"recipe": Recipe.make(**recipe).model_dump(), "seeds": seeds, "summary": {"accuracy": accuracy}}


def test_runs_are_paired_by_the_seeds_that_both_have() -> None:
    one, other = info([3, 4, 5, 6], [0.1, 0.2, 0.35, 0.4]), info([5, 6, 4, 7], [0.3, 0.38, 0.1, 0.9])
    found = pair(one, other, "ked")
    assert (found.seeds, found.reason) == ((4, 5, 6), "")
    assert found.difference is not None
    result = stats.ttest_rel([0.2, 0.35, 0.4], [0.1, 0.3, 0.38])
    low, high = result.confidence_interval(0.95)
    np.testing.assert_allclose(found.difference, (0.17 / 3, low, high))


def test_turning_a_pair_round_turns_the_sign() -> None:
    one, other = info([0, 1, 2], [0.9, 0.8, 0.7]), info([0, 1, 2], [0.6, 0.7, 0.65])
    there, back = pair(one, other, "ked").difference, pair(other, one, "ked").difference
    assert there is not None
    assert back is not None
    np.testing.assert_allclose(there.mean, -back.mean)
    np.testing.assert_allclose((there.low, there.high), (-back.high, -back.low))


UNPAIRED = {
    "other seeds": (info([5, 6], [0.5, 0.5]), "no shared seeds"),
    "one seed": (info([1, 6], [0.5, 0.5]), "one shared seed"),
    "without the method": (info([0, 1], None), "not in both runs"),
    "other data": (info([0, 1], [0.5, 0.5], dataset="wine"), "other data"),
    "a run without a result": ({"recipe": Recipe().model_dump(), "seeds": [0, 1]}, "not in both runs"),
}


@pytest.mark.parametrize("case", UNPAIRED)
def test_what_does_not_belong_together_is_not_paired(case: str) -> None:
    other, reason = UNPAIRED[case]
    for found in (pair(info([0, 1], [0.5, 0.6]), other, "ked"), pair(other, info([0, 1], [0.5, 0.6]), "ked")):
        assert (found.difference, found.reason) == (None, reason)


def test_nets_that_do_not_depend_on_what_differs_are_the_same_and_nothing_is_measured() -> None:
    one, other = info([0, 1, 2], [0.5, 0.6, 0.7]), info([0, 1, 2, 3], [0.5, 0.6, 0.7, 0.8], superfeatures=2)
    for run in (one, other):
        run["recipe"]["seeds"] = len(run["seeds"])
        run["summary"]["accuracy"]["kd"] = run["summary"]["accuracy"]["ked"]
    found = pair(one, other, "kd")
    assert (found.same, found.difference, found.reason) == (True, None, "the same nets")
    assert found.seeds == (0, 1, 2)
    measured = pair(one, other, "ked")
    assert not measured.same, "equal by chance, as these depend on M"
    assert measured.difference is not None
    other["summary"]["accuracy"]["kd"] = [0.5, 0.6, 0.75, 0.8]
    assert not pair(one, other, "kd").same, "computed elsewhere, with other rounding"


def test_teachers_are_trained_once_and_never_paired() -> None:
    assert pair(info([0, 1], [0.5, 0.6]), info([0, 1], [0.5, 0.6]), "teacher").difference is None


def test_only_settings_that_differ_are_listed() -> None:
    recipes = [RECIPES["digits"], RECIPES["digits"].without(mu=0.3, superfeatures=8), RECIPES["digits"].without(mu=0.3)]
    assert differing(recipes) == {"superfeatures": (4, 8, 4), "mu": (0.7, 0.3, 0.3)}
    assert differing(recipes[:1]) == differing(recipes[:1] * 3) == {}
    assert set(differing([Recipe(), RECIPES["fashion-mnist"]])) >= {"dataset", "teacher_hidden", "methods"}
