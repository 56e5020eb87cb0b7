"""What is known of a study's cells: `$KED_HOME/studies/<name>/cells.jsonl`, only ever appended to, one finished cell a line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import Field, FiniteFloat, ValidationError, model_validator

from ked import jobs
from ked.errors import Unavailable
from ked.files import jsonl
from ked.files.disk import disk_errors
from ked.files.home import home
from ked.run_form import Accuracy, Form
from ked.runs.run_lock import is_held
from ked.store import RUN_ID, Run, list_runs
from ked.studies.cells import Cell, key_of


@dataclass(frozen=True)
class Record:
    """What came out of a cell.

    Attributes:
        key: The cell's.
        run: Id of the run folder.
        seconds: Of all stages that this run computed itself; what came from the stage cache counts as nothing.
        nets: One entry a net: accuracy, and of students validation, agreement and answer (lists, a value a seed), seconds.
            What a net does not have is missing. `BAYES_RULE` is among them where a method learns from the true distribution.
        groups: Of the superfeatures: modularity, sizes, adjusted; recovery where the true groups are known.
    """

    key: str
    run: str
    seconds: float
    nets: dict[str, dict[str, Any]]
    groups: dict[str, Any]


class _Net(Form):
    accuracy: list[Accuracy]
    seconds: FiniteFloat | None
    validation: list[Accuracy] | None = None
    agreement: list[float] | None = None
    answer: list[float] | None = None

    @model_validator(mode="after")
    def _a_value_a_seed(self) -> Self:
        if any(values is not None and len(values) != len(self.accuracy) for values in (self.validation, self.agreement, self.answer)):
            raise ValueError("values of other seeds")
        return self


class _Groups(Form):
    sizes: list[int] = Field(default_factory=list)
    modularity: float | None = None
    adjusted: str | None = None
    recovery: float | None = None


class _Line(Form):
    """What a line of the file needs to become a record."""

    key: str
    run: str = Field(pattern=rf"^{RUN_ID.pattern}$")
    seconds: FiniteFloat
    nets: dict[str, _Net]
    groups: _Groups


def read(study: str) -> dict[str, Record]:
    """All finished cells of a study by their keys."""
    found: dict[str, Record] = {}
    for line in jsonl.read(file_of(study))[0]:
        with contextlib.suppress(ValidationError, TypeError):  # damaged, or of another version: the run, if it is there, is read again
            found[_Line.model_validate(line).key] = Record(**line)
    return found


def write(study: str, record: Record) -> None:
    """Keep a finished cell."""
    with disk_errors(file_of(study).parent):
        file_of(study).parent.mkdir(parents=True, exist_ok=True)
        jsonl.append(file_of(study), asdict(record))


def finished() -> dict[str, Run]:
    """Key -> a finished run that has the results of the cell with that key, from wherever the run was started."""
    return {key_of(info["stages"]): run for run, info in runs() if info["status"] == "done" and info.get("stages")}


def begun(cell: Cell) -> Run | None:
    """A run that was begun for this cell and has not ended well, with which one can go on."""
    return next((run for run, info in runs() if is_begun(cell, run, info) and not at_work(run)), None)


def is_begun(cell: Cell, run: Run, info: dict[str, Any]) -> bool:
    """Whether a run was made for the cell and has not ended well (yet)."""
    return info.get("cell") == cell.key and info["status"] != "done" and run.recipe == cell.recipe


def at_work(run: Run) -> bool:
    """Whether somebody computes the run, or a job is about to."""
    return is_held(run) or jobs.position(run) is not None


def runs() -> Iterator[tuple[Run, dict[str, Any]]]:
    """All runs that can be read, the newest first, with what run.json says."""
    for run in list_runs():
        try:
            yield run, run.info
        except Unavailable:
            continue


def file_of(study: str) -> Path:
    """Where the cells of a study are kept."""
    return home() / "studies" / study / "cells.jsonl"
