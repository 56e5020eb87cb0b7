"""Studies at work: cells are computed once, also after a kill; nothing is trained twice at a time; the command says what came out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from command_line import Ked
from study_samples import TINY, TWO_SEEDS

from ked.errors import Unavailable
from ked.files.locks import locked
from ked.recipe import Recipe
from ked.runs.stage_keys import stage_keys
from ked.store import Run, create_run, list_runs, load_run
from ked.studies import STUDIES, ledger
from ked.studies.cell_status import CellStatus, status_of
from ked.studies.cells import Cell, Settings, cells_of
from ked.studies.computing import Order, Stopped, _check, compute
from ked.studies.execution import execute, free
from ked.studies.ledger import Record
from ked.studies.report import report

ROOT = Path(__file__).resolve().parent.parent
TESTS = Path(__file__).resolve().parent

KILLED = """
import os, signal
from study_samples import TINY, TWO_SEEDS
from ked.studies.cells import cells_of
from ked.studies.execution import execute
from ked.studies.executors import local

if __name__ == "__main__":
    with local() as pool:
        for event in execute(cells_of(TINY, TWO_SEEDS), pool):
            if event["kind"] == "finished":
                print(*(p for p in pool._processes), flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
"""


def _all(cells: tuple[Cell, ...]) -> list[dict[str, object]]:
    with ThreadPoolExecutor(1) as executor:
        return list(execute(cells, executor))


def _own_runs() -> list[Run]:
    return [run for run in list_runs() if "cell" in run.info]


def test_a_study_that_was_killed_goes_on_with_the_cells_that_are_missing(
    ked_home: Path, tmp_path: Path, wait_for: Callable[..., None]
) -> None:
    script = tmp_path / "study_that_is_killed.py"
    script.write_text(KILLED, "utf-8")
    paths = os.pathsep.join((str(ROOT), str(TESTS)))
    environment = os.environ | {"PYTHONPATH": paths, "KED_JOBS": "1"}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    wait_for(lambda: not any(psutil.pid_exists(int(pid)) for pid in done.stdout.split()))  # no worker outlives its parent
    cells = cells_of(TINY, TWO_SEEDS)
    kept = ledger.read("tiny")
    assert len(kept) == 1
    events = _all(cells)
    assert [event["kind"] for event in events] == ["known", "started", "finished"]
    assert {run.info["cell"] for run in _own_runs()} == {cell.key for cell in cells}
    assert len(_own_runs()) == 2
    assert {key: ledger.read("tiny")[key] for key in kept} == kept
    assert [event["kind"] for event in _all(cells)] == ["known", "known"]
    _check_outcome()


def _check_outcome() -> None:
    """The stored cells as tables, against the runs."""
    found = report(TINY, TWO_SEEDS)
    assert found.missing == ()
    for row in found.cells.to_dict("records"):
        accuracy = load_run(row["run"]).info["summary"]["accuracy"][row["net"]]
        assert row["accuracy"] == (accuracy[row["seed"]] if isinstance(accuracy, list) else accuracy)
    assert set(found.cells["net"]) == {"teacher", "explaining", "kd", "ked"}
    assert found.cells[found.cells["net"] == "ked"]["agreement"].between(-1, 1).all()
    assert found.cells[found.cells["net"] == "kd"]["agreement"].isna().all()
    assert len(found.contrasts) == 3
    assert found.as_json()["answer"] == found.answer


def test_a_finished_run_with_the_same_recipe_is_read_and_not_computed_again(small_recipe: Recipe, warm: Run) -> None:
    study = replace(TINY, axis={"as it is": small_recipe.model_dump()}, fields={})
    cells = cells_of(study, TWO_SEEDS)
    assert status_of(cells) == {cells[0].key: CellStatus("finished run", warm.id)}
    events = _all(cells)
    assert [event["kind"] for event in events] == ["started", "finished"]
    assert ledger.read("tiny")[cells[0].key].run == warm.id
    assert _own_runs() == []
    assert status_of(cells) == {cells[0].key: CellStatus("stored", warm.id)}


LEFT = {"stopped": {"status": "cancelled"}, "killed": {"status": "running"}}


@pytest.mark.parametrize("left", LEFT.values(), ids=LEFT)
def test_a_cell_that_was_stopped_or_killed_goes_on_in_its_run(left: dict[str, object], tmp_path: Path) -> None:
    cell, stop = cells_of(TINY, TWO_SEEDS)[0], tmp_path / "stop"
    begun = create_run(cell.recipe, cell=cell.key)
    begun.update(**left)
    assert status_of([cell]) == {cell.key: CellStatus("begun", begun.id)}
    stop.touch()
    with pytest.raises(Stopped):
        compute(cell, Order(stop))
    stop.unlink()
    assert compute(cell, Order(stop)).run == begun.id
    assert begun.status == "done"


NETS: dict[str, Any] = {"accuracy": [0.5, 0.6], "seconds": 1.0, "validation": [0.5, 0.6]}
RECORD: dict[str, Any] = {
    "key": "0123", "run": "digits-1a2b3c4d", "seconds": 1.0, "nets": {"ked": NETS},
    "groups": {"modularity": 0.2, "adjusted": "", "sizes": [1]},
}  # fmt: skip
DAMAGED: list[dict[str, Any]] = [
    {"key": 1}, {"run": "../../etc"}, {"seconds": "x"}, {"nets": "x"}, {"nets": {"ked": 0.5}}, {"groups": []}, {"groups": {"sizes": "x"}},
    {"nets": {"ked": NETS | {"accuracy": ["x", 0.5]}}}, {"nets": {"ked": NETS | {"accuracy": 0.5}}},
    {"nets": {"ked": NETS | {"validation": [0.5]}}}, {"nets": {"ked": {"accuracy": [0.5]}}}, {"colour": "red"},
]  # fmt: skip


def test_damaged_lines_of_a_ledger_are_passed_over(ked_home: Path) -> None:
    ledger.write("tiny", Record(**RECORD))
    with open(ledger.file_of("tiny"), "a") as file:
        file.writelines(f"{json.dumps(RECORD | {'key': '4567'} | one)}\n" for one in DAMAGED)
        file.write('null\n[1]\n{"key": "89"}\n{"ke')
    ledger.write("tiny", Record(**RECORD | {"key": "last"}))
    assert set(ledger.read("tiny")) == {"0123", "last"}


def test_a_run_that_a_job_has_taken_over_is_left_to_it(at_work: Callable[[Run], Run]) -> None:
    cell = cells_of(TINY, TWO_SEEDS)[0]
    run = at_work(create_run(cell.recipe, cell=cell.key))
    assert ledger.begun(cell) is None
    assert status_of([cell]) == {cell.key: CellStatus("at work", run.id)}


def test_a_run_that_was_steered_elsewhere_is_not_taken_for_the_cell(tmp_path: Path, one_sentence: Callable[[str], str]) -> None:
    cell = cells_of(TINY, TWO_SEEDS)[0]
    run = create_run(cell.recipe, cell=cell.key)
    steered = cell.recipe.changed(("student-ked", 1, 1), mu=0.1)
    run.update(status="done", stages=stage_keys(steered), recipe=steered.model_dump())
    with pytest.raises(Unavailable, match=run.id) as caught:
        _check(cell, run, Order(tmp_path / "stop"))
    one_sentence(f"The cell failed: {caught.value}")
    assert status_of([cell]) == {cell.key: CellStatus("to do")}


def test_a_cell_that_somebody_else_computes_is_waited_for(ked_home: Path, wait_for: Callable[..., None], tmp_path: Path) -> None:
    cell = cells_of(TINY, TWO_SEEDS)[0]
    with ThreadPoolExecutor(1) as executor:
        with locked(ked_home / "studies" / ".locks" / cell.key):
            future = executor.submit(compute, cell, Order(tmp_path / "stop"))
            with pytest.raises(TimeoutError):
                future.result(0.3)
            assert _own_runs() == []
        assert future.result(60).key == cell.key


def test_closing_a_study_stops_the_cell_in_hand_and_leaves_nothing_running() -> None:
    cells = cells_of(replace(TINY, fields=dict(TINY.fields) | {"epochs": 100_000}), TWO_SEEDS)
    with ThreadPoolExecutor(1) as executor:
        events = execute(cells, executor)
        assert next(events)["kind"] == "started"
        events.close()
    assert all(run.status == "cancelled" for run in _own_runs())
    assert ledger.read("tiny") == {}


def test_a_cell_that_fails_is_told_and_the_others_go_on(one_sentence: Callable[[str], str]) -> None:
    axis = {"too many": {"superfeatures": 65}, "M = 2": {"superfeatures": 2}}
    cells = cells_of(replace(TINY, axis=axis), TWO_SEEDS)
    events = {event["cell"].level: event for event in _all(cells) if event["kind"] != "started"}
    assert events["too many"]["kind"] == "failed"
    assert "65" in one_sentence(events["too many"]["message"])
    assert events["M = 2"]["kind"] == "finished"


def test_no_teacher_is_trained_by_two_cells_at_a_time() -> None:
    cells = cells_of(STUDIES["m-sweep"], Settings(teachers=2))
    first = free(cells, (), ())
    assert [cell.teacher for cell in first] == [0, 1], "all levels share a teacher, so one cell of each may start"
    taken = {key for cell in first for key in cell.teaching}
    rest = [cell for cell in cells if cell not in first]
    assert free(rest, taken, ()) == []
    teachers = {cell.stages[stage] for cell in cells for stage in ("teacher", "dependency")}
    assert free(rest, (), teachers) == rest


def test_a_line_that_cannot_be_read_costs_only_that_cell(ked_home: Path) -> None:
    (ked_home / "studies" / "tiny").mkdir(parents=True)
    (ked_home / "studies" / "tiny" / "cells.jsonl").write_text('{"key": "a"}\nnonsense\n', "utf-8")
    assert ledger.read("tiny") == {}


def test_the_command_shows_what_there_is_and_computes_nothing(ked: Ked) -> None:
    assert all(name in ked("study", "list").out for name in STUDIES)
    assert [row["study"] for row in ked("study", "list", "--json").result["studies"]] == list(STUDIES)  # type: ignore[attr-defined]
    shown = ked("study", "m-sweep", "--dry-run", "--json")
    assert [cell["state"] for cell in shown.result["cells"]] == ["to do"] * 8 * 5  # type: ignore[attr-defined]
    assert shown.result["seconds"] > 1  # type: ignore[operator]
    told = ked("study", "m-sweep", "--dry-run").out
    assert "M = 16" in told
    assert "40 of 40 cells to do: about" in told
    assert list_runs() == [run for run in list_runs() if run.id.endswith("preset")]


def test_the_command_tells_what_is_stored_and_writes_tables(ked: Ked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(STUDIES, "tiny", TINY)
    _all(cells_of(TINY, TWO_SEEDS))
    done = ked("study", "tiny", "--seeds", "2", "--teachers", "1", "--json", "-o", str(tmp_path / "out"))
    assert done.code == 0, done.err
    assert done.result["question"] == TINY.question
    assert done.result["comparisons"] == 3
    table = pd.read_csv(tmp_path / "out" / "table.csv")
    assert list(table["net"]) == ["teacher", "explaining", "kd", "ked"] * 2
    cells = pd.read_csv(tmp_path / "out" / "cells.csv")
    told = [row["accuracy"] for row in done.result["cells"]]  # type: ignore[attr-defined]
    assert cells["accuracy"].tolist() == pytest.approx(told, abs=1e-14)
    assert "KED" in ked("study", "tiny", "--seeds", "2", "--teachers", "1").out


@pytest.mark.parametrize("arguments", [("study", "nonsense"), ("study", "noise", "--scale", "large")])
def test_a_wrong_value_is_one_sentence(ked: Ked, arguments: tuple[str, ...], one_sentence: Callable[[str], str]) -> None:
    done = ked(*arguments)
    assert done.code == 2
    one_sentence(done.err.removeprefix("ked: ").strip())


def test_dask_is_refused_with_one_sentence_where_it_is_not_installed(
    ked: Ked, one_sentence: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)  # what Python takes for a module that is not there
    done = ked("study", "noise", "--dask", "tcp://127.0.0.1:9")
    assert done.code == 1
    assert "pip install distributed" in one_sentence(done.err.removeprefix("ked: ").strip())


