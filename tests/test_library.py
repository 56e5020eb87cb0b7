"""The library of runs: names and tags beside an id that stays, deletion that spares presets and what is at work."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Ked

from ked import library
from ked.errors import InvalidInput
from ked.recipe import Recipe
from ked.store import PRESETS, Run, create_run, list_presets, list_runs, load_run


@pytest.fixture
def run() -> Run:
    """A run that has ended without doing anything."""
    made = create_run(Recipe())
    made.update(status="cancelled")
    return made


def test_a_name_stands_beside_the_id_and_can_be_taken_away(run: Run) -> None:
    assert library.title(run.id, run.info) == run.id
    library.rename(run, "  M = 8,\n with  noise ")
    assert library.title(run.id, run.info) == "M = 8, with noise"
    assert load_run(run.id) == run
    library.rename(run, "")
    assert library.title(run.id, run.info) == run.id


@pytest.mark.parametrize("name", ["x" * 61, "a\0b", "left\u202eright"])
def test_a_name_that_cannot_be_shown_is_refused(run: Run, name: str, one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput, match="name") as caught:
        library.rename(run, name)
    one_sentence(str(caught.value))
    assert "name" not in run.info


def test_tags_come_once_and_sorted(run: Run) -> None:
    library.tag(run, ["paper", " digits ", "paper", "", "m = 8".replace("=", "-")])
    assert run.info["tags"] == ["digits", "m - 8", "paper"]
    library.tag(run, [])
    assert run.info["tags"] == []


@pytest.mark.parametrize("tags", [["<b>"], ["a,b"], ["x" * 25], [f"tag {n}" for n in range(9)], ["-"]])
def test_what_is_no_tag_is_refused(run: Run, tags: list[str], one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput, match="tag") as caught:
        library.tag(run, tags)
    one_sentence(str(caught.value))
    assert "tags" not in run.info


@pytest.mark.usefixtures("warm")
def test_a_deleted_run_is_gone_and_nothing_else(ked_home: Path) -> None:
    run = create_run(Recipe())
    run.update(status="done")
    kept = {path for path in ked_home.rglob("*") if not path.is_relative_to(run.folder)}
    library.delete(run)
    assert set(ked_home.rglob("*")) == kept
    assert run.id not in [other.id for other in list_runs()]
    with pytest.raises(InvalidInput, match="there is no run"):
        load_run(run.id)


def test_a_damaged_run_can_be_deleted(run: Run) -> None:
    (run.folder / "run.json").write_text("{")
    library.delete(run)
    assert not run.folder.exists()


def test_a_run_in_progress_is_not_deleted(one_sentence: Callable[[str], str], at_work: Callable[[Run], Run]) -> None:
    run = create_run(Recipe())
    for enter in (lambda run: run, at_work, lambda run: (run.folder / "run.json").write_text("{")):
        enter(run)  # queued, running, and damaged while it is computed
        with pytest.raises(InvalidInput, match="still in progress") as caught:
            library.delete(run)
        one_sentence(str(caught.value))
    assert run.folder.is_dir()


CHANGES: dict[str, Callable[[Run], None]] = {
    "rename": lambda run: library.rename(run, "mine"),
    "tag": lambda run: library.tag(run, ["mine"]),
    "delete": library.delete,
}


@pytest.mark.parametrize("change", CHANGES)
def test_presets_stay_as_they_are(change: str, one_sentence: Callable[[str], str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in PRESETS.rglob("*")}
    for preset in list_presets():
        assert not library.is_own(preset)
        with pytest.raises(InvalidInput, match=f"{preset.id} ships with the app") as caught:
            CHANGES[change](preset)
        one_sentence(str(caught.value))
    assert {path: path.stat().st_mtime_ns for path in PRESETS.rglob("*")} == before


def test_a_folder_from_elsewhere_is_not_the_librarys_to_delete(small_run: Run, tmp_path: Path) -> None:
    copy = Run(Path(shutil.copytree(small_run.folder, tmp_path / "elsewhere" / small_run.id)))
    with pytest.raises(InvalidInput):
        library.delete(copy)
    assert copy.folder.is_dir()


# The command line


@pytest.mark.usefixtures("warm")
def test_a_run_goes_out_and_comes_in_by_the_command_line(ked: Ked, small_run: Run, tmp_path: Path) -> None:
    target = tmp_path / "run.zip"
    answer = ked("export", small_run.id, "-o", str(target))
    assert (answer.code, answer.out.strip(), answer.err) == (0, str(target), "")
    assert list(tmp_path.glob(".run.zip*")) == []
    answer = ked("import", str(target))
    assert (answer.code, answer.err) == (0, "")
    again = load_run(answer.out.strip())
    assert re.fullmatch(r"digits-[0-9a-f]{8}", again.id)
    library.rename(again, "[b]twin[/b]")
    assert "[b]twin[/b]" in ked("runs").out


def test_what_cannot_go_out_or_come_in_exits_2_with_one_sentence(
    ked: Ked,
    tmp_path: Path,
    one_sentence: Callable[[str], str],
) -> None:
    (tmp_path / "text.zip").write_text("no zip")
    busy = create_run(Recipe())
    for command in (("import", "text.zip"), ("import", "nowhere.zip"), ("export", "no-such-run"), ("export", busy.id)):
        answer = ked(*command[:1], str(tmp_path / command[1]) if command[0] == "import" else command[1])
        assert (answer.code, answer.out) == (2, "")
        one_sentence(answer.err.rstrip("\n"))
    assert [run.id for run in list_runs()][:1] == [busy.id]
    assert sys.argv[0] == "ked"


def test_an_archive_that_cannot_be_written_exits_1(ked: Ked, tmp_path: Path) -> None:
    answer = ked("export", "digits-preset", "-o", str(tmp_path / "no" / "folder" / "run.zip"))
    assert answer.code == 1
    assert "cannot be written" in answer.err
