"""The moments of a run that can be gone back to: epochs of the teacher, of the explaining teacher, of all students together.

Students of different methods train one after the other, but what is compared is their k-th epoch: one moment for all. No
streamlit here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from explorer.timeline.history import History
from ked.runs.snapshots import spread

PHASES = {"teacher": "teacher", "explaining": "explaining teacher", "students": "students"}
"""Phase -> what it is called; in the order of time."""


class Moment(NamedTuple):
    """After an epoch (1, 2, ...) of a phase that has so many."""

    phase: str
    epoch: int
    epochs: int

    @property
    def name(self) -> str:
        """As in addresses and frames: "teacher-3"."""
        return f"{self.phase}-{self.epoch}"

    @property
    def label(self) -> str:
        """As a visitor reads it."""
        return f"{PHASES[self.phase]}, epoch {self.epoch} of {self.epochs}"


def moments(history: History) -> list[Moment]:
    """The moments so far, in order: of each phase at most as many epochs as a stage keeps snapshots, and its latest."""
    found: list[Moment] = []
    for phase in PHASES:
        done, epochs = _reached(history, phase)
        kept = {epoch for epoch in spread(max(epochs, done)) if epoch <= done} | ({done} if done else set())
        found += [Moment(phase, epoch, max(epochs, done)) for epoch in sorted(kept)]
    return found


def at_moments(epochs: Sequence[int], phase: Sequence[Moment], offset: int = 0) -> dict[str, int]:
    """Moment's name -> position in `epochs` of the latest that lies not after it; moments before the first have none.

    Args:
        epochs: Of snapshots, in order, counted from `offset`.
        phase: The moments of their phase.
    """
    places: dict[str, int] = {}
    for moment in phase:
        behind = [place for place, epoch in enumerate(epochs) if epoch + offset <= moment.epoch]
        if behind:
            places[moment.name] = behind[-1]
    return places


def _reached(history: History, phase: str) -> tuple[int, int]:
    """How many epochs of a phase are done, and how many it has."""
    if phase != "students":
        stage: Mapping[str, int] = history.stages.get(phase, {})
        return stage.get("epoch", 0), stage.get("epochs", 0)
    students = history.students()
    before = {name: history.epochs_before(name) for name in students}
    done = [before[name] + stage["epoch"] for name, stage in students.items() if stage["epoch"]]
    epochs = [before[name] + stage["epochs"] for name, stage in students.items()]
    return max(done, default=0), max(epochs, default=0)
