"""A run in this process, taken event by event, for tests that steer it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from ked.nets.weights import load_stack
from ked.recipe import Recipe
from ked.runs.pipeline import run
from ked.store import Run, create_run

RECIPE = Recipe(
    methods=("kd", "ked"), seeds=2, epochs=3, teacher_epochs=2, teacher_hidden=(24,), student_hidden=(8,), train_size=200
)
Event = dict[str, Any]


class Driver:
    """A run in this process, taken event by event."""

    def __init__(self, recipe: Recipe = RECIPE, **options: Any) -> None:
        self.run = create_run(recipe)
        self.seen: list[Event] = []
        self.events: Iterator[Event] = run(recipe, into=self.run, **options)

    def until(self, kind: str, **values: Any) -> Event:
        """Go on to the first event like this."""
        for event in self.events:
            self.seen.append(event)
            if event["kind"] == kind and all(event.get(name) == value for name, value in values.items()):
                return event
        raise AssertionError(f"no event {kind} {values}")

    def ticks(self, count: int) -> list[Event]:
        """So many events further."""
        return [next(self.events) for _ in range(count)]

    def rest(self) -> Run:
        """Go on to the end."""
        self.seen += list(self.events)
        return self.run


def told(run: Run, *kinds: str) -> list[Event]:
    return [event for event in run.events()[0] if event["kind"] in kinds]


def nets(run: Run) -> dict[str, list[torch.Tensor]]:
    return {path.name: list(load_stack(path).parameters()) for path in run.folder.glob("*.safetensors") if path.stem != "dependency"}


def same(one: Run, other: Run) -> bool:
    mine, theirs = nets(one), nets(other)
    assert mine.keys() == theirs.keys()
    return all(torch.equal(a, b) for name in mine for a, b in zip(mine[name], theirs[name], strict=True))
