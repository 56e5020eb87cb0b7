"""Recipes: JSON both ways, what each setting makes a stage run again, and one sentence for each wrong value."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ked.errors import InvalidInput
from ked.methods import METHODS
from ked.recipe import Recipe, stage_keys, stage_names

OTHER: dict[str, Any] = {
    "dataset": "fashion-mnist",
    "superfeatures": 3,
    "grouping": "random",
    "reduce": "mean_abs",
    "scale": "std",
    "dependency_samples": 999,
    "engine": "scikit-network",
    "teacher_hidden": (64,),
    "student_hidden": (21, 20),
    "activation": "gelu",
    "seeds": 3,
    "seed": 1,
    "epochs": 21,
    "teacher_epochs": 21,
    "batch_size": 64,
    "teacher_batch_size": 64,
    "lr": 1e-2,
    "temperature": 4.0,
    "tau": 4.0,
    "lam": 0.5,
    "mu": 0.5,
    "device": "cpu",
    "methods": ("kd",),
    "chimeras": 300,
    "chimera_epochs": 2,
    "label": "species",
    "train_size": 500,
}
"""Another value for each setting."""

ALL = Recipe.make(methods=tuple(METHODS))
STAGES = set(stage_names(ALL))
GO_ON = {"student-kd+chimera", "student-kd+real", "student-ked+chimera", "student-ked+real"}
WITH_EXPLANATIONS = {"student-ked", "student-shuffled", "student-noise", "student-ked+chimera", "student-ked+real"}
KED_NETS = WITH_EXPLANATIONS | {"student-architecture", "student-mu0"}
DISTILLED = WITH_EXPLANATIONS | {"student-kd", "student-kd-explaining", "student-mu0"} | GO_ON
STUDENTS = {f"student-{name}" for name in METHODS}
FROM_SUPERFEATURES = {"superfeatures", "explaining", "student-kd-explaining", "student-kd+chimera"} | KED_NETS
FROM_DEPENDENCY = {"dependency"} | FROM_SUPERFEATURES

MOVES: dict[str, set[str]] = {
    "dataset": STAGES,
    "superfeatures": FROM_SUPERFEATURES,
    "grouping": FROM_SUPERFEATURES,
    "engine": FROM_SUPERFEATURES,
    "reduce": FROM_DEPENDENCY,
    "scale": FROM_DEPENDENCY,
    "dependency_samples": FROM_DEPENDENCY,
    "teacher_hidden": STAGES - {"student-plain"},
    "teacher_epochs": STAGES - {"student-plain"},
    "teacher_batch_size": STAGES - {"student-plain"},
    "student_hidden": STUDENTS,
    "epochs": STUDENTS,
    "batch_size": STUDENTS,
    "seeds": STUDENTS,
    "activation": STAGES,
    "seed": STAGES,
    "lr": STAGES,
    "temperature": DISTILLED,
    "lam": DISTILLED,
    "tau": WITH_EXPLANATIONS,
    "mu": WITH_EXPLANATIONS,
    "device": set(),
    "methods": set(),
    "chimeras": GO_ON,
    "chimera_epochs": GO_ON,
    "label": STAGES,
    "train_size": STAGES,
}
"""Setting -> the stages that run again when it changes."""


def test_the_tables_name_every_setting() -> None:
    assert set(OTHER) == set(MOVES) == set(Recipe.model_fields)


@pytest.mark.parametrize("setting", MOVES)
def test_a_setting_moves_the_stages_that_depend_on_it_and_no_others(setting: str) -> None:
    before, after = stage_keys(ALL), stage_keys(ALL.without(**{setting: OTHER[setting]}))
    assert {stage for stage, key in after.items() if key != before[stage]} == MOVES[setting]


def test_another_method_leaves_the_others_where_they_are() -> None:
    few, many = Recipe.make(methods=("plain", "kd")), Recipe.make(methods=("plain", "kd", "ked"))
    assert stage_keys(few).items() < stage_keys(many).items()


def test_keys_are_different_safe_as_folder_names_and_the_same_tomorrow() -> None:
    keys = stage_keys(ALL)
    assert len(set(keys.values())) == len(keys)
    for stage, key in keys.items():
        assert key.removeprefix(f"{stage}-").isalnum()
    assert stage_keys(Recipe.make(methods=tuple(METHODS))) == keys


def test_stages_come_in_the_order_of_work() -> None:
    assert stage_names(Recipe.make(methods=("ked", "plain"))) == (
        "teacher",
        "dependency",
        "superfeatures",
        "explaining",
        "student-plain",
        "student-ked",
    )


def test_the_explaining_teacher_is_left_out_where_no_method_needs_it() -> None:
    assert "explaining" not in stage_names(Recipe.make(methods=("plain", "kd", "architecture")))


@pytest.mark.parametrize("recipe", [Recipe(), ALL, Recipe.make(**OTHER)], ids=["default", "all methods", "other"])
def test_json_gives_the_same_recipe_back(recipe: Recipe) -> None:
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    again = Recipe.make(**json.loads(json.dumps(recipe.model_dump())))
    assert again == recipe
    assert stage_keys(again) == stage_keys(recipe)


def test_methods_keep_the_tables_order_and_are_named_once() -> None:
    assert Recipe.make(methods=("ked", "plain", "ked")).methods == ("plain", "ked")


def test_a_recipe_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Recipe().mu = 0.1  # type: ignore[misc]


def test_seeds_count_up_from_the_first() -> None:
    assert Recipe.make(seed=5, seeds=3).seed_list == (5, 6, 7)


BATCHES = [
    ("teacher", 55_000, 500),
    ("student", 55_000, 100),
    ("teacher", 1078, 53),
    ("student", 1078, 53),
    ("student", 107, 16),
]


@pytest.mark.parametrize(("who", "count", "size"), BATCHES)
def test_batches_are_the_papers_but_twenty_an_epoch_unless_that_is_tiny(who: Any, count: int, size: int) -> None:
    assert Recipe().batch_for(who, count) == size


def test_a_batch_size_that_is_set_is_taken() -> None:
    recipe = Recipe.make(batch_size=7, teacher_batch_size=9)
    assert (recipe.batch_for("student", 10), recipe.batch_for("teacher", 10)) == (7, 9)


NAN, INFINITY = float("nan"), float("inf")
WRONG: list[tuple[str, Any, str]] = [
    ("dataset", "imagenet", "digits, fashion-mnist"),
    ("methods", ("magic",), "plain, kd"),
    ("methods", (), "at least 1"),
    ("grouping", "by-hand", "hessian, random"),
    ("superfeatures", 0, "greater than or equal to 1"),
    ("superfeatures", "four", "integer"),
    ("reduce", "median", "'abs_mean' or 'mean_abs'"),
    ("scale", "max", "'std'"),
    ("engine", "leiden", "'python-louvain' or 'scikit-network'"),
    ("activation", "sin", "'relu', 'gelu'"),
    ("dependency_samples", 0, "greater than or equal to 1"),
    ("teacher_hidden", (), "at least 1"),
    ("student_hidden", (20, 0), "at least one unit"),
    ("student_hidden", (20, -5), "at least one unit"),
    ("seeds", 0, "greater than or equal to 1"),
    ("seeds", 101, "less than or equal to 100"),
    ("seed", -1, "greater than or equal to 0"),
    ("epochs", -1, "greater than or equal to 0"),
    ("epochs", 2.5, "integer"),
    ("teacher_epochs", -3, "greater than or equal to 0"),
    ("batch_size", 0, "greater than or equal to 1"),
    ("teacher_batch_size", 0, "greater than or equal to 1"),
    ("lr", 0.0, "greater than 0"),
    ("lr", NAN, "finite"),
    ("lr", INFINITY, "finite"),
    ("temperature", -1.0, "greater than 0"),
    ("temperature", NAN, "finite"),
    ("tau", 0.0, "greater than 0"),
    ("lam", 1.5, "less than or equal to 1"),
    ("lam", NAN, "less than or equal to 1"),
    ("mu", -0.1, "greater than or equal to 0"),
    ("device", "tpu", "auto"),
    ("colour", "red", "not permitted"),
]


@pytest.mark.parametrize(("setting", "value", "allowed"), WRONG)
def test_a_wrong_value_is_named_with_what_is_allowed(
    setting: str, value: Any, allowed: str, one_sentence: Callable[[str], str]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        Recipe.make(**{setting: value})
    message = one_sentence(str(caught.value))
    assert allowed in message
    named = value[0] if setting == "methods" and value else value
    assert repr(named) in message


def test_a_changed_recipe_is_validated_too() -> None:
    with pytest.raises(InvalidInput, match="mu = 7"):
        Recipe().without(mu=7)
