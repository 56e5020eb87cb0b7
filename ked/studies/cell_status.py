"""What is there of each cell of a study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ked.files.home import home
from ked.store import Run
from ked.studies import ledger
from ked.studies.cells import Cell, key_of

State = Literal["stored", "finished run", "at work", "begun", "to do"]
_ORDER: tuple[State, ...] = ("stored", "finished run", "at work", "begun")


@dataclass(frozen=True)
class CellStatus:
    """What is there of a cell.

    Attributes:
        state: Its record is stored, a finished run is still to be read, a run computes it now, part of a run is there, or nothing.
        run: Id of that run; "" where there is none, or it was deleted.
    """

    state: State
    run: str = ""


def status_of(cells: Sequence[Cell]) -> dict[str, CellStatus]:
    """Key -> what is there of each cell."""
    found: dict[str, dict[State, CellStatus]] = {cell.key: {} for cell in cells}
    wanted = {cell.key: cell for cell in cells}
    for study in {cell.study for cell in cells}:
        for key, record in ledger.read(study).items():
            there = (home() / "runs" / record.run / "run.json").is_file()
            found.get(key, {})["stored"] = CellStatus("stored", record.run if there else "")
    for run, info in ledger.runs():
        for key, state in _of_run(wanted, run, info):
            found[key].setdefault(state, CellStatus(state, run.id))  # the newest one of each kind
    return {key: next((states[name] for name in _ORDER if name in states), CellStatus("to do")) for key, states in found.items()}


def _of_run(wanted: dict[str, Cell], run: Run, info: dict[str, Any]) -> Iterator[tuple[str, State]]:
    """The cells that a run is of, and what it is to them."""
    key = str(info.get("cell"))
    if info["status"] == "done":
        key = key_of(info["stages"]) if info.get("stages") else ""
        if key in wanted:
            yield key, "finished run"
    elif key in wanted and ledger.is_begun(wanted[key], run, info):
        yield key, "at work" if ledger.at_work(run) else "begun"
