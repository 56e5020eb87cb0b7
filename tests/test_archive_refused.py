"""What no export would write is refused in one sentence, and leaves nothing behind."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from zips import Files, exported, zipped

from ked.errors import InvalidInput
from ked.library import archive
from ked.library.archive import import_run
from ked.store import Run


@pytest.fixture(scope="module")
def files(small_run: Run) -> Files:
    return exported(small_run)


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
