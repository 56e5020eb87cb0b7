"""The stored runs as rows of a table: what each one is, which of them are asked for, and in which order. No streamlit here."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from explorer.words.datasets import Titles, described
from ked import jobs
from ked.data import SOURCES, is_foreign, is_user_file
from ked.data.sources import FOREIGN
from ked.errors import InvalidInput, Unavailable
from ked.library import IN_PROGRESS, is_own, title
from ked.methods import METHODS
from ked.recipe import Recipe
from ked.store import Run

STATUSES = {
    "preset": "preset", "done": "finished", "active": "in progress", "failed": "failed", "cancelled": "stopped",
    "damaged": "damaged",
}  # fmt: skip
ORDERS = {"new": "newest first", "old": "oldest first", "best": "best first", "name": "by name", "data": "by data set"}


Scores = Mapping[str, Any]
"""Method -> an accuracy a seed."""


@dataclass(frozen=True)
class Entry:
    """One stored run, as far as it can be read.

    Attributes:
        id, name: The id, and what people call the run.
        dataset: Name or path of the data; title: what people call it.
        form: The students' net in a few words.
        M: Superfeatures.
        methods: Labels of the students' methods.
        best: Label and mean test accuracy (0 to 1) of the students that did best on validation data, where there is a result.
        status: A key of STATUSES.
        created: Seconds since 1970.
        tags: In alphabetical order.
    """

    id: str
    name: str
    status: str
    dataset: str = ""
    title: str = ""
    form: str = ""
    M: int = 0
    methods: tuple[str, ...] = ()
    best: tuple[str, float] | None = None
    created: float = 0.0
    tags: tuple[str, ...] = ()


def entry(run: Run, facts: Mapping[str, Any] | None, validation: Callable[[], Scores] = dict) -> Entry:
    """The row of a run.

    Args:
        facts: Its run.json, None if that cannot be read.
        validation: Gives the validation accuracies of a run whose run.json does not keep them, as those that are older do not.
    """
    with contextlib.suppress(InvalidInput, Unavailable, KeyError, TypeError, ValueError):
        if facts is not None:
            return _whole(run, facts, Recipe.make(**facts["recipe"]), validation)
    return Entry(run.id, run.id, "damaged")


def _whole(run: Run, facts: Mapping[str, Any], recipe: Recipe, validation: Callable[[], Scores]) -> Entry:
    summary = facts.get("summary", {})
    scores = summary.get("validation") or (validation() if summary else {})
    return Entry(
        id=run.id,
        name=title(run.id, facts),
        status=_status(run, facts),
        dataset=recipe.dataset,
        title=title_of(recipe.dataset),
        form="recorded" if "recorded" in facts else _form(recipe),
        M=recipe.superfeatures,
        methods=tuple(method.label for method in recipe.method_rows),
        best=_best(summary.get("accuracy", {}), scores),
        created=float(facts["created"]),
        tags=tuple(map(str, facts.get("tags", ()))),
    )


def _form(recipe: Recipe) -> str:
    return recipe.net if recipe.convolutional else f"MLP {'-'.join(map(str, recipe.student_hidden))}"


def title_of(dataset: str) -> str:
    """A data set's name as people write it; of one that is not here the file's name."""
    if dataset in SOURCES or is_user_file(dataset):
        return Titles().get(dataset) or dataset
    return Path(dataset.removeprefix(FOREIGN)).name if is_foreign(dataset) else described(dataset)


def _status(run: Run, facts: Mapping[str, Any]) -> str:
    if not is_own(run):
        return "preset"
    said = jobs.status(run, facts)
    return "active" if said in IN_PROGRESS else said


def _best(accuracy: Mapping[str, Any], validation: Scores) -> tuple[str, float] | None:
    """Validation data pick the students, and test data say what they are worth."""
    means = {name: float(np.mean(values)) for name, values in validation.items() if name in METHODS and name in accuracy}
    if not means:
        return None
    name = max(means, key=lambda method: means[method])
    return METHODS[name].label, float(np.mean(accuracy[name]))


def wanted(entries: Sequence[Entry], search: str = "", data_set: str = "", status: str = "", tag: str = "") -> list[Entry]:
    """The entries that hold every word of `search`, and have this data set, status and tag where one is given."""
    words = search.lower().split()
    return [
        found
        for found in entries
        if all(word in _text(found) for word in words)
        and data_set in ("", found.dataset)
        and status in ("", found.status)
        and (not tag or tag in found.tags)
    ]


def _text(found: Entry) -> str:
    parts = (found.id, found.name, found.dataset, found.title, found.form, STATUSES[found.status], *found.methods, *found.tags)
    return " ".join(parts).lower()


_KEYS: dict[str, Callable[[Entry], Any]] = {
    "new": lambda found: -found.created,
    "old": lambda found: found.created,
    "best": lambda found: -found.best[1] if found.best else 1.0,
    "name": lambda found: found.name.lower(),
    "data": lambda found: (found.title.lower(), -found.created),
}


def ordered(entries: Sequence[Entry], order: str) -> list[Entry]:
    """The entries in one of the ORDERS."""
    return sorted(entries, key=_KEYS[order])


def table(entries: Sequence[Entry]) -> pd.DataFrame:
    """One row an entry, in their order; accuracies in percent, and no date for what ships with the app."""
    rows = [
        {
            "name": found.name,
            "best": 100 * found.best[1] if found.best else None,
            "data": found.title,
            "status": STATUSES[found.status],
            "M": found.M or None,
            "best students": found.best[0] if found.best else "",
            "net": found.form,
            "when": None if found.status == "preset" else pd.Timestamp(found.created, unit="s", tz="UTC"),
            "tags": list(found.tags),
            "students": " · ".join(found.methods),
        }
        for found in entries
    ]
    columns = ("name", "best", "data", "status", "M", "best students", "net", "when", "tags", "students")
    return pd.DataFrame(rows, columns=columns)
