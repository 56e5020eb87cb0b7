"""The stages of a run: each reads what earlier ones left in the run folder and writes its own files into another.

A stage is a generator of events; `STAGES` maps a stage's name to it. Nothing here knows about caches or jobs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from ked import losses
from ked.batches import Batches, ChimeraBatches, SampleBatches
from ked.checkpoint import Checkpoint
from ked.chimeras import Chimeras, ChimeraTargets, ExplainingTeacher, black_box_targets
from ked.data import Dataset
from ked.dependency import dependency_matrix
from ked.explanation import teacher_base
from ked.groupings import group
from ked.methods import Method, method_named
from ked.nets import SubnetStack, explaining_net, mlp
from ked.recipe import Recipe
from ked.store import Run
from ked.training import Epoch, Step, adam, descend, explain, predict
from ked.weights import save_matrix, save_stack

Event = dict[str, Any]
Who = Literal["teacher", "student"]
LIVE_INTERVAL = 0.25  # seconds between two "step" events: often enough to look alive, too seldom to slow training


@dataclass(frozen=True)
class Context:
    """What every stage may use: the recipe, the data on the device, the run folder with the earlier stages' results."""

    recipe: Recipe
    dataset: Dataset
    run: Run
    keys: dict[str, str]

    @property
    def device(self) -> torch.device:
        """Where everything is computed."""
        return self.dataset.x.device

    def load(self, stack: SubnetStack) -> SubnetStack:
        """A stored net on the device."""
        return stack.to(self.device)


def teacher(context: Context, folder: Path) -> Iterator[Event]:
    """The black-box teacher: cross-entropy on the labels."""
    recipe, dataset = context.recipe, context.dataset
    net = mlp(dataset.feature_count, recipe.teacher_hidden, dataset.class_count, activation=recipe.activation)
    yield from _teach(context, net, "teacher")
    save_stack(folder / "teacher.safetensors", net)


def dependency(context: Context, folder: Path) -> Iterator[Event]:
    """The dependency matrix W of the teacher, averaged over a seeded part of the training samples."""
    recipe, x = context.recipe, context.dataset.part("train")[0]
    rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(recipe.seed))[: recipe.dependency_samples]
    net = context.load(context.run.teacher()).sequential()
    W = dependency_matrix(net, x[rows.to(x.device)], recipe.reduce, scale=recipe.scale)
    save_matrix(folder / "dependency.safetensors", "W", W)
    yield {"kind": "dependency", "samples": len(rows)}


def superfeatures(context: Context, folder: Path) -> Iterator[Event]:
    """Groups of features, as the recipe's grouping wants them."""
    recipe, dataset = context.recipe, context.dataset
    found = group(
        recipe.grouping,
        W=context.run.dependency(),
        M=recipe.superfeatures,
        x=dataset.part("train")[0].cpu(),
        shape=dataset.shape,
        seed=recipe.seed,
        engine=recipe.engine,
    )
    (folder / "superfeatures.json").write_text(found.to_json(), "utf-8")
    yield {"kind": "superfeatures", "sizes": list(found.sizes), "modularity": found.modularity, "adjusted": found.adjusted}


def explaining(context: Context, folder: Path) -> Iterator[Event]:
    """The explaining teacher: as many parameters as the black box, trained on the labels, not distilled."""
    black_box = context.load(context.run.teacher())
    groups = context.run.superfeatures().groups
    net = explaining_net(groups, black_box, _base(context, black_box))
    yield from _teach(context, net, "explaining")
    save_stack(folder / "explaining.safetensors", net)


def student(name: str, context: Context, folder: Path) -> Iterator[Event]:
    """All seeds of the students of one method, in one batched training."""
    recipe, method, stage = context.recipe, method_named(name), f"student-{name}"
    if method.continues:
        net = context.load(context.run.student(method.continues))
        batches, epochs = further_batches(context, method, net), recipe.chimera_epochs
    else:
        net = student_net(context, method)
        net.reset(recipe.seed_list)
        net.to(context.device)
        batches, epochs = _samples(context, net, recipe.seed_list, "student", objective(context, method)), recipe.epochs
    yield from _train(context, net, stage, batches, epochs, _weights(recipe, method))
    save_stack(folder / f"{stage}.safetensors", net)


def further_batches(context: Context, method: Method, net: SubnetStack) -> Batches:
    """What a student goes on with: chimeras, or as many real samples in orders that it has not seen."""
    recipe, train = context.recipe, context.dataset.part("train")
    size = recipe.batch_for("student", len(train[0]))
    if method.further == "real":
        more = {"samples": recipe.chimeras, "offset": recipe.epochs}
        return SampleBatches(net, train, recipe.seed_list, size, objective(context, method), **more)
    explaining_teacher = context.load(context.run.explaining())
    chimeras = Chimeras(train[0], explaining_teacher.groups, recipe.seed_list, order=net.order)
    if method.prediction == "teacher":
        teach = partial(_ask_black_box, context.load(context.run.teacher()), recipe.temperature)
    else:
        own = explain(explaining_teacher, train[0])[0].transpose(0, 1)
        teach = partial(_ask_explaining, ExplainingTeacher(own, explaining_teacher.base, recipe.temperature, recipe.tau))
    return ChimeraBatches(chimeras, teach, _weights(recipe, method), recipe.chimeras, size)


def _ask_black_box(black_box: SubnetStack, temperature: float, donors: Tensor, x: Tensor) -> ChimeraTargets:
    return black_box_targets(lambda flat: black_box(flat)[0], x, temperature)


def _ask_explaining(teacher: ExplainingTeacher, donors: Tensor, x: Tensor) -> ChimeraTargets:
    return teacher(donors)


def _weights(recipe: Recipe, method: Method) -> dict[str, float]:
    return losses.weights(method, recipe.temperature, recipe.tau, recipe.lam, recipe.mu)


def _samples(context: Context, net: SubnetStack, seeds: Sequence[int], who: Who, aim: losses.Objective) -> Batches:
    train = context.dataset.part("train")
    return SampleBatches(net, train, seeds, context.recipe.batch_for(who, len(train[0])), aim)


def student_net(context: Context, method: Method) -> SubnetStack:
    """An untrained net of the method's form, a replica a seed; a KED net has no more parameters than the plain one."""
    recipe, dataset = context.recipe, context.dataset
    plain = mlp(
        dataset.feature_count,
        recipe.student_hidden,
        dataset.class_count,
        replicas=1 if method.net == "ked" else recipe.seeds,
        activation=recipe.activation,
    )
    if method.net == "mlp":
        return plain
    base = _base(context, context.load(context.run.teacher())).cpu()
    return explaining_net(context.run.superfeatures().groups, plain, base, replicas=recipe.seeds)


def objective(context: Context, method: Method) -> losses.Objective:
    """The loss of a method, with its teachers' targets computed once for all training samples."""
    recipe, x = context.recipe, context.dataset.part("train")[0]
    prediction = explanation = None
    explaining_teacher = context.load(context.run.explaining()) if method.needs_explaining_teacher else None
    if method.prediction == "teacher":
        prediction = losses.soften(predict(context.load(context.run.teacher()), x).transpose(0, 1), recipe.temperature)
    elif explaining_teacher is not None:
        prediction = losses.soften(predict(explaining_teacher, x).transpose(0, 1), recipe.temperature)
    if method.explanations and explaining_teacher is not None:
        own = explain(explaining_teacher, x)[0].transpose(0, 1)
        explanation = losses.soften(_EXPLANATIONS[method.explanations](own, recipe.seed), recipe.tau)
    return losses.Objective(_weights(recipe, method), prediction, explanation)


def _shuffled(log_y: Tensor, seed: int) -> Tensor:
    """Another sample's explanations: rolled along a random order, so that no sample keeps its own."""
    order = torch.randperm(len(log_y), generator=torch.Generator().manual_seed(seed)).to(log_y.device)
    return log_y[order].roll(1, dims=0)[order.argsort()]


def _noise(log_y: Tensor, seed: int) -> Tensor:
    """Random log-probabilities with the spread of the true ones."""
    noise = torch.randn(log_y.shape, generator=torch.Generator().manual_seed(seed)).to(log_y)
    return noise * log_y.std() + log_y.mean(dim=0)


_EXPLANATIONS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "true": lambda log_y, seed: log_y,
    "shuffled": _shuffled,
    "noise": _noise,
}


def _base(context: Context, black_box: SubnetStack) -> Tensor:
    return teacher_base(predict(black_box, context.dataset.part("train")[0])[0])


def _teach(context: Context, net: SubnetStack, stage: str) -> Iterator[Event]:
    """Train a teacher on the labels."""
    seeds = [context.recipe.seed]
    net.reset(seeds)
    net.to(context.device)
    batches = _samples(context, net, seeds, "teacher", losses.LABELS_ONLY)
    yield from _train(context, net, stage, batches, context.recipe.teacher_epochs, losses.LABELS_ONLY.weights)


def _train(
    context: Context, net: SubnetStack, stage: str, batches: Batches, epochs: int, weights: dict[str, float]
) -> Iterator[Event]:
    """Train and say so: "step" events now and then, "epoch" events after each epoch; goes on from a checkpoint if there is one."""
    head = {"stage": stage, "epochs": epochs}
    yield head | {"kind": "training", "weights": weights, "parameters": net.parameter_count, "hidden": list(net.hidden)}
    optimiser = adam(net, context.recipe.lr)
    path = context.run.folder / "checkpoints" / f"{stage}.safetensors"
    checkpoint = Checkpoint(path, context.keys[stage], net, optimiser)
    behind = checkpoint.restore()
    yield from behind
    said = time.monotonic()
    for point in descend(net, batches, context.dataset.part("validation"), epochs, optimiser, len(behind)):
        if isinstance(point, Epoch):
            behind.append(head | {"kind": "epoch", "epoch": point.epoch, "loss": point.loss, "validation": point.validation})
            checkpoint.write(behind)
            yield dict(behind[-1])
        else:
            tell = time.monotonic() - said > LIVE_INTERVAL
            said = time.monotonic() if tell else said
            yield _step_event(head, point) if tell else {"kind": "tick"}


def _step_event(head: Event, point: Step) -> Event:
    loss = {name: value.tolist() for name, value in point.terms.items()}
    return head | {"kind": "step", "epoch": point.epoch, "step": point.step, "steps": point.steps, "loss": loss}


STAGES: dict[str, Callable[[Context, Path], Iterator[Event]]] = {
    "teacher": teacher,
    "dependency": dependency,
    "superfeatures": superfeatures,
    "explaining": explaining,
}


def stage_named(name: str) -> Callable[[Context, Path], Iterator[Event]]:
    """The generator of a stage."""
    return partial(student, name.removeprefix("student-")) if name.startswith("student-") else STAGES[name]
