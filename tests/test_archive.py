"""Runs as zip files: what goes out comes back bit by bit, and what no export would write is refused and leaves nothing."""

from __future__ import annotations

import csv
import io
import json
import os
import runpy
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from ked import archive
from ked.archive import ADDED, STORED, export_run, import_run
from ked.errors import InvalidInput
from ked.library import rename, tag
from ked.recipe import Recipe
from ked.store import PRESETS, Run, create_run, list_runs, load_run

ROOT = Path(__file__).resolve().parent.parent
Files = dict[str, bytes]


def exported(run: Run) -> Files:
    """The files of a run's archive."""
    file = io.BytesIO()
    export_run(run, file)
    with zipfile.ZipFile(file) as found:
        return {name: found.read(name) for name in found.namelist()}


def zipped(files: Files) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return file


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
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)


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


# Refusals


def with_info(**changes: object) -> Callable[[Files], Files]:
    return lambda files: files | {"run.json": json.dumps(json.loads(files["run.json"]) | changes).encode()}


def with_summary(**changes: object) -> Callable[[Files], Files]:
    def change(files: Files) -> Files:
        info = json.loads(files["run.json"])
        info["summary"]["accuracy"] |= changes
        return files | {"run.json": json.dumps(info).encode()}

    return change


def with_event(text: str) -> Callable[[Files], Files]:
    return lambda files: files | {"events.jsonl": files["events.jsonl"] + text.encode() + b"\n"}


def without(name: str) -> Callable[[Files], Files]:
    return lambda files: {other: content for other, content in files.items() if other != name}


def another(name: str, content: bytes) -> Callable[[Files], Files]:
    return lambda files: files | {name: content}


REFUSED: dict[str, tuple[Callable[[Files], Files], str]] = {
    "a way out of the folder": (another("../../evil.json", b"{}"), "does not belong"),
    "an absolute path": (another("/tmp/evil.json", b"{}"), "does not belong"),
    "a backslash": (another("..\\run.json", b"{}"), "does not belong"),
    "a folder": (another("checkpoints/", b""), "does not belong"),
    "a file in a folder": (another("runs/run.json", b"{}"), "does not belong"),
    "an unknown file": (another("setup.py", b"import os"), "does not belong"),
    "a pickle": (another("teacher.pkl", b"\x80\x04."), "does not belong"),
    "a file of the store": (another("cancel", b""), "does not belong"),
    "no run.json": (without("run.json"), "no run.json"),
    "a damaged run.json": (another("run.json", b'{"id": '), "run.json"),
    "a run.json that is a list": (another("run.json", b"[]"), "run.json"),
    "an endless nesting": (another("run.json", b"[" * 200_000), "run.json"),
    "no text": (another("run.json", b"\xff\xfe"), "run.json"),
    "an id that leads out": (with_info(id="../../evil"), "is no run id"),
    "an id that is a number": (with_info(id=7), "id in the archive"),
    "a run in progress": (with_info(status="running"), "status"),
    "no recipe": (with_info(recipe=None), "recipe"),
    "a recipe of nonsense": (with_info(recipe={"epochs": -1}), "epochs = -1"),
    "a recipe of the future": (with_info(recipe={"magic": 1}), "magic"),
    "a moment that is none": (with_info(created=1e300), "created"),
    "no moment": (with_info(created=float("nan")), "created"),
    "a tag that is none": (with_info(tags=["<script>"]), "tag"),
    "a name without end": (with_info(name="x" * 500), "name"),
    "a name in pieces": (with_info(name="a\u202eb"), "name"),
    "an accuracy above one": (with_summary(plain=[0.5, 1.5]), "summary"),
    "too few seeds": (with_summary(plain=[0.5]), "do not belong"),
    "an unknown net": (with_summary(magic=[0.5, 0.5]), "do not belong"),
    "a finished run without its nets": (without("student-ked.safetensors"), "'student-ked'"),
    "weights that are none": (another("teacher.safetensors", b"not a net" * 99), r"teacher\.safetensors"),
    "weights that are a pickle": (another("teacher.safetensors", b"\x80\x04cos\nsystem\n"), r"teacher\.safetensors"),
    "another net's weights": (
        lambda files: files | {"student-ked.safetensors": files["teacher.safetensors"]}, r"student-ked\.safetensors"),
    "a matrix that is none": (another("dependency.safetensors", save({"W": torch.zeros(3)})), r"dependency\.safetensors"),
    "superfeatures that overlap": (
        another("superfeatures.json", b'{"groups": [[0, 0]], "modularity": 0, "resolution": 1, "engine": "", "adjusted": ""}'),
        r"superfeatures\.json"),
    "other superfeatures": (
        another("superfeatures.json", b'{"groups": [[0, 1]], "modularity": 0, "resolution": 1, "engine": "", "adjusted": ""}'),
        r"superfeatures\.json"),
    "an event that is a list": (with_event("[]"), r"events\.jsonl"),
    "an event of no kind": (with_event("{}"), r"events\.jsonl"),
    "an epoch without numbers": (with_event('{"kind": "epoch", "stage": "teacher"}'), r"events\.jsonl"),
    "an epoch of other seeds": (
        with_event('{"kind": "epoch", "stage": "teacher", "epoch": 1, "loss": {}, "validation": [0.5, 0.5]}'), r"events\.jsonl"),
    "an event of an unknown stage": (with_event('{"kind": "stage", "stage": "magic", "cached": true}'), r"events\.jsonl"),
    "an endless event": (with_event("[" * 200_000), r"events\.jsonl"),
}  # fmt: skip


def refused(file: io.BytesIO | Path, named: str, home: Path) -> str:
    """Importing must be refused with a sentence, and leave everything as it was."""
    before = sorted(home.rglob("*"))
    with pytest.raises(InvalidInput, match=named) as caught:
        import_run(file)
    assert [path for path in sorted(home.rglob("*")) if path not in before] == []
    return str(caught.value)


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_export_writes_is_refused_in_one_sentence(
    case: str, files: Files, ked_home: Path, one_sentence: Callable[[str], str]
) -> None:
    change, named = REFUSED[case]
    message = refused(zipped(change(files)), named, ked_home)
    assert len(one_sentence(message)) < 300


def test_a_link_is_refused(files: Files, ked_home: Path) -> None:
    file = zipped(without("superfeatures.json")(files))
    with zipfile.ZipFile(file, "a") as made:
        entry = zipfile.ZipInfo("superfeatures.json")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(entry, "/etc/passwd")
    refused(file, "is a link", ked_home)


def test_a_file_that_is_there_twice_is_refused(files: Files, ked_home: Path) -> None:
    file = zipped(files)
    with zipfile.ZipFile(file, "a") as made, pytest.warns(UserWarning, match="Duplicate"):
        made.writestr("run.json", b"{}")
    refused(file, "twice", ked_home)


def test_a_small_zip_that_unpacks_to_much_is_refused(files: Files, ked_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped(files | {"events.jsonl": b"\n" * (65 * 1024**2)})
    assert len(bomb.getvalue()) < 1e6
    refused(bomb, "'events.jsonl' in the archive would take 68 MB", ked_home)
    monkeypatch.setattr(archive, "LIMIT", 10_000)
    refused(zipped({"run.json": files["run.json"], "events.jsonl": b"\n" * 20_000}), "take more than", ked_home)


def test_an_archive_that_lies_about_its_sizes_is_refused(files: Files, ked_home: Path) -> None:
    content = b"\n" * 3_000_000
    lie = zipped(files | {"events.jsonl": content}).getvalue().replace(
        len(content).to_bytes(4, "little"), (100).to_bytes(4, "little")
    )  # fmt: skip
    refused(io.BytesIO(lie), "damaged|does not tell", ked_home)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all" * 100])
def test_what_is_no_zip_is_refused(content: bytes, ked_home: Path, one_sentence: Callable[[str], str]) -> None:
    one_sentence(refused(io.BytesIO(content), "not a zip file", ked_home))


def test_a_zip_that_was_cut_or_changed_on_its_way_is_refused(files: Files, ked_home: Path) -> None:
    whole = zipped(files).getvalue()
    refused(io.BytesIO(whole[:-200]), "damaged", ked_home)
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 255
    refused(io.BytesIO(bytes(changed)), "damaged", ked_home)


def test_a_missing_file_is_named(tmp_path: Path, ked_home: Path, one_sentence: Callable[[str], str]) -> None:
    assert "nowhere.zip" in one_sentence(refused(tmp_path / "nowhere.zip", "there is no file", ked_home))


def test_every_file_of_the_presets_may_be_exported() -> None:
    assert {path.name for path in PRESETS.glob("*/*")} <= set(STORED)
    assert not set(STORED) & set(ADDED)
