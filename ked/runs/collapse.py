"""Whether a teacher has learnt anything: who answers one class for everything teaches that, and its W and groups are arbitrary."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ked.data import Dataset
from ked.nets.inference import accuracy
from ked.recipe import Recipe
from ked.runs.context import Context
from ked.shares import in_percent

ENOUGH = 100
"""Batches after which a teacher must have learnt something; of one that has had fewer, as in a quick trial, nobody expects it yet."""

_BY_LINKS = ("hessian", "spectral")  # groupings that take what W says


def majority(dataset: Dataset, y: Tensor) -> float:
    """How many of the labels y are the most frequent class of the training samples, 0 to 1: what any net has to beat."""
    commonest = int(torch.bincount(dataset.y[dataset.train]).argmax())
    return float((y == commonest).double().mean())


def found(stage: str, context: Context) -> str:
    """What is wrong with a finished stage, in words; empty where nothing is, or where an untrained teacher was asked for."""
    return _CHECKS[stage](stage, context) if stage in _CHECKS and context.recipe.teacher_epochs else ""


def advice(recipe: Recipe) -> str:
    """What to do about it."""
    return (
        f"train longer or with a learning rate below {recipe.lr:g}, or set if_collapsed to continue, and the run goes on all the same"
    )


def _at_chance(stage: str, context: Context) -> str:
    """A net that is right no more often on validation data than the most frequent class alone."""
    x, y = context.dataset.part("validation")
    if not len(y) or _batches(context) < ENOUGH:
        return ""
    net = context.load(context.run.teacher() if stage == "teacher" else context.run.explaining())
    right, chance = accuracy(net, x, y)[0], majority(context.dataset, y)
    if right > chance + 1e-9:
        return ""
    return (
        f"the {_NAMES[stage]} has learnt nothing: it is right on {in_percent(right, 1)} of the validation samples, and the most frequent "
        f"class alone would be on {in_percent(chance, 1)}"
    )


def _batches(context: Context) -> int:
    """How many batches a teacher has been trained on."""
    count = len(context.dataset.train)
    return context.recipe.teacher_epochs * math.ceil(count / context.recipe.batch_for("teacher", count))


def _without_structure(stage: str, context: Context) -> str:
    """A dependency matrix without a single link, where groups are to be found by its links."""
    recipe, W = context.recipe, context.run.dependency()
    if recipe.convolutional or recipe.grouping not in _BY_LINKS or recipe.superfeatures in (1, len(W)) or bool(W.abs().max() > 0):
        return ""
    return "the dependency matrix is zero: no two features act together on any answer of the teacher, so that any groups would do as well"


_NAMES = {"teacher": "teacher", "explaining": "explaining teacher"}
_CHECKS: dict[str, Callable[[str, Context], str]] = {
    "teacher": _at_chance,
    "explaining": _at_chance,
    "dependency": _without_structure,
}
