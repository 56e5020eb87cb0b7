"""Accuracy against the number of training samples: from runs that differ in nothing else, and each student counts once."""

from __future__ import annotations

import itertools
import json
import shlex
from typing import Any

import numpy as np
import pytest
from command_line import Ked

from ked.library.efficiency import STUDENTS, command, curves, gained, sizes, with_few
from ked.recipe import Recipe
from ked.statistics import paired_difference
from ked.store import load_run

LIKE = Recipe(dataset="digits", epochs=3)
WHOLE = 1000


def info(status: str = "done", accuracy: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    recipe = LIKE.without(**({"seeds": 2} | changes))
    return {"status": status, "recipe": recipe.model_dump(), "summary": {"accuracy": accuracy or {"kd": [0.5, 0.7]}}}


def test_every_size_has_the_accuracies_of_its_students() -> None:
    small = info(train_size=50, accuracy={"teacher": 0.9, "kd": [0.2, 0.3], "ked": [0.4, 0.5], "plain": [0.1, 0.1]})
    found = curves([info(), small], LIKE, WHOLE)
    assert list(found) == ["kd", "ked"]
    assert {n: values.tolist() for n, values in found["kd"].items()} == {50: [0.2, 0.3], WHOLE: [0.5, 0.7]}
    assert list(found["kd"]) == [50, WHOLE]
    assert found["ked"][50].tolist() == [0.4, 0.5]


@pytest.mark.parametrize(
    "other",
    [{"epochs": 4}, {"mu": 0.1}, {"teacher_hidden": (9,)}, {"chimeras": 7}, {"status": "failed"}, {"status": "cancelled"}],
)
def test_runs_with_other_settings_or_without_an_end_do_not_count(other: dict[str, Any]) -> None:
    assert curves([info(**other)], LIKE, WHOLE) == {}


def test_a_run_that_was_steered_does_not_count() -> None:
    change = {"stage": "student-kd", "epoch": 1, "step": 1, "setting": "mu", "value": 0.2}
    assert curves([info(changes=[change])], LIKE, WHOLE) == {}


def test_more_seeds_add_up_and_the_same_seed_counts_once() -> None:
    others = info(seed=5, accuracy={"kd": [0.1, 0.2]})
    found = curves([info(), info(), others], LIKE, WHOLE)
    assert sorted(found["kd"][WHOLE].tolist()) == [0.1, 0.2, 0.5, 0.7]


def test_what_chimeras_add_is_paired_by_the_seeds_of_teacher_and_student() -> None:
    first = info(train_size=50, seeds=3, accuracy={"ked+chimera": [0.5, 0.6, 0.9], "ked+real": [0.4, 0.4, 0.6]})
    second = info(train_size=50, seed=7, accuracy={"ked+chimera": [0.1, 0.1]})  # has no control
    alone = info(train_size=9, seeds=1, accuracy={"ked+chimera": [0.5], "ked+real": [0.4]})  # one seed has no interval
    found = gained([first, second, alone], LIKE, WHOLE)
    assert list(found) == [50]
    assert found[50] == pytest.approx(paired_difference([0.5, 0.6, 0.9], [0.4, 0.4, 0.6]))
    assert found[50].mean == pytest.approx(0.2)


def test_a_damaged_entry_is_passed_over() -> None:
    assert list(curves([{"status": "done", "recipe": {"epochs": "many"}}, info()], LIKE, WHOLE)) == ["kd"]


def test_a_preset_gives_its_own_students() -> None:
    run = load_run("digits-preset")
    found = curves([run.info], run.recipe, WHOLE)
    assert list(found) == ["kd", "ked"]
    assert np.array_equal(found["ked"][WHOLE], run.info["summary"]["accuracy"]["ked"])


@pytest.mark.parametrize("whole", [60, 120, 1079, 55_000])
def test_sizes_end_with_all_samples_and_leave_room_between(whole: int) -> None:
    found = sizes(whole)
    assert found[-1] == whole
    assert all(2 * a <= b for a, b in itertools.pairwise(found))


def test_the_command_makes_the_run_that_the_curve_lacks(ked: Ked, small_recipe: Recipe) -> None:
    small = small_recipe.without(lam=0.5, scale="std", chimeras=100, chimera_epochs=1)
    answer = ked(*shlex.split(command(with_few(small, 50, WHOLE)))[3:], "--json")
    made = load_run(json.loads(answer.out)["run"])
    assert made.recipe == with_few(small, 50, WHOLE)
    found = curves([made.info], small, WHOLE)
    assert {method: [*points] for method, points in found.items()} == {method: [50] for method in STUDENTS}
