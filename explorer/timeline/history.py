"""A run's events gathered into what the charts draw. No streamlit here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ked.methods import METHODS
from ked.store import Run

TEACHERS = ("teacher", "explaining")
_QUIET = ("paused", "resumed", "adjusted", "refused", "forming")  # events after which the batch before is still the latest


@dataclass
class History:
    """What the events of a run have said so far; `read` takes in what is new and can be called as often as one likes.

    Attributes:
        run: Whose events.
        offset: Where in the file to go on.
        stages, order: What is known of each stage, and in which order they came.
        live: The latest batch, while nothing newer has been told.
        step: The latest batch of the stage at work, also after its epoch has ended.
        paused: Whether training rests just now.
        share: How much of a stage without epochs is done, 0 to 1.
        forming: Epoch -> how the teacher's superfeatures stood (`ked.runs.forming`).
        adjusted: Changes of settings while nets trained, in order.
        refused: Why the latest change was not made; empty when it was.
        end: How the run ended.
        time: Seconds since its start.
    """

    run: Run
    offset: int = 0
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    live: dict[str, Any] = field(default_factory=dict)
    step: dict[str, Any] = field(default_factory=dict)
    paused: bool = False
    share: float = 0.0
    forming: dict[int, dict[str, Any]] = field(default_factory=dict)
    adjusted: list[dict[str, Any]] = field(default_factory=list)
    refused: str = ""
    end: dict[str, Any] | None = None
    time: float = 0.0

    def read(self) -> History:
        """Take in the events that were written since the last call."""
        events, self.offset = self.run.events(self.offset)
        for event in events:
            self._take(event)
        return self

    def _take(self, event: dict[str, Any]) -> None:
        self.time = event.get("time", self.time)
        name, kind = event.get("stage"), event["kind"]
        if kind == "stage" and name:
            self._begin(name, event["cached"])
        elif kind == "training" and name:
            self._stage(name).update(epochs=event["epochs"], weights=event["weights"])
        elif kind == "epoch" and name:
            stage = self._stage(name)
            stage["epoch"] = event["epoch"]
            stage["validation"].append(event["validation"])
            stage["weighting"].append(stage["weights"])
            for term, values in event["loss"].items():
                stage["loss"].setdefault(term, []).append(values)
        else:
            self._aside(kind, event)
        self.paused = kind == "paused" or (self.paused and kind in ("adjusted", "refused"))
        if kind not in _QUIET:
            self.live = event if kind == "step" else {}

    def _aside(self, kind: str, event: dict[str, Any]) -> None:
        """What is neither a stage nor an epoch."""
        if kind == "step":
            self.step = event
        elif kind == "progress":
            self.share = event["share"]
        elif kind == "forming":
            self.forming[event["epoch"]] = event
        elif kind == "adjusted":
            self._stage(event["stage"])["weights"], self.refused = event["weights"], ""
            if not any(_same_change(event, other) for other in self.adjusted):  # a run that goes on tells its changes once more
                self.adjusted.append(event)
        elif kind == "refused":
            self.refused = event["reason"]
        elif kind == "end":
            self.end = event

    def _begin(self, name: str, cached: bool) -> dict[str, Any]:
        if name in self.order:  # a run that goes on tells its stages once more
            del self.order[self.order.index(name) :]
        self.order.append(name)
        self.end, self.step, self.share = None, {}, 0.0
        self.stages[name] = {"cached": cached, "epoch": 0, "epochs": 0, "weights": {}, "weighting": [], "validation": [], "loss": {}}
        return self.stages[name]

    def _stage(self, name: str) -> dict[str, Any]:
        """The stage, also when the line that announced it was lost in a crash."""
        return self.stages.get(name) or self._begin(name, cached=False)

    def curves(self) -> dict[str, np.ndarray]:
        """Method -> (epochs so far, K) validation accuracy, of students that have finished an epoch.

        A student that goes on where another method ended has that method's epochs before it, as NaN.
        """
        students = self.students()
        curves = {name: np.array(stage["validation"]) for name, stage in students.items() if stage["validation"]}
        for name in curves:
            first = METHODS[name].continues
            if first in students:
                before = np.full((len(students[first]["validation"]), curves[name].shape[1]), np.nan)
                curves[name] = np.concatenate([before, curves[name]])
        return curves

    @property
    def place(self) -> tuple[str, int]:
        """The stage at work, "" before the first, and how many of its epochs are finished."""
        return (self.order[-1], self.stages[self.order[-1]]["epoch"]) if self.order else ("", 0)

    def epochs_before(self, method: str) -> int:
        """Epochs of students that lie before a method's first: where it goes on, those of the method that it continues."""
        return int(self.stages.get(f"student-{METHODS[method].continues}", {}).get("epochs", 0))

    def losses(
        self, nets: Iterable[str] | None = None
    ) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, dict[str, float | np.ndarray]]]:
        """Net -> term -> (epochs so far, K) unweighted loss in nats, and net -> term -> weight: one, or (epochs so far,).

        An epoch in whose midst the weights changed counts with those of its end.

        Of `nets`, empty for those still to come; by default of the students that have finished an epoch.
        """
        nets = self.curves() if nets is None else nets
        stages = {net: self.stages.get(net if net in TEACHERS else f"student-{net}", {}) for net in nets}
        terms = {net: {term: np.array(v) for term, v in stage.get("loss", {}).items()} for net, stage in stages.items()}
        return terms, {net: _weights(stage) for net, stage in stages.items()}

    def teachers(self) -> dict[str, float]:
        """Teacher or explaining teacher -> its latest validation accuracy."""
        return {
            name: self.stages[name]["validation"][-1][0] for name in TEACHERS if self.stages.get(name, {}).get("validation")
        }

    def teacher_curves(self) -> dict[str, np.ndarray]:
        """Teacher or explaining teacher -> (epochs so far, 1) validation accuracy."""
        return {
            name: np.array(self.stages[name]["validation"]) for name in TEACHERS if self.stages.get(name, {}).get("validation")
        }

    def students(self) -> dict[str, dict[str, Any]]:
        """Method -> what is known of its stage."""
        prefix = "student-"
        return {name.removeprefix(prefix): stage for name, stage in self.stages.items() if name.startswith(prefix)}


def _weights(stage: dict[str, Any]) -> dict[str, float | np.ndarray]:
    told = stage.get("weighting") or [stage.get("weights", {})]
    if all(weights == told[0] for weights in told):
        return dict(told[0])
    return {term: np.array([weights.get(term, 0.0) for weights in told]) for term in told[0]}


def _same_change(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one.get(name) == other.get(name) for name in ("stage", "epoch", "step", "changes"))
