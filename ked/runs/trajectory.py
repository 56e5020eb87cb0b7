"""How a net came to what it says: one sample's explanations, or the agreement with the teacher, over the epochs that were kept.

Nets come from a run's snapshots (`ked.runs.snapshots`), while it trains or afterwards; where a run has none (a preset, a very large
net), its finished net is the only epoch there is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from ked.agreements import cosine, divergence
from ked.errors import InvalidInput, Unavailable
from ked.explanation import contributions
from ked.matching import matching
from ked.methods import method_named
from ked.nets.inference import explain
from ked.nets.stack import Stack
from ked.nets.weights import load_stack, read_tensors
from ked.recipe import Recipe
from ked.store import Run

Answer = TypeVar("Answer")


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


class Trajectories:
    """What a stage's nets say of one sample, asked again and again while they train: each kept net is asked once.

    Args:
        run, stage: Whose nets: "teacher", "explaining", "student-ked".
        x: (D,) the sample.
    """

    def __init__(self, run: Run, stage: str, x: Tensor) -> None:
        self.run, self.stage, self.x = run, stage, x[None]
        self._known: dict[tuple[int, int], tuple[Tensor, Tensor, Tensor]] = {}

    @torch.inference_mode()
    def now(self) -> Trajectory:
        """With all epochs that are kept by now; `Unavailable` if the stage has not finished one yet."""
        _learn(self.run, self.stage, self._known, self._said)
        epochs, said = _in_order(self.run, self.stage, self._known)
        log_y, log_p, bases = zip(*said, strict=True)
        return Trajectory(epochs, torch.stack(log_y), torch.stack(log_p), bases[0])

    def _said(self, net: Stack) -> tuple[Tensor, Tensor, Tensor]:
        return net.explanations(self.x)[:, :, 0], net(self.x)[:, 0].log_softmax(-1), net.base.clone()


class Agreements:
    """How far a method's students agree with the finished explaining teacher, asked again and again: each kept net once.

    Superfeatures are compared that answer to each other (`ked.matching`).

    Args:
        run, method: Whose students.
        x: (N, D) samples, such as of the validation part.

    Raises:
        InvalidInput: The method's students have no superfeatures.
        Unavailable: The teacher is not finished.
    """

    def __init__(self, run: Run, method: str, x: Tensor) -> None:
        if method_named(method).net != "ked":
            raise InvalidInput(f"students of {method!r} see everything at once, so they have no explanations to compare.")
        self.run, self.stage, self.x, self.tau = run, f"student-{method}", x, run.recipe.tau
        self._teacher = run.explaining()
        with torch.inference_mode():
            self._own = explain(self._teacher, x)
        self._known: dict[tuple[int, int], tuple[Tensor, Tensor, tuple[int, ...]]] = {}

    @torch.inference_mode()
    def now(self) -> Agreement:
        """With all epochs that are kept by now; `Unavailable` if the students have not finished one yet."""
        _learn(self.run, self.stage, self._known, self._compared)
        epochs, compared = _in_order(self.run, self.stage, self._known)
        cosines, divergences, superfeatures = zip(*compared, strict=True)
        return Agreement(epochs, torch.stack(cosines), torch.stack(divergences), superfeatures[0])

    def _compared(self, net: Stack) -> tuple[Tensor, Tensor, tuple[int, ...]]:
        pairs = matching(net, self._teacher)
        mine, theirs = explain(net, self.x)[:, list(pairs.students)], self._own[:, list(pairs.teachers)]
        phi = contributions(mine, net.base), contributions(theirs, self._teacher.base)
        return cosine(*phi).mean(dim=-1), divergence(mine, theirs, self.tau), pairs.teachers


def trajectory(run: Run, stage: str, x: Tensor) -> Trajectory:
    """What a stage's nets say of one sample; see `Trajectories`."""
    return Trajectories(run, stage, x).now()


def agreement(run: Run, method: str, x: Tensor) -> Agreement:
    """How far a method's students agree with their explaining teacher; see `Agreements`."""
    return Agreements(run, method, x).now()


def _learn(run: Run, stage: str, known: dict[tuple[int, int], Answer], ask: Callable[[Stack], Answer]) -> None:
    """Ask the nets that are not known yet, by epoch and time of writing: a training that goes on may write an epoch anew."""
    new = {epoch: path for epoch, path in _files(run, stage).items() if (epoch, _written(path)) not in known}
    for epoch, net in _loaded(new):
        known[epoch, _written(new[epoch])] = ask(net)


def _in_order(run: Run, stage: str, known: dict[tuple[int, int], Answer]) -> tuple[tuple[int, ...], list[Answer]]:
    """The epochs that are kept by now, and what is known of them."""
    found = {epoch: known[epoch, _written(path)] for epoch, path in _files(run, stage).items() if (epoch, _written(path)) in known}
    if not found:
        raise Unavailable(f"{stage} of run {run.id} has not finished an epoch yet.")
    return tuple(found), list(found.values())


def _written(path: Path) -> int:
    """When a file was written; 0 if it has just been replaced by a later epoch's."""
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime_ns
    return 0


def nets(run: Run, stage: str) -> Iterator[tuple[int, Stack]]:
    """(epoch, net) of a stage, in order; the net is one object whose weights are replaced, so use it before the next."""
    return _loaded(_files(run, stage))


def _loaded(files: Mapping[int, Path]) -> Iterator[tuple[int, Stack]]:
    net: Stack | None = None
    for epoch, path in files.items():
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
