"""What hints cost: epochs of students with them, against plain KD and against asking the teacher anew for every batch."""

from __future__ import annotations

import time
from typing import Any

import torch

from ked import data
from ked.bench.contest import fresh_home
from ked.methods import method_named
from ked.recipe import Recipe
from ked.runs.build_nets import student_net
from ked.runs.context import Context
from ked.runs.pipeline import run
from ked.runs.steering import Steering
from ked.runs.targets import LiveTargets, targets_of
from ked.store import create_run
from ked.training import optimisers, teacher_outputs
from ked.training.batches import Batches, SampleBatches, ViewBatches
from ked.training.loop import Epoch, descend

HINTED = ("kd+at", "kd+sp")
ROUNDS = 3
EPOCHS = 3  # of which the first, in which teachers are asked, counts apart


def hints() -> dict[str, Any]:
    """Epochs of a small CNN on digits, 3 seeds, in units of an epoch of KD; teachers answer once or for every batch.

    Counted in CPU seconds of the process, which other programs hardly change.
    """
    recipe = Recipe(dataset="digits", net="small-cnn", methods=("kd", "ked"), seeds=3, epochs=1, teacher_epochs=1)
    best: dict[str, float] = {}
    with fresh_home():
        folder = create_run(recipe)
        for _ in run(recipe, into=folder):
            pass
        context = Context(recipe, data.load(recipe.dataset), folder, Steering(folder, recipe))
        for _ in range(ROUNDS):
            for name in ("kd", *HINTED):
                _keep_best(best, f"{name}", _epochs(context, name))
                if name in HINTED:
                    _keep_best(best, f"{name}_asking_anew", _asking_anew(context, name))
    ratios = {f"{name}_times_kd": seconds / best["kd"] for name, seconds in best.items() if name != "kd"}
    return {"net": recipe.net, "seeds": recipe.seeds, "kd_epoch_cpu_seconds": best["kd"], **ratios}


def _keep_best(best: dict[str, float], name: str, seconds: list[float]) -> None:
    """The least CPU seconds of the first epoch and of a later one."""
    for key, value in ((f"{name}_first_epoch", seconds[0]), (name, min(seconds[1:]))):
        best[key] = min(value, best.get(key, value))


def _asking_anew(context: Context, name: str) -> list[float]:
    kept, teacher_outputs.KEPT = teacher_outputs.KEPT, 0
    try:
        return _epochs(context, name)
    finally:
        teacher_outputs.KEPT = kept


def _epochs(context: Context, name: str) -> list[float]:
    """CPU seconds of each epoch."""
    recipe, train = context.recipe, context.dataset.part("train")
    net = student_net(context, method_named(name))
    net.reset(recipe.seed_list)
    lesson = LiveTargets(targets_of(context, method_named(name), net))
    size, also = recipe.batch_for("student", len(train[0])), lesson.teachers.hint
    batches: Batches = SampleBatches(net, train, recipe.seed_list, size, lesson.whole)
    if lesson.teachers.sees_views:
        batches = ViewBatches(net, train, recipe.seed_list, size, lesson.view, None)
    optimiser: torch.optim.Optimizer = optimisers.make(recipe.optimiser, net, recipe.lr, recipe.weight_decay, also)
    seconds, began = list[float](), time.process_time()
    for point in descend(net, batches, context.dataset.part("validation"), EPOCHS, optimiser):
        if isinstance(point, Epoch):
            seconds.append(time.process_time() - began)
            began = time.process_time()
    return seconds
