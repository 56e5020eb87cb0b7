"""Run folders and files: what is written comes back bit by bit, and what is damaged or dangerous is refused in one sentence."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ked import store
from ked.errors import InvalidInput, Unavailable, quoted
from ked.files.disk import write_json
from ked.recipe import Recipe
from ked.store import create_run, list_runs, load_run


def test_a_new_run_is_queued_and_found_by_its_id_and_its_folder(ked_home: Path) -> None:
    run = create_run(Recipe())
    assert run.folder.parent == ked_home / "runs"
    assert (run.status, run.recipe) == ("queued", Recipe())
    assert load_run(run.id) == load_run(run.folder) == load_run(str(run.folder)) == run
    assert list_runs()[0] == run


def test_runs_are_listed_the_newest_first_and_damaged_ones_too() -> None:
    runs = [create_run(Recipe()) for _ in range(3)]
    for age, run in enumerate(runs):
        run.update(created=1000.0 - age)
    (runs[0].folder / "run.json").write_text("{")
    assert [run.id for run in list_runs()][:3] == [runs[1].id, runs[2].id, runs[0].id]


def test_the_home_folder_is_the_users_own_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KED_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store.home().is_relative_to(tmp_path)
    assert store.home().name == "ked-explorer"


DANGEROUS = [
    "../../etc",
    "..",
    ".",
    "",
    "a",
    "UPPER-case",
    "with space",
    "semi;colon",
    "x" * 81,
    "a\nb",
    "nul\0byte",
    "-digits",
]
DANGEROUS += ["../runs/digits", "digits-preset/..", "/etc/../etc/passwd", "über-lauf", "..\\..\\etc", "digits-preset\n"]


@pytest.mark.parametrize("name", DANGEROUS)
def test_what_is_no_run_id_never_touches_the_disk(
    name: str, monkeypatch: pytest.MonkeyPatch, one_sentence: Callable[[str], str]
) -> None:
    def touched(*_: object, **__: object) -> None:
        raise AssertionError("the disk was touched")

    with monkeypatch.context() as patch:
        for look in ("stat", "is_file", "is_dir", "exists", "resolve", "open", "read_text"):
            patch.setattr(Path, look, touched)
        with pytest.raises(InvalidInput, match="is not a run id") as caught:
            load_run(name)
    assert quoted(name) in one_sentence(str(caught.value))


def test_a_way_out_of_the_runs_folder_is_refused_even_if_a_run_lies_there(
    ked_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ked_home / "runs").mkdir(parents=True)
    (ked_home / "secret").mkdir()
    write_json(ked_home / "secret" / "run.json", {"status": "done"})
    monkeypatch.chdir(ked_home / "runs")
    with pytest.raises(InvalidInput, match="not a run id"):
        load_run("../secret")


def test_an_unknown_run_and_a_folder_without_a_run_are_refused(tmp_path: Path, one_sentence: Callable[[str], str]) -> None:
    for name in ("digits-00000000", tmp_path, str(tmp_path)):
        with pytest.raises(InvalidInput) as caught:
            load_run(name)
        assert quoted(name) in one_sentence(str(caught.value))


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "true", "3", "[" * 10**5, '{"recipe": {}', b"\xff\xfe".decode("latin-1")])
def test_a_damaged_run_json_is_refused_in_one_sentence(content: str, one_sentence: Callable[[str], str]) -> None:
    run = create_run(Recipe())
    (run.folder / "run.json").write_text(content, "latin-1")
    with pytest.raises(Unavailable, match=run.id) as caught:
        _ = run.info
    one_sentence(str(caught.value))


@pytest.mark.parametrize(
    "content", ["{}", '{"status": "done"}', '{"recipe": {"epochs": -1}, "status": "done"}', '{"recipe": 3}']
)
def test_a_run_json_without_a_sound_recipe_is_refused(content: str, one_sentence: Callable[[str], str]) -> None:
    run = create_run(Recipe())
    (run.folder / "run.json").write_text(content)
    with pytest.raises((Unavailable, InvalidInput)) as caught:
        _ = run.recipe
    one_sentence(str(caught.value))


@pytest.mark.parametrize("line", ["1", "[]", "null", "{}", '{"kind": 3}', '{"kind": null}'])
def test_a_line_of_events_that_is_no_event_is_passed_over(line: str) -> None:
    run = create_run(Recipe())
    run.append({"kind": "a"})
    with open(run.folder / "events.jsonl", "a") as file:
        file.write(f"{line}\n")
    run.append({"kind": "b"})
    assert [event["kind"] for event in run.events()[0]] == ["a", "b"]
    assert run.progress() == {}


@pytest.mark.parametrize(
    "content", ["", "{}", '{"groups": [[0, 0]], "modularity": 0, "resolution": 1, "engine": "", "adjusted": ""}']
)
def test_damaged_superfeatures_are_refused_in_one_sentence(content: str, one_sentence: Callable[[str], str]) -> None:
    run = create_run(Recipe())
    with pytest.raises(Unavailable, match="missing"):
        run.superfeatures()
    (run.folder / "superfeatures.json").write_text(content)
    with pytest.raises(Unavailable, match="damaged") as caught:
        run.superfeatures()
    one_sentence(str(caught.value))


def test_events_are_read_on_from_where_the_reader_was() -> None:
    run = create_run(Recipe())
    assert run.events() == ([], 0)
    run.append({"kind": "a"})
    first, offset = run.events()
    run.append({"kind": "b", "text": "größer"})
    run.append({"kind": "c"})
    second, end = run.events(offset)
    assert [event["kind"] for event in first + second] == ["a", "b", "c"]
    assert run.events(end) == ([], end)
    assert run.events(0)[0] == first + second


def test_two_writers_lose_nothing_of_each_other() -> None:
    run = create_run(Recipe())
    writers = [threading.Thread(target=lambda n=n: [run.update(**{f"{n}-{i}": i}) for i in range(20)]) for n in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {f"{n}-{i}" for n in "ab" for i in range(20)} <= set(run.info)


def test_half_a_line_waits_for_its_other_half() -> None:
    run = create_run(Recipe())
    line = json.dumps({"kind": "b", "text": "größer"}, ensure_ascii=False).encode() + b"\n"
    run.append({"kind": "a"})
    _, offset = run.events()
    for cut in range(len(line)):
        with open(run.folder / "events.jsonl", "ab") as file:
            file.write(line[cut : cut + 1])
        found, after = run.events(offset)
        if cut < len(line) - 1:
            assert (found, after) == ([], offset)
    assert found == [{"kind": "b", "text": "größer"}]


def test_a_line_that_a_crash_cut_in_two_spoils_no_other() -> None:
    run = create_run(Recipe())
    run.append({"kind": "a"})
    with open(run.folder / "events.jsonl", "a") as file:
        file.write('{"kind": "ep')
    run.append({"kind": "end"})
    assert [event["kind"] for event in run.events()[0]] == ["a", "end"]


def test_json_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_json(path, {"a": 1})
    with open(path) as reader:  # a reader keeps the file it has opened
        write_json(path, {"a": 2})
        assert json.load(reader) == {"a": 1}
    assert json.loads(path.read_text()) == {"a": 2}
    assert os.listdir(tmp_path) == ["run.json"]
