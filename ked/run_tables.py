"""A run's numbers as tables: final accuracies and learning curves, as rows, for `Run.results`, `Run.curves` and CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ked.errors import Unavailable
from ked.recipe import Recipe

if TYPE_CHECKING:
    from pandas import DataFrame

TEACHERS = ("teacher", "explaining")

Table = tuple[Sequence[str], list[tuple[Any, ...]]]
"""Names of the columns, and rows."""


class Told(Protocol):
    """What tables are made of: a run."""

    @property
    def id(self) -> str: ...

    @property
    def info(self) -> dict[str, Any]: ...

    @property
    def recipe(self) -> Recipe: ...

    def events(self) -> tuple[list[dict[str, Any]], int]: ...


def results(run: Told) -> Table:
    """One row a net and seed: net, seed, test_accuracy (0 to 1), parameters; `Unavailable` before the run has ended well."""
    recipe, info = run.recipe, run.info
    if "summary" not in info:
        raise Unavailable(f"run {run.id} is {info['status']}, so it has no result yet.")
    summary = info["summary"]
    rows = [
        (net, seed, value, summary["parameters"][net])
        for net, values in summary["accuracy"].items()
        for seed, value in zip(_seeds(recipe, net), values if isinstance(values, list) else [values], strict=True)
    ]
    return ("net", "seed", "test_accuracy", "parameters"), rows


def curves(run: Told) -> Table:
    """One row a stage, epoch and seed: validation accuracy (0 to 1) and each loss term, unweighted, in nats.

    A term that a stage does not have is empty. Of a stage that was begun more than once the last beginning counts.
    """
    recipe, epochs = run.recipe, _epochs(run.events()[0])
    terms = list(dict.fromkeys(term for event in epochs for term in event["loss"]))
    rows = [
        (event["stage"], event["epoch"], seed, event["validation"][k], *(event["loss"].get(t, {k: ""})[k] for t in terms))
        for event in epochs
        for k, seed in enumerate(_seeds(recipe, event["stage"].removeprefix("student-")))
    ]
    return ("stage", "epoch", "seed", "validation_accuracy", *terms), rows


def frame(table: Table) -> DataFrame:
    """A table for notebooks."""
    from pandas import DataFrame

    return DataFrame(table[1], columns=list(table[0]))


def as_csv(table: Table) -> str:
    """A table as CSV text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table[0])
    writer.writerows(table[1])
    return text.getvalue()


def _epochs(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The epochs of each stage's last beginning, in the order of work."""
    stages: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        if event["kind"] == "stage":
            stages[event["stage"]] = []
        elif event["kind"] == "epoch":
            stages.setdefault(event["stage"], []).append(event)
    return [event for epochs in stages.values() for event in epochs]


def _seeds(recipe: Recipe, net: str) -> tuple[int, ...]:
    return (recipe.seed,) if net in TEACHERS else recipe.seed_list
