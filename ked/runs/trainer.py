"""The course of one stage's training: steered between batches, told as events, kept so that it can go on and be looked back at."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from torch import nn

from ked.losses import LABELS_ONLY
from ked.nets.stack import Stack
from ked.nets.subnets import SubnetStack
from ked.recipe import Recipe
from ked.runs.context import Context
from ked.runs.forming import SuperfeatureTracker
from ked.runs.snapshots import Snapshots
from ked.runs.steering import Event
from ked.runs.targets import LiveTargets
from ked.store import SNAPSHOTS
from ked.training import optimisers
from ked.training.batches import Batches
from ked.training.checkpoint import Checkpoint
from ked.training.loop import Epoch, Step, descend

LIVE_INTERVAL = 0.25  # seconds between two "step" events: often enough to look alive, too seldom to slow training


class Trainer:
    """Trains a net and says so.

    Args:
        context: Of the run.
        stage: Its name.
        net: What trains, in place; it goes on from a checkpoint if there is one.
        batches: What it sees.
        epochs: How often.
        lesson: What a student is taught; a teacher learns from labels.
        watch: Whether superfeatures are shown as they form (of a black box that is an MLP).
    """

    def __init__(
        self,
        context: Context,
        stage: str,
        net: Stack,
        batches: Batches,
        epochs: int,
        *,
        lesson: LiveTargets | None = None,
        watch: bool = False,
    ) -> None:
        self.context, self.stage, self.net, self.batches, self.epochs = context, stage, net, batches, epochs
        self.lesson, self.watch, self.steering = lesson, watch, context.steering
        also: nn.Module | None = lesson.teachers.hint if lesson else None
        recipe = context.recipe
        self.recipe = recipe  # with the settings in force
        self.optimiser = optimisers.make(recipe.optimiser, net, recipe.lr, recipe.weight_decay, also)
        self.snapshots = Snapshots(context.run, stage, net, epochs)
        path = context.run.folder / SNAPSHOTS / f"{stage}.safetensors"
        self.checkpoint = Checkpoint(path, self._key, nn.ModuleList([net, also]) if also else net, self.optimiser)
        self._told: list[str] = []
        self._said = self._began = time.monotonic()

    def events(self) -> Iterator[Event]:
        """The training: "training" at the start, "epoch" after each epoch, "step" now and then, and what steering tells."""
        head = {"kind": "training", "stage": self.stage, "epochs": self.epochs, "weights": self._weights()}
        yield head | {"parameters": self.net.parameter_count, "hidden": list(self.net.hidden)}
        done, behind = self.checkpoint.restore()
        self._told = [json.dumps(event) for event in behind]
        self.snapshots.forget(after=done)
        self._take(self.steering.recipe.in_force(self.stage, done + 1, 0))
        yield from behind
        if done < self.epochs:
            yield from self._train(done, _forming(self, behind))

    def _train(self, done: int, forming: SuperfeatureTracker | None) -> Iterator[Event]:
        validation = self.context.dataset.part("validation")
        self._said = self._began = time.monotonic()
        self._rested = self.steering.waited
        yield from self._hold(done + 1, 1)
        for point in descend(
            self.net, self.batches, validation, self.epochs, self.optimiser, done, rate=self._rate, mixed=self.context.mixed
        ):
            if isinstance(point, Step):
                yield self._step(point)
                if point.step < point.steps:
                    yield from self._hold(point.epoch, point.step + 1)
            else:
                yield from self._epoch(point, forming)
                if point.epoch < self.epochs:
                    yield from self._hold(point.epoch + 1, 1)

    def _hold(self, epoch: int, step: int) -> Iterator[Event]:
        """Before a batch: whoever steers may rest here, and change settings."""
        for event in self.steering.hold(self.stage, epoch, step):
            if event["kind"] == "adjusted":
                self._take(self.steering.recipe.in_force(self.stage, epoch, step))
                for group in self.optimiser.param_groups:
                    group["lr"] = self._rate(epoch)
                event["weights"] = self._weights()
                self._told.append(json.dumps(event))
            yield event

    def _step(self, point: Step) -> Event:
        now = time.monotonic()
        if now - self._said <= LIVE_INTERVAL and not self.steering.close_up:
            return {"kind": "tick"}
        self._said = now
        place = {"stage": self.stage, "epochs": self.epochs, "epoch": point.epoch, "step": point.step, "steps": point.steps}
        loss = {name: value.tolist() for name, value in point.terms.items()}
        each = point.each_explanation()
        parts = {} if each is None else {"explanations": each.mean(dim=0).tolist()}
        return place | {"kind": "step", "loss": loss, "weights": self._weights(), **parts}

    def _epoch(self, point: Epoch, forming: SuperfeatureTracker | None) -> Iterator[Event]:
        place = {"stage": self.stage, "epochs": self.epochs, "epoch": point.epoch}
        event = place | {"kind": "epoch", "loss": point.loss, "validation": point.validation}
        self._told.append(json.dumps(event))
        self.snapshots.write(point.epoch)
        self.checkpoint.write(point.epoch, self._told)
        self.steering.epoch_ended()
        yield event
        if forming:
            trained = time.monotonic() - self._began - (self.steering.waited - self._rested) - forming.spent
            if state := forming.after(point.epoch, trained, at_leisure=self.steering.close_up):
                self._told.append(json.dumps(state))
                yield state

    def _take(self, recipe: Recipe) -> None:
        self.recipe = recipe
        if self.lesson:
            self.lesson.change(recipe)

    def _weights(self) -> dict[str, float]:
        return self.lesson.weights if self.lesson else LABELS_ONLY.weights

    def _rate(self, epoch: int) -> float:
        return self.recipe.lr * optimisers.SCHEDULES[self.recipe.schedule].factor(epoch, self.epochs)

    def _key(self, epoch: int) -> str:
        return self.steering.key(self.stage, epoch)


def _forming(course: Trainer, behind: list[Event]) -> SuperfeatureTracker | None:
    if not course.watch or not isinstance(course.net, SubnetStack):
        return None
    before = next((event for event in reversed(behind) if event["kind"] == "forming"), None)
    data = course.context.dataset
    return SuperfeatureTracker(course.net, course.context.recipe, data.part("train")[0], course.epochs, before, data.together)
