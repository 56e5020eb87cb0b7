"""Runs as zip files: what goes out comes back bit by bit, with tables and a script that reproduces the numbers."""

from __future__ import annotations

import csv
import io
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from zips import Files, exported, zipped

from ked.errors import InvalidInput
from ked.library import rename, tag
from ked.library.archive import ADDED, STORED, export_run, import_run
from ked.recipe import Recipe
from ked.store import PRESETS, SNAPSHOTS, Run, create_run, list_presets, list_runs, load_run

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def files(small_run: Run) -> Files:
    return exported(small_run)


# There and back


def test_an_exported_run_comes_back_bit_by_bit(small_run: Run, files: Files, ked_home: Path) -> None:
    again = import_run(zipped(files))
    assert again == Run(ked_home / "runs" / small_run.id) == list_runs()[0]
    stored = {path.name: path.read_bytes() for path in small_run.folder.iterdir() if path.is_file()}
    assert {path.name for path in again.folder.iterdir()} == set(stored)
    for name in set(stored) - {"run.json"}:
        assert (again.folder / name).read_bytes() == stored[name]
    info = again.info
    assert info.pop("imported") > info["created"]
    assert info == small_run.info
    assert {name: content for name, content in exported(again).items() if name != "run.json"} == {
        name: content for name, content in files.items() if name != "run.json"
    }


@pytest.mark.parametrize("preset", [run.id for run in list_presets()])
def test_every_kind_of_run_comes_back(preset: str) -> None:
    before = exported(load_run(preset))
    after = exported(import_run(zipped(before)))
    assert {name for name in before if before[name] != after[name]} <= {"run.json", "reproduce.py"}  # which name the run


def test_equal_runs_give_equal_archives(small_run: Run) -> None:
    first, second = io.BytesIO(), io.BytesIO()
    export_run(small_run, first)
    export_run(small_run, second)
    assert first.getvalue() == second.getvalue()


def test_an_id_that_exists_already_gets_a_new_one(files: Files, small_run: Run, ked_home: Path) -> None:
    first = import_run(zipped(files))
    before = {path: path.read_bytes() for path in first.folder.iterdir()}
    second = import_run(zipped(files))
    preset = import_run(zipped(exported(load_run("digits-preset"))))
    assert len({first.id, second.id, preset.id, "digits-preset"}) == 4
    assert second.info["id"] == second.id
    assert load_run(second.id).info["summary"] == first.info["summary"]
    assert {path: path.read_bytes() for path in first.folder.iterdir()} == before


def test_name_and_tags_travel_along(warm: Run) -> None:
    rename(warm, "Mit Umlauten: größer & <b>fetter</b>")
    tag(warm, ["for the paper", "digits"])
    again = import_run(zipped(exported(warm)))
    assert again.id != warm.id
    assert (again.info["name"], again.info["tags"]) == (warm.info["name"], ["digits", "for the paper"])


def test_a_run_that_was_stopped_travels_without_results() -> None:
    run = create_run(Recipe())
    run.append({"kind": "stage", "stage": "teacher", "cached": False})
    run.update(status="cancelled")
    assert set(files := exported(run)) == {"run.json", "events.jsonl", "curves.csv"}
    assert import_run(zipped(files)).status == "cancelled"


def test_a_run_in_progress_is_not_exported(one_sentence: Callable[[str], str]) -> None:
    run = create_run(Recipe())
    with pytest.raises(InvalidInput, match="still in progress") as caught:
        exported(run)
    one_sentence(str(caught.value))


# The tables


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_results_have_a_row_a_net_and_seed(files: Files, small_run: Run) -> None:
    found = {(row["net"], int(row["seed"])): float(row["test_accuracy"]) for row in rows(files["results.csv"])}
    accuracy = small_run.info["summary"]["accuracy"]
    expected = {(net, 0): accuracy[net] for net in ("teacher", "explaining")}
    expected |= {(net, seed): accuracy[net][seed] for net in ("plain", "kd", "ked") for seed in (0, 1)}
    assert found == expected


def test_curves_have_a_row_a_stage_epoch_and_seed(files: Files, small_run: Run) -> None:
    table = rows(files["curves.csv"])
    events = [event for event in small_run.events()[0] if event["kind"] == "epoch"]
    assert len(table) == 3 + 3 + 3 * 2 * 2 == sum(len(event["validation"]) for event in events)
    for event in events:
        for seed, value in enumerate(event["validation"]):
            (row,) = [r for r in table if (r["stage"], r["epoch"], r["seed"]) == (event["stage"], str(event["epoch"]), str(seed))]
            assert float(row["validation_accuracy"]) == value
            for term in ("ce", "prediction", "explanation"):
                assert row[term] == (repr(event["loss"][term][seed]) if term in event["loss"] else "")


def test_of_a_stage_that_was_begun_twice_the_last_beginning_counts(warm: Run) -> None:
    before = exported(warm)["curves.csv"]
    events = warm.events()[0]
    begun = [event for event in events if event.get("stage") == "student-ked"]
    for event in begun:
        warm.append(event)
    assert rows(exported(warm)["curves.csv"]) == rows(before)


# The script


def reproduce(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "reproduce.py"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_the_script_reproduces_the_numbers_and_fails_on_others(
    files: Files, tmp_path: Path, ked_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reproduce.py").write_bytes(files["reproduce.py"])
    done = reproduce(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("agrees") == 5
    assert not ked_home.exists(), "it leaves nothing behind"
    value = json.loads(files["run.json"])["summary"]["accuracy"]["ked"][1]
    text = files["reproduce.py"].decode()
    assert text.count(repr(value)) == 1
    (tmp_path / "reproduce.py").write_text(text.replace(repr(value), repr(value - 0.01)))
    main = runpy.run_path(str(tmp_path / "reproduce.py"))["main"]
    monkeypatch.setenv("KED_HOME", str(ked_home))  # which the script changes
    with pytest.raises(AssertionError, match="other numbers than before: ked"):
        main()
    main(0.005 + 1e-9)  # the mean over two seeds, one of them changed by 0.01


def test_what_an_imported_run_says_of_itself_never_becomes_code(warm: Run) -> None:
    attack = '"""\nimport os; os.system("x")\n"""{0}{id}'
    warm.update(versions={attack: attack}, commit=attack, device=attack, name='"""', message=attack)
    warm.update(recipe=warm.info["recipe"] | {"dataset": "x'\"\"\"\n.csv"})
    text = exported(warm)["reproduce.py"].decode()
    compile(text, "reproduce.py", "exec")
    assert "\nimport os; os.system" not in text
    assert text.count('"""') == 3  # two of its own docstring, one inside the string of the data set's name


def test_every_file_of_the_presets_may_be_exported() -> None:
    assert {path.name for path in PRESETS.glob("*/*")} - {SNAPSHOTS} <= set(STORED)
    assert not set(STORED) & set(ADDED)
