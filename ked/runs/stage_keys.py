"""Which stages a recipe needs, and a key for each: equal keys mean equal results, whatever else the recipes say.

A key covers only the settings that a stage and those before it depend on, so moving mu trains one student anew and no more.
"""

from __future__ import annotations

import functools
import hashlib
import json
from typing import Any

from ked import data
from ked.methods import METHODS, Method, method_named
from ked.recipe import Recipe

# Raise when a stage's results change for the same settings, so that no stale result is taken from the cache.
STAGE_VERSION = 1

_DATA = ("dataset", "label", "train_size", "seed")
_READING = ("drop", "keep")  # which are in the fingerprint of the data set
_TRAINING = ("lr", "optimiser", "schedule", "weight_decay", "augment")
_TEACHER = ("teacher_net", "teacher_hidden", "activation", "teacher_epochs", "teacher_batch_size", *_TRAINING)
_STUDENT = (*_DATA, "net", "student_hidden", "activation", "epochs", "batch_size", *_TRAINING, "seeds")
_GROUPING = ("grouping", "engine", "seed")
_PREDICTIONS, _EXPLANATIONS, _HINT = ("temperature", "lam"), ("tau", "mu"), ("rho",)
_FURTHER = ("chimeras", "chimera_epochs")
_BRANCHES = ("superfeatures", "student_superfeatures")

OF_NO_STAGE = ("methods", "if_collapsed", "device", "precision", "changes")
"""Settings that no stage depends on: which students there are, what stops a run, where it is computed; a key has changes by themselves."""

# What each stage depends on beside its parents; students on what `_of_student` says.
_SETTINGS: dict[str, tuple[str, ...]] = {
    "teacher": (*_DATA, *_TEACHER),
    "dependency": ("reduce", "scale", "dependency_samples", "seed"),
    "superfeatures": ("superfeatures", *_GROUPING),
    "superfeatures-student": ("student_superfeatures", *_GROUPING),
    "explaining": (*_TEACHER, "seed"),
}
_PARENTS = {
    "dependency": ("teacher",),
    "superfeatures": ("dependency",),
    "superfeatures-student": ("dependency",),
    "explaining": ("teacher", "superfeatures"),
}
# Channels are grouped by the architecture, so a convolutional explaining teacher comes before its dependency matrix.
_PARENTS_CNN = {"explaining": ("teacher",), "dependency": ("explaining",), "superfeatures": ("dependency",)}
_SETTINGS_CNN = {"explaining": (*_TEACHER, "seed", "superfeatures"), "superfeatures": ()}
_OF_MLPS = ("teacher_hidden", "student_hidden", "activation")


def stage_names(recipe: Recipe) -> tuple[str, ...]:
    """The stages that a recipe needs, in the order of work."""
    explaining = any(method.needs_explaining_teacher for method in recipe.method_rows)
    first: tuple[str, ...] = ("teacher", "dependency", "superfeatures", *(("explaining",) if explaining else ()))
    if recipe.convolutional:
        first = ("teacher", *(("explaining", "dependency", "superfeatures") if explaining else ()))
    elif _apart(recipe):
        first = (*first, "superfeatures-student")
    trained = {method.continues or method.name for method in recipe.method_rows} | set(recipe.methods)
    return (*first, *(f"student-{name}" for name in METHODS if name in trained))


def stage_keys(recipe: Recipe) -> dict[str, str]:
    """Stage name -> key, in the order of work."""
    keys: dict[str, str] = {}
    value = functools.cache(functools.partial(_value, recipe))
    for stage in stage_names(recipe):
        parents = [keys[parent] for parent in _parents(stage, recipe)]
        # Defaults are left out of a key, so that a setting that is added later leaves the keys of old results as they were.
        settings = {name: value(name) for name in _settings(stage, recipe) if value(name) != _default(name)}
        changes = [[c.epoch, c.step, c.setting, c.value] for c in recipe.changes if c.stage == stage]
        content = json.dumps([STAGE_VERSION, stage, settings, parents, *([changes] if changes else [])], sort_keys=True)
        keys[stage] = f"{stage}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    return keys


def adjustable(stage: str) -> tuple[str, ...]:
    """The settings that mean something to a stage's training while it goes on (`ked.changes`); none where nothing trains."""
    if stage.startswith("student-"):
        return ("lr", *_of_losses(method_named(stage.removeprefix("student-"))))
    return ("lr",) if stage in ("teacher", "explaining") else ()


def depended_on() -> frozenset[str]:
    """The settings that some stage depends on."""
    students = (*_STUDENT, *_READING, *_PREDICTIONS, *_EXPLANATIONS, *_HINT, *_FURTHER, *_BRANCHES)
    return frozenset(students).union(*_SETTINGS.values(), *_SETTINGS_CNN.values())


def _apart(recipe: Recipe) -> bool:
    """Whether the students have superfeatures of their own."""
    return recipe.superfeatures_of("student") != recipe.superfeatures


@functools.cache
def _default(name: str) -> Any:
    return _value(_DEFAULTS, name)


def _value(recipe: Recipe, name: str) -> Any:
    """What a setting comes to: data sets by their content, nets by what is really taken."""
    if name == "dataset":
        return data.fingerprint(recipe.dataset, recipe.label, drop=recipe.drop, keep=recipe.keep)
    return recipe.net_of("teacher") if name == "teacher_net" else getattr(recipe, name)


def _settings(stage: str, recipe: Recipe) -> tuple[str, ...]:
    table = _SETTINGS | (_SETTINGS_CNN if recipe.convolutional else {})
    names = table[stage] if stage in table else _of_student(method_named(stage.removeprefix("student-")), recipe)
    return tuple(name for name in names if not (recipe.convolutional and name in _OF_MLPS))


def _of_student(method: Method, recipe: Recipe) -> tuple[str, ...]:
    if method.further:
        return _FURTHER  # all else is its parent's
    branches = _BRANCHES if recipe.convolutional and method.net == "ked" else ()
    return (*_STUDENT, *_of_losses(method), *branches)


def _of_losses(method: Method) -> tuple[str, ...]:
    parts = ((_PREDICTIONS, method.prediction), (_EXPLANATIONS, method.explanations), (_HINT, method.hint))
    return tuple(name for names, there in parts if there for name in names)


def _parents(stage: str, recipe: Recipe) -> tuple[str, ...]:
    if not stage.startswith("student-"):
        return (_PARENTS_CNN if recipe.convolutional else _PARENTS).get(stage, ())
    method = method_named(stage.removeprefix("student-"))
    own = "superfeatures-student" if _apart(recipe) else "superfeatures"
    needs = {
        "teacher": method.prediction == "teacher" or method.net == "ked",  # a KED net's base is the teacher's
        own: method.net == "ked" and not recipe.convolutional,
        "explaining": method.needs_explaining_teacher,
    }
    parents = tuple(parent for parent, needed in needs.items() if needed)
    return (*parents, f"student-{method.continues}") if method.continues else parents


_DEFAULTS = Recipe()
