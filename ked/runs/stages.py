"""The stages of a run: each reads what earlier ones left in the run folder and writes its own files into another.

A stage is a generator of events; `STAGES` maps a stage's name to it. Nothing here knows about caches or jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import torch

from ked.chimeras import Chimeras
from ked.communities.groups import Superfeatures
from ked.communities.superfeatures import modularity
from ked.groupings import group
from ked.losses import LABELS_ONLY
from ked.methods import method_named
from ked.nets.stack import Stack
from ked.nets.subnets import SubnetStack
from ked.nets.weights import save_matrix, save_stack
from ked.recipe import Who
from ked.runs.background import shares
from ked.runs.build_nets import build_black_box, build_explaining, student_net
from ked.runs.context import Context
from ked.runs.measuring import measured_dependency
from ked.runs.steering import Event
from ked.runs.targets import LiveTargets, Targets, targets_of
from ked.runs.trainer import Trainer
from ked.training.augmentation import AUGMENTATIONS, Augmenter
from ked.training.batches import Batches, ChimeraBatches, SampleBatches, ViewBatches


def teacher(context: Context, folder: Path) -> Iterator[Event]:
    """The black-box teacher: cross-entropy on the labels."""
    net = build_black_box(context.recipe, context.dataset, "teacher")
    yield from _teach(context, net, "teacher")
    save_stack(folder / "teacher.safetensors", net)


def dependency(context: Context, folder: Path) -> Iterator[Event]:
    """The dependency matrix W, averaged over a seeded part of the training samples.

    Of the black-box teacher's features; of convolutional nets, of the channels that the explaining teacher splits into groups.
    """
    x, results = context.dataset.part("train")[0], list[torch.Tensor]()
    for share in shares(lambda report: measured_dependency(context.run, context.recipe, x, report), results):
        yield {"kind": "progress", "stage": "dependency", "share": share}
        yield from context.steering.hold("dependency")
    save_matrix(folder / "dependency.safetensors", "W", results[0])
    yield {"kind": "dependency", "samples": min(len(x), context.recipe.dependency_samples)}


def superfeatures(who: Who, context: Context, folder: Path) -> Iterator[Event]:
    """Groups of features, as the recipe's grouping wants them; of convolutional nets the channel groups, as they are."""
    W, name = context.run.dependency(), "superfeatures" if who == "teacher" else "superfeatures-student"
    if context.recipe.convolutional:
        groups = context.run.explaining().groups
        owner = [m for m, channels in enumerate(groups) for _ in channels]
        found = Superfeatures(groups, modularity(W, owner), 1.0, "channel groups")
    else:
        found = _grouped(who, context, W)
    (folder / f"{name}.json").write_text(found.to_json(), "utf-8")
    yield {"kind": "superfeatures", "sizes": list(found.sizes), "modularity": found.modularity, "adjusted": found.adjusted}


def _grouped(who: Who, context: Context, W: torch.Tensor) -> Superfeatures:
    recipe, dataset = context.recipe, context.dataset
    return group(
        recipe.grouping,
        W=W,
        M=recipe.superfeatures_of(who),
        x=dataset.part("train")[0].cpu(),
        shape=dataset.shape,
        seed=recipe.seed,
        engine=recipe.engine,
        units=dataset.together,
    )


def explaining(context: Context, folder: Path) -> Iterator[Event]:
    """The explaining teacher: as many parameters as the black box, trained on the labels, not distilled."""
    net = build_explaining(context.run.teacher(), context, "teacher", context.base())
    yield from _teach(context, net, "explaining")
    save_stack(folder / "explaining.safetensors", net)


def student(name: str, context: Context, folder: Path) -> Iterator[Event]:
    """All seeds of the students of one method, in one batched training."""
    recipe, method, stage = context.recipe, method_named(name), f"student-{name}"
    if method.continues:
        net = context.load(context.run.student(method.continues))
    else:
        net = student_net(context, method)
        net.reset(recipe.seed_list)
        net.to(context.device)
    teachers = targets_of(context, method, net)
    if teachers.matching is not None and teachers.matching.note:
        yield {"kind": "matching", "stage": stage, "note": teachers.matching.note}
    yield from _attributions(context, stage, teachers)
    lesson = LiveTargets(teachers)
    batches = further_batches(lesson, net) if method.further else _lessons(lesson, net)
    epochs = recipe.chimera_epochs if method.further else recipe.epochs
    yield from Trainer(context, stage, net, batches, epochs, lesson=lesson).events()
    save_stack(folder / f"{stage}.safetensors", net)


def _attributions(context: Context, stage: str, teachers: Targets) -> Iterator[Event]:
    """Work out what stands in for explanations, of all training samples; what views differ from batch to batch are asked as they come."""
    if teachers.attributed is not None and not teachers.sees_views:
        for share in shares(teachers.attributed.whole, list[torch.Tensor]()):
            yield {"kind": "progress", "stage": stage, "share": share}
            yield from context.steering.hold(stage)


def further_batches(lesson: LiveTargets, net: Stack) -> Batches:
    """What a student goes on with: chimeras, or as many real samples in orders that it has not seen."""
    context, recipe = lesson.teachers.context, lesson.teachers.context.recipe
    train = context.dataset.part("train")
    if lesson.teachers.method.further == "real":
        return _lessons(lesson, net, samples=recipe.chimeras, offset=recipe.epochs)
    assert isinstance(net, SubnetStack)
    chimeras = Chimeras(train[0], context.run.superfeatures().groups, recipe.seed_list, order=net.order)
    size = recipe.batch_for("student", len(train[0]))
    return ChimeraBatches(chimeras, lesson.ask, lesson.of_chimeras, recipe.chimeras, size)


def _lessons(lesson: LiveTargets, net: Stack, **more: int) -> Batches:
    """The training samples with what the teachers say of them."""
    context, recipe = lesson.teachers.context, lesson.teachers.context.recipe
    train, seeds = context.dataset.part("train"), recipe.seed_list
    size = recipe.batch_for("student", len(train[0]))
    if lesson.teachers.sees_views:
        return ViewBatches(net, train, seeds, size, lesson.view, _augmenter(context, seeds), **more)
    return SampleBatches(net, train, seeds, size, lesson.whole, **more)


def _augmenter(context: Context, seeds: Sequence[int]) -> Augmenter | None:
    what = AUGMENTATIONS[context.recipe.augment]
    return Augmenter(what, context.dataset.shape, seeds) if what.crop or what.flip else None


def _teach(context: Context, net: Stack, stage: str) -> Iterator[Event]:
    """Train a teacher on the labels."""
    recipe, train, seeds = context.recipe, context.dataset.part("train"), [context.recipe.seed]
    net.reset(seeds)
    net.to(context.device)
    size, augmenter = recipe.batch_for("teacher", len(train[0])), _augmenter(context, seeds)
    batches: Batches = SampleBatches(net, train, seeds, size, lambda: LABELS_ONLY)
    if augmenter:
        batches = ViewBatches(net, train, seeds, size, lambda views, rows: LABELS_ONLY, augmenter)
    watch = stage == "teacher" and not recipe.convolutional
    yield from Trainer(context, stage, net, batches, recipe.teacher_epochs, watch=watch).events()


STAGES: dict[str, Callable[[Context, Path], Iterator[Event]]] = {
    "teacher": teacher,
    "dependency": dependency,
    "superfeatures": partial(superfeatures, "teacher"),
    "superfeatures-student": partial(superfeatures, "student"),
    "explaining": explaining,
}


def stage_named(name: str) -> Callable[[Context, Path], Iterator[Event]]:
    """The generator of a stage."""
    return partial(student, name.removeprefix("student-")) if name.startswith("student-") else STAGES[name]
