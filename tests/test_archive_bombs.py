"""Archives of runs whose few bytes unpack to a lot: refused without being taken into memory; and every kind of event that runs tell."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from zips import Files, exported, zipped

from ked.errors import InvalidInput, Unavailable
from ked.files import jsonl
from ked.library import archive, event_forms
from ked.library.archive import import_run
from ked.library.event_forms import FORMS, check_events
from ked.recipe import Recipe
from ked.runs.pipeline import FLEETING
from ked.store import Run, list_presets

ROOT = Path(__file__).resolve().parent.parent
PAUSED = b'{"kind": "paused", "stage": "teacher", "epoch": 1, "step": 1}\n'
FORMING = b'{"kind": "forming", "stage": "teacher", "epoch": 1, "labels": [], "modularity": 0, "sizes": [], "edges": []}\n'
STATE = json.loads(FORMING)


@pytest.fixture(scope="module")
def files(small_run: Run) -> Files:
    return exported(small_run)


def refused(file: io.BytesIO | Path, named: str, home: Path) -> str:
    """Importing must be refused with a sentence, and leave everything as it was."""
    before = sorted(home.rglob("*"))
    with pytest.raises(InvalidInput, match=named) as caught:
        import_run(file)
    assert [path for path in sorted(home.rglob("*")) if path not in before] == []
    return str(caught.value)


BOMBS = {
    "unknown events": (b'{"kind":"x"}\n' * 5_000_000, "does not tell of its run"),
    "known events": (PAUSED * 5001, "more than 5000 lines"),
    "empty lines": (b"\n" * 60_000_000, "more than 5000 lines"),
    "one long line": (b"[" * 60_000_000, "one of more than 1 MB"),
    "an event with a long list": (b'{"kind": "dependency", "samples": [' + b"[]," * 30_000 + b"1]}\n", "does not tell"),
    "an event with more in it": (PAUSED.replace(b"}", b', "more": [[]]}'), "does not tell"),
    "states without end": (FORMING * 2001, "more than 2000 states"),
    "a state with too many links": (json.dumps(STATE | {"edges": [[0, 1, 1.0]] * 1001}).encode() + b"\n", "does not tell"),
}


@pytest.mark.parametrize("case", BOMBS)
def test_events_are_counted_while_they_are_read_and_never_all_in_memory(
    case: str, files: Files, ked_home: Path, monkeypatch: pytest.MonkeyPatch, one_sentence: Callable[[str], str]
) -> None:
    content, named = BOMBS[case]
    bomb = zipped(files | {"events.jsonl": content})
    monkeypatch.setattr(event_forms, "LINES", 5000)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read as a whole"))
    monkeypatch.setattr(jsonl, "read", lambda path, offset=0: pytest.fail(f"{path} was read as a whole"))
    one_sentence(refused(bomb, rf"^events\.jsonl in the archive .*{named}", ked_home))


@pytest.mark.parametrize("name", ["run.json", "superfeatures.json"])
def test_a_file_that_is_read_as_a_whole_is_refused_by_its_size(name: str, files: Files, ked_home: Path) -> None:
    refused(zipped(files | {name: b"[" + b"[]," * 2_000_000 + b"[]]"}), rf"'{name}' in the archive would take 6 MB", ked_home)


def test_what_the_files_announce_together_is_looked_at_before_any_is_unpacked(
    files: Files, ked_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = zipped(files)
    monkeypatch.setattr(archive, "LIMIT", sum(map(len, files.values())) - 1)
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    refused(file, "the archive's files take more than", ked_home)


def test_a_table_of_contents_that_is_too_long_is_not_read(ked_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped({f"{i}": b"" for i in range(2000)})
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("the table was read"))
    refused(bomb, "not a zip file, or it is damaged", ked_home)


# What runs tell


def test_the_events_of_every_run_that_comes_along_are_known(small_run: Run) -> None:
    for run in (*list_presets(), small_run):
        check_events(run.folder / "events.jsonl", run.recipe)
    assert {event["kind"] for event in small_run.events()[0]} <= set(FORMS)


def test_every_kind_of_event_that_a_run_appends_has_a_form() -> None:
    told = set()
    for path in (ROOT / "ked" / "runs").glob("*.py"):
        told |= set(re.findall(r'"kind": "([a-z]+)"', path.read_text("utf-8")))
    assert told - {"tick"} == set(FORMS)
    assert set(FLEETING) - {"tick"} <= set(FORMS)


MORE = [
    {"kind": "progress", "stage": "data", "share": 0.5, "time": 1.0},
    {"kind": "progress", "stage": "dependency", "share": 1.0},
    {"kind": "step", "stage": "teacher", "epochs": 3, "epoch": 1, "step": 2, "steps": 9, "loss": {"ce": [1.5]}, "weights": {"ce": 1.0},
     "explanations": [0.5, 0.25]},
    {"kind": "paused", "stage": "teacher", "epoch": 1, "step": 2},
    {"kind": "adjusted", "stage": "teacher", "epoch": 1, "step": 2, "changes": {"lr": 0.1}, "weights": {"ce": 1.0}},
    {"kind": "refused", "stage": "teacher", "epoch": 1, "step": 2, "changes": {"mu": 0.1}, "reason": "mu means nothing to teacher."},
    {"kind": "matching", "stage": "student-ked", "note": "two of three."},
]  # fmt: skip


def test_events_of_the_moment_travel_too(files: Files) -> None:
    lines = "".join(json.dumps(event) + "\n" for event in MORE).encode()
    again = import_run(zipped(files | {"events.jsonl": files["events.jsonl"] + lines}))
    assert again.events()[0][-len(MORE) :] == MORE


@pytest.mark.parametrize("event", MORE, ids=lambda event: event["kind"])
def test_an_event_of_a_stage_that_the_run_does_not_have_is_refused(event: dict, tmp_path: Path, small_recipe: Recipe) -> None:
    (tmp_path / "events.jsonl").write_text(json.dumps(event | {"stage": "student-noise"}) + "\n")
    with pytest.raises(InvalidInput, match="does not tell of its run"):
        check_events(tmp_path / "events.jsonl", small_recipe)


def test_what_is_checked_is_what_is_read_later(tmp_path: Path, small_recipe: Recipe) -> None:
    """An event behind a carriage return must not slip through: both readers see the same lines."""
    hidden = b'x\r{"kind": "stage", "stage": "magic"}\n' + PAUSED + b'\x0c{"kind": "x"}\n'
    (tmp_path / "events.jsonl").write_bytes(hidden + b'{"kind": "half a line"}')
    check_events(tmp_path / "events.jsonl", small_recipe)
    events, offset = jsonl.read(tmp_path / "events.jsonl")
    assert [event["kind"] for event in events] == ["paused"]
    assert offset == len(hidden)


def test_lines_are_read_on_from_where_the_last_reading_ended(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"n": 1}\n\n{"n": 2}\n{"n"')
    assert jsonl.read(path) == ([{"n": 1}, {"n": 2}], 19)
    with path.open("ab") as file:
        file.write(b': 3}\n{"n": 4}')
    assert jsonl.read(path, 19) == ([{"n": 3}], 28)
    assert jsonl.read(tmp_path / "none", 5) == ([], 5)


def test_events_that_cannot_be_read_are_a_sentence(tmp_path: Path, one_sentence: Callable[[str], str]) -> None:
    os.mkdir(tmp_path / "events.jsonl")
    with pytest.raises(Unavailable, match=r"events\.jsonl cannot be read \(Is a directory\)") as refusal:
        Run(tmp_path).events()
    one_sentence(str(refusal.value))


def test_an_archive_that_cannot_be_read_is_not_said_to_be_damaged(tmp_path: Path, ked_home: Path) -> None:
    (tmp_path / "folder.zip").mkdir()
    refused(tmp_path / "folder.zip", r"the file '.*folder\.zip' cannot be read \(Is a directory\)", ked_home)


def test_an_archive_in_any_way_of_packing_that_breaks_is_a_sentence(files: Files, ked_home: Path) -> None:
    for way in (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", way) as made:
            made.writestr("run.json", files["run.json"])
        broken = bytearray(file.getvalue())
        broken[60:90] = bytes(30)
        refused(io.BytesIO(bytes(broken)), "damaged", ked_home)


