"""Recipes: JSON both ways, what each setting makes a stage run again, and one sentence for each wrong value."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ked.changes import Change
from ked.errors import InvalidInput
from ked.methods import METHODS, Method
from ked.recipe import Recipe
from ked.runs.stage_keys import stage_keys, stage_names

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
    "drop": ("length",), "keep": ("row",),
    "train_size": 500,
    "student_superfeatures": 3,
    "net": "small-cnn",
    "teacher_net": "resnet8",
    "optimiser": "sgd",
    "schedule": "cifar",
    "weight_decay": 1e-4,
    "augment": "crop",
    "rho": 0.5,
    "precision": "float32",
    "if_collapsed": "continue",
    "changes": (Change(stage="teacher", epoch=2, step=3, setting="lr", value=0.5),),
}
"""Another value for each setting."""



def _methods(which: Callable[[Method], object]) -> tuple[str, ...]:
    return tuple(name for name, method in METHODS.items() if which(method))


def _students(which: Callable[[Method], object]) -> set[str]:
    return {f"student-{name}" for name in _methods(which)}


ALL = Recipe.make(methods=_methods(lambda method: method.only != "cnn" and method.prediction != "truth"))
ALL_CNN = Recipe.make(net="small-cnn", methods=_methods(lambda method: method.only != "mlp" and method.prediction != "truth"))
STAGES, STAGES_CNN = set(stage_names(ALL)), set(stage_names(ALL_CNN))
STUDENTS = _students(lambda method: True)
GO_ON = _students(lambda method: method.further)
WITH_EXPLANATIONS = _students(lambda method: method.explanations)
KED_NETS = _students(lambda method: method.net == "ked")
DISTILLED = _students(lambda method: method.prediction or method.explanations)
FROM_SUPERFEATURES = {"superfeatures", "explaining"} | _students(lambda method: method.needs_explaining_teacher) | KED_NETS
FROM_DEPENDENCY = {"dependency"} | FROM_SUPERFEATURES
BUT_PLAIN = (STAGES | STAGES_CNN) - {"student-plain"}
FROM_EXPLAINING = {"explaining", "dependency", "superfeatures", "student-kd-explaining"} | KED_NETS
EVERYTHING = STAGES | STAGES_CNN

MOVES: dict[str, tuple[set[str], set[str]]] = {
    "dataset": (EVERYTHING, EVERYTHING),
    "superfeatures": (FROM_SUPERFEATURES, FROM_EXPLAINING),
    "student_superfeatures": (KED_NETS | {"superfeatures-student"}, KED_NETS),
    "grouping": (FROM_SUPERFEATURES, set()),
    "engine": (FROM_SUPERFEATURES, set()),
    "reduce": (FROM_DEPENDENCY, {"dependency", "superfeatures"}),
    "scale": (FROM_DEPENDENCY, set()),
    "dependency_samples": (FROM_DEPENDENCY, {"dependency", "superfeatures"}),
    "net": (set(), EVERYTHING),  # with another student comes another teacher
    "teacher_net": (set(), BUT_PLAIN),
    "teacher_hidden": (BUT_PLAIN, set()),
    "teacher_epochs": (BUT_PLAIN, BUT_PLAIN),
    "teacher_batch_size": (BUT_PLAIN, BUT_PLAIN),
    "student_hidden": (STUDENTS, set()),
    "epochs": (STUDENTS, STUDENTS),
    "batch_size": (STUDENTS, STUDENTS),
    "seeds": (STUDENTS, STUDENTS),
    "activation": (EVERYTHING, set()),
    "seed": (EVERYTHING, EVERYTHING),
    "lr": (EVERYTHING, EVERYTHING),
    "optimiser": (EVERYTHING, EVERYTHING),
    "schedule": (EVERYTHING, EVERYTHING),
    "weight_decay": (EVERYTHING, EVERYTHING),
    "augment": (EVERYTHING, EVERYTHING),
    "temperature": (DISTILLED, DISTILLED),
    "lam": (DISTILLED, DISTILLED),
    "tau": (WITH_EXPLANATIONS, WITH_EXPLANATIONS),
    "mu": (WITH_EXPLANATIONS, WITH_EXPLANATIONS),
    "rho": (set(), _students(lambda method: method.hint)),
    "device": (set(), set()),
    "precision": (set(), set()),
    "if_collapsed": (set(), set()),
    "methods": (set(), set()),
    "chimeras": (GO_ON, GO_ON),
    "chimera_epochs": (GO_ON, GO_ON),
    "label": (EVERYTHING, EVERYTHING),
    **dict.fromkeys(("drop", "keep"), (set(), set())),  # of a table, where they are in the fingerprint of the data
    "train_size": (EVERYTHING, EVERYTHING),
    "changes": (BUT_PLAIN, BUT_PLAIN),  # of the teacher
}
"""Setting -> the stages that run again when it changes, of MLPs and of convolutional nets."""
MEANINGLESS = [
    ({"net": "resnet8", "methods": ("ked+chimera",)}, "'ked+chimera' is not allowed with net 'resnet8'"),
    ({"methods": ("kd+fitnet",)}, "'kd+fitnet' is not allowed with net 'mlp'"),
    ({"methods": ("bayes",)}, "'bayes' is not allowed with dataset 'digits'"),
    ({"methods": ("ked-gradcam",)}, "'ked-gradcam' is not allowed with net 'mlp'"),
    ({"net": "resnet8", "methods": ("ked-ig",)}, "'ked-ig' is not allowed with net 'resnet8'"),
    ({"net": "resnet8", "teacher_net": "mlp"}, "teacher_net 'mlp'"),
    ({"teacher_net": "resnet8"}, "teacher_net 'resnet8' is not allowed with net 'mlp'"),
    ({"net": "resnet8", "grouping": "random"}, "grouping 'random'"),
    ({"net": "resnet8", "activation": "gelu"}, "activation 'gelu'"),
    ({"net": "resnet8", "scale": "std"}, "scale 'std'"),
]


@pytest.mark.parametrize(("settings", "named"), MEANINGLESS)
def test_settings_that_mean_nothing_together_are_refused(
    settings: dict[str, Any], named: str, one_sentence: Callable[[str], str]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        Recipe.make(**settings)
    assert named in one_sentence(str(caught.value))


def test_the_tables_name_every_setting() -> None:
    assert set(OTHER) == set(MOVES) == set(Recipe.model_fields)


NOT_OF_MLPS, ONLY_OF_MLPS = {"net", "teacher_net"}, {"grouping", "activation", "scale"}


@pytest.mark.parametrize(("recipe", "others"), [(ALL, NOT_OF_MLPS), (ALL_CNN, ONLY_OF_MLPS)], ids=["mlp", "convolutional"])
def test_a_setting_moves_the_stages_that_depend_on_it_and_no_others(recipe: Recipe, others: set[str]) -> None:
    before = stage_keys(recipe)
    for setting in MOVES.keys() - others:
        after = stage_keys(recipe.without(**{setting: "wrn-10-1" if setting == "net" else OTHER[setting]}))
        moved = {stage for stage, key in after.items() if key != before.get(stage)}
        assert moved == MOVES[setting][recipe.convolutional] & set(after), setting


def test_another_method_leaves_the_others_where_they_are() -> None:
    few, many = Recipe.make(methods=("plain", "kd")), Recipe.make(methods=("plain", "kd", "ked"))
    assert stage_keys(few).items() < stage_keys(many).items()


def test_keys_are_different_safe_as_folder_names_and_the_same_tomorrow() -> None:
    keys = stage_keys(ALL)
    assert len(set(keys.values())) == len(keys)
    for stage, key in keys.items():
        assert key.removeprefix(f"{stage}-").isalnum()
    assert stage_keys(Recipe.make(methods=ALL.methods)) == keys


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


@pytest.mark.parametrize(
    "recipe",
    [Recipe(), ALL, Recipe.make(**OTHER | {"net": "mlp", "teacher_net": None}), ALL_CNN],
    ids=["default", "all methods", "other", "CNN"],
)
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
    ("dataset", "imagenet", "digits, digit-pairs"),
    ("methods", ("magic",), "plain, kd"),
    ("methods", (), "at least 1"),
    ("grouping", "by-hand", "hessian, random"),
    ("superfeatures", 0, "greater than or equal to 1"),
    ("superfeatures", "four", "integer"),
    ("reduce", "median", "'abs_mean' or 'mean_abs'"),
    ("scale", "max", "'std'"),
    ("engine", "leiden", "'python-louvain'"),
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
    ("net", "resnet9", "mlp, small-cnn"),
    ("teacher_net", "resnet9", "mlp, small-cnn"),
    ("student_superfeatures", 0, "greater than or equal to 1"),
    ("optimiser", "rmsprop", "'adam' or 'sgd'"),
    ("schedule", "cosine", "'constant', 'cifar'"),
    ("weight_decay", -1.0, "greater than or equal to 0"),
    ("augment", "mixup", "'none', 'crop'"),
    ("rho", 1.5, "less than or equal to 1"),
    ("precision", "int8", "'auto' or 'float32'"),
    ("lr", 0.0, "greater than 0"),
    ("lr", NAN, "finite"),
    ("lr", INFINITY, "finite"),
    ("temperature", -1.0, "greater than or equal to 0.001"),
    ("temperature", NAN, "finite"),
    ("tau", 0.0, "greater than or equal to 0.001"),
    ("lam", 1.5, "less than or equal to 1"),
    ("lam", NAN, "less than or equal to 1"),
    ("mu", -0.1, "greater than or equal to 0"),
    ("device", "tpu", "auto"),
    ("colour", "red", "not permitted"),
]


def test_a_wrong_value_is_named_with_what_is_allowed(one_sentence: Callable[[str], str]) -> None:
    for setting, value, allowed in WRONG:
        with pytest.raises(InvalidInput) as caught:
            Recipe.make(**{setting: value})
        message = one_sentence(str(caught.value))
        assert allowed in message
        assert repr(value[0] if setting == "methods" and value else value) in message


def test_a_changed_recipe_is_validated_too() -> None:
    with pytest.raises(InvalidInput, match="mu = 7"):
        Recipe().without(mu=7)
