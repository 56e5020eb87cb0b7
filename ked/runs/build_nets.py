"""Which nets a recipe asks for: black boxes, and explaining nets that have no more parameters than those."""

from __future__ import annotations

import torch
from torch import Tensor

from ked.data import Dataset
from ked.errors import InvalidInput
from ked.hint_losses import HintLoss, map_shape
from ked.hints import hint_named
from ked.methods import Method
from ked.nets.cnn.stack import ConvStack, explaining_cnn
from ked.nets.stack import Stack
from ked.nets.subnets import SubnetStack, explaining_net, mlp
from ked.recipe import Recipe, Who
from ked.runs.context import Context


def build_black_box(recipe: Recipe, dataset: Dataset, who: Who, replicas: int = 1) -> Stack:
    """An untrained net that sees everything at once."""
    if recipe.convolutional:
        return ConvStack(recipe.net_of(who), dataset.shape, dataset.class_count, replicas=replicas)
    hidden = recipe.teacher_hidden if who == "teacher" else recipe.student_hidden
    return mlp(dataset.feature_count, hidden, dataset.class_count, replicas=replicas, activation=recipe.activation)


def build_explaining(plain: Stack, context: Context, who: Who, base: Tensor, replicas: int = 1) -> Stack:
    """An untrained net of a subnet for each superfeature of the teacher's or the student's, as large as the plain one."""
    if isinstance(plain, ConvStack):
        return explaining_cnn(plain, context.recipe.superfeatures_of(who), base, replicas=replicas)
    assert isinstance(plain, SubnetStack)
    return explaining_net(context.run.superfeatures(who).groups, plain, base, replicas=replicas)


def student_net(context: Context, method: Method) -> Stack:
    """An untrained net of the method's form, a replica a seed; a KED net has no more parameters than the plain one."""
    recipe, replicas = context.recipe, context.recipe.seeds
    if method.net == "plain":
        return build_black_box(recipe, context.dataset, "student", replicas)
    return build_explaining(build_black_box(recipe, context.dataset, "student"), context, "student", context.base(), replicas)


def hint_loss(name: str, student: Stack, teacher: Stack, branches: int, context: Context) -> HintLoss:
    """The hint between the last maps of two nets, on the device; refused where they have none that it can compare."""
    if not isinstance(student, ConvStack) or not isinstance(teacher, ConvStack):
        raise InvalidInput(f"the hint {name!r} compares the maps of convolutional nets, and an MLP has none.")
    return (
        hint_named(name).build(map_shape(student), map_shape(teacher), branches, context.recipe.seed_list).to(context.device)
    )


def check(recipe: Recipe, dataset: Dataset) -> None:
    """Refuse, before any work, what could only fail late: nets that do not fit the samples, hints without maps to compare.

    Raises:
        InvalidInput: With one sentence.
    """
    if dataset.recorded:
        raise InvalidInput(f"{dataset.name} holds samples that were recorded with a run, to be looked at: nothing can be trained on them.")
    if not recipe.convolutional:
        for M in {recipe.superfeatures_of(who) for who in ("teacher", "student")}:
            if dataset.group_count < M:
                what = "columns" if dataset.together else "features"
                raise InvalidInput(f"superfeatures = {M} is not allowed: {dataset.name} has {dataset.group_count} {what}.")
        return
    with torch.device("meta"):
        student, teacher = build_black_box(recipe, dataset, "student"), build_black_box(recipe, dataset, "teacher")
        assert isinstance(student, ConvStack)
        assert isinstance(teacher, ConvStack)
        explaining_cnn(student, recipe.superfeatures_of("student"))
        explaining_cnn(teacher, recipe.superfeatures_of("teacher"))
    for name in {method.hint for method in recipe.method_rows if method.hint}:
        hint_named(name).build(map_shape(student), map_shape(teacher), 1, [0])
