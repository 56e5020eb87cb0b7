"""A run's events gathered into what the charts draw. No streamlit here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ked.store import Run


@dataclass
class History:
    """What the events of a run have said so far; `read` takes in what is new and can be called as often as one likes."""

    run: Run
    offset: int = 0
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    live: dict[str, Any] = field(default_factory=dict)
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
            self.order.append(name)
            self.stages[name] = {
                "cached": event["cached"],
                "epoch": 0,
                "epochs": 0,
                "validation": [],
                "loss": {},
            }
        elif kind == "training" and name:
            self.stages[name].update(epochs=event["epochs"], weights=event["weights"])
        elif kind == "epoch" and name:
            stage = self.stages[name]
            stage["epoch"] = event["epoch"]
            stage["validation"].append(event["validation"])
            for term, values in event["loss"].items():
                stage["loss"].setdefault(term, []).append(values)
        elif kind == "end":
            self.end = event
        self.live = event if kind == "step" else {}

    def curves(self) -> dict[str, np.ndarray]:
        """Method -> (epochs so far, K) validation accuracy, of students that have finished an epoch."""
        return {name: np.array(stage["validation"]) for name, stage in self._students().items() if stage["validation"]}

    def losses(self) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, dict[str, float]]]:
        """Method -> term -> (epochs so far, K) unweighted loss in nats, and method -> term -> weight."""
        begun = {name: stage for name, stage in self._students().items() if stage["validation"]}
        history = {name: {term: np.array(v) for term, v in stage["loss"].items()} for name, stage in begun.items()}
        return history, {name: stage["weights"] for name, stage in begun.items()}

    def teachers(self) -> dict[str, float]:
        """Teacher or explaining teacher -> its latest validation accuracy."""
        return {
            name: self.stages[name]["validation"][-1][0]
            for name in ("teacher", "explaining")
            if self.stages.get(name, {}).get("validation")
        }

    def teacher_curves(self) -> dict[str, np.ndarray]:
        """Teacher or explaining teacher -> (epochs so far, 1) validation accuracy."""
        return {
            name: np.array(self.stages[name]["validation"])
            for name in ("teacher", "explaining")
            if self.stages.get(name, {}).get("validation")
        }

    def _students(self) -> dict[str, dict[str, Any]]:
        prefix = "student-"
        return {name.removeprefix(prefix): stage for name, stage in self.stages.items() if name.startswith(prefix)}
