"""A study that takes seconds, for tests and for the processes that they start; and cells that nobody has computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ked.methods import METHODS
from ked.studies import Comparison, Study, ledger
from ked.studies.cells import Cell, Settings, cells_of
from ked.studies.ledger import Record

TINY = Study(
    "tiny",
    "Does anything happen in a second?",
    {"M = 2": {"superfeatures": 2}, "M = 3": {"superfeatures": 3}},
    ("kd", "ked"),
    (Comparison("ked", "kd"), Comparison("ked", "ked", "M = 2")),
    {"teacher_hidden": (16,), "student_hidden": (8,), "epochs": 2, "teacher_epochs": 1, "dependency_samples": 50},
)

TWO_SEEDS = Settings(seeds=2, teachers=1)
ONE_TEACHER = Settings(seeds=5, teachers=1)


def record_of(cell: Cell, shift: float = 0.0) -> Record:
    """What might come out of a cell: numbers with all their digits, some of them missing."""
    nets: dict[str, dict[str, Any]] = {"teacher": {"accuracy": [1 / 3], "seconds": 0.1}}
    nets["explaining"] = {"accuracy": [0.1 + 0.2], "seconds": 1.0}
    for number, net in enumerate(cell.recipe.methods, start=1):
        values = [shift + 0.9 - 0.1 / (3 * number + seed * len(cell.level)) for seed in range(cell.recipe.seeds)]
        nets[net] = {"accuracy": values, "validation": [value / 7 for value in values], "seconds": 1.0}
        nets[net] |= {"agreement": values[::-1], "answer": values} if METHODS[net].net == "ked" else {}
    groups = {"modularity": 2 / 7, "adjusted": "one was split", "sizes": [1, 2]}
    groups |= {"recovery": 0.75} if "planted" in cell.recipe.dataset else {}
    return Record(cell.key, f"digits-{cell.key}", 3.0, nets, groups)


def keep(study: Study, settings: Settings, levels: Sequence[str] = (), shift: float = 0.0) -> None:
    """Let the cells of a study be stored here, or those of some levels, as if they had been computed."""
    for cell in cells_of(study, settings):
        if not levels or cell.level in levels:
            ledger.write(study.name, record_of(cell, shift))
