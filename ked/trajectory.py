"""How a net came to what it says: one sample's explanations, or the agreement with the teacher, over the epochs that were kept.

Nets come from a run's snapshots (`ked.snapshots`), while it trains or afterwards; where a run has none (a preset, a very large
net), its finished net is the only epoch there is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ked.agreement import cosine, divergence
from ked.errors import InvalidInput, Unavailable
from ked.explanation import contributions
from ked.forms import matching
from ked.methods import method_named
from ked.recipe import Recipe
from ked.stack import Stack
from ked.store import Run
from ked.training import explain
from ked.weights import load_stack, read_tensors


@dataclass(frozen=True)
class Trajectory:
    """What the nets of one stage say of one sample.

    Attributes:
        epochs: E of them, in order.
        log_y: (E, K, M, C) explanations; M = 1 for a black box.
        log_p: (E, K, C) predicted log-probabilities.
        base: (C,) of the net.
    """

    epochs: tuple[int, ...]
    log_y: Tensor
    log_p: Tensor
    base: Tensor

    @property
    def phi(self) -> Tensor:
        """(E, K, M, C) contributions, log y_m - base."""
        return contributions(self.log_y, self.base)


@dataclass(frozen=True)
class Agreement:
    """How far students explain as their explaining teacher does, epoch by epoch.

    Attributes:
        epochs: E of them, in order.
        cosine: (E, K) of the class-centred contributions, mean over the samples.
        divergence: (E, K, pairs) nats, KL(teacher || student) of softened explanations, of each pair of superfeatures.
        superfeatures: The teacher's number of each pair's superfeature.
    """

    epochs: tuple[int, ...]
    cosine: Tensor
    divergence: Tensor
    superfeatures: tuple[int, ...]


@torch.inference_mode()
def trajectory(run: Run, stage: str, x: Tensor) -> Trajectory:
    """What a stage's nets ("teacher", "explaining", "student-ked") say of one sample x (D,).

    Raises:
        Unavailable: The stage has not finished an epoch yet.
    """
    said = [(epoch, net.explanations(x[None])[:, :, 0], net(x[None])[:, 0].log_softmax(-1), net.base) for epoch, net in nets(run, stage)]
    if not said:
        raise Unavailable(f"{stage} of run {run.id} has not finished an epoch yet.")
    epochs, log_y, log_p, bases = zip(*said, strict=True)
    return Trajectory(epochs, torch.stack(log_y), torch.stack(log_p), bases[0].clone())


@torch.inference_mode()
def agreement(run: Run, method: str, x: Tensor) -> Agreement:
    """How far a method's students agree with the finished explaining teacher on samples x (N, D), such as of the validation part.

    Superfeatures are compared that answer to each other (`ked.matching`).

    Raises:
        InvalidInput: The method's students have no superfeatures.
        Unavailable: The teacher is not finished, or the students have not finished an epoch yet.
    """
    if method_named(method).net != "ked":
        raise InvalidInput(f"students of {method!r} see everything at once, so they have no explanations to compare.")
    teacher, tau = run.explaining(), run.recipe.tau
    own = explain(teacher, x)
    rows: list[tuple[int, Tensor, Tensor]] = []
    for epoch, net in nets(run, f"student-{method}"):
        pairs = matching(net, teacher)
        mine, theirs = explain(net, x)[:, list(pairs.students)], own[:, list(pairs.teachers)]
        phi = contributions(mine, net.base), contributions(theirs, teacher.base)
        rows.append((epoch, cosine(*phi).mean(dim=-1), divergence(mine, theirs, tau)))
    if not rows:
        raise Unavailable(f"student-{method} of run {run.id} has not finished an epoch yet.")
    epochs, cosines, divergences = zip(*rows, strict=True)
    return Agreement(epochs, torch.stack(cosines), torch.stack(divergences), pairs.teachers)


def nets(run: Run, stage: str) -> Iterator[tuple[int, Stack]]:
    """(epoch, net) of a stage, in order; the net is one object whose weights are replaced, so use it before the next."""
    net: Stack | None = None
    for epoch, path in _files(run, stage).items():
        with contextlib.suppress(Unavailable):  # while a net trains, its latest snapshot may just have been replaced
            if net is None:
                net = load_stack(path)
            else:
                net.load_state_dict(read_tensors(path)[0])
            yield epoch, net


def epochs_of(recipe: Recipe, stage: str) -> int:
    """How many epochs a stage trains for."""
    if not stage.startswith("student-"):
        return recipe.teacher_epochs
    return recipe.chimera_epochs if method_named(stage.removeprefix("student-")).further else recipe.epochs


def _files(run: Run, stage: str) -> dict[int, Path]:
    found = run.snapshots(stage)
    if not found and run.has(stage):
        return {epochs_of(run.recipe, stage): run.folder / f"{stage}.safetensors"}
    return found
