"""A run's numbers as tables for other programs: final accuracies and learning curves, as CSV text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from ked.recipe import Recipe
from ked.store import Run

TEACHERS = ("teacher", "explaining")


def results_csv(run: Run) -> str:
    """One row a net and seed: net, seed, test_accuracy (0 to 1), parameters."""
    recipe, summary = run.recipe, run.info["summary"]
    rows = [
        (net, seed, value, summary["parameters"][net])
        for net, values in summary["accuracy"].items()
        for seed, value in zip(_seeds(recipe, net), values if isinstance(values, list) else [values], strict=True)
    ]
    return _csv(("net", "seed", "test_accuracy", "parameters"), rows)


def curves_csv(run: Run) -> str:
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
    return _csv(("stage", "epoch", "seed", "validation_accuracy", *terms), rows)


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


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()
