"""Whether students were trained long enough: who has not reached its teacher and still improves has had too few batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ked.methods import METHODS
from ked.recipe import Recipe
from ked.runs.steering import Event
from ked.shares import in_percent

SHARE = 5
"""The last epochs, one in so many, are compared with as many before them."""
BEHIND, FALLS = 0.02, 0.03
"""How far behind its teacher's validation accuracy a student is that has not reached it, and by what share its loss must still fall."""
ENOUGH = 2000
"""Batches that a student of a small net mostly needs: so many are advised where it has had fewer."""


def found(events: Sequence[Event], recipe: Recipe, train: int) -> list[str]:
    """A sentence for each student that would be better if it were trained longer; none where there are too few epochs to tell.

    Args:
        events: The run's, up to here.
        recipe: Its recipe.
        train: How many samples it trains on.
    """
    batches = recipe.epochs * -(-train // recipe.batch_for("student", train))
    longer = recipe.epochs * int(np.clip(np.ceil(ENOUGH / max(batches, 1)), 2, 20))
    said = []
    for method in recipe.method_rows:
        if method.further:
            continue
        teacher = "explaining" if method.needs_explaining_teacher else "teacher"
        student, reference = (_Course.of(events, stage) for stage in (f"student-{method.name}", teacher))
        if student is None or reference is None or not student.still_improves:
            continue
        behind, ahead = student.validation[-student.last :].mean(), reference.validation[-1]
        if behind < ahead - BEHIND:
            reached = f"{in_percent(behind, 1)} of the validation samples against {in_percent(ahead, 1)}"
            said.append(
                f"{METHODS[method.name].label} has not reached its teacher ({reached}) and still improves after {batches} batches: "
                f"train it longer, with epochs = {longer}."
            )
    return said


class _Course:
    """A stage's means over its seeds: validation accuracy and loss (E,)."""

    def __init__(self, epochs: list[Event], weights: dict[str, float]) -> None:
        self.validation = np.array([np.mean(event["validation"]) for event in epochs])
        self.loss = np.array([_loss(event["loss"], weights) for event in epochs])
        self.last = max(1, len(epochs) // SHARE)

    @classmethod
    def of(cls, events: Sequence[Event], stage: str) -> _Course | None:
        """None of a stage that had too few epochs."""
        mine = [event for event in events if event.get("stage") == stage]
        epochs = [event for event in mine if event["kind"] == "epoch"]
        begun = [event for event in mine if event["kind"] == "training"]
        return cls(epochs, begun[-1]["weights"]) if begun and len(epochs) >= 1 and epochs[-1]["validation"] else None

    @property
    def still_improves(self) -> bool:
        """Whether in its last epochs the loss fell and the accuracy did not."""
        if len(self.loss) < SHARE:
            return False
        late, before = slice(-self.last, None), slice(-2 * self.last, -self.last)
        falls = self.loss[late].mean() < (1 - FALLS) * self.loss[before].mean()
        return bool(falls and self.validation[late].mean() >= self.validation[before].mean())


def _loss(terms: dict[str, Any], weights: dict[str, float]) -> float:
    return float(sum(weight * np.mean(terms[name]) for name, weight in weights.items() if name in terms))
