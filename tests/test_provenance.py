"""Where a run's numbers come from: the commit of the code, and silence where there is none."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ked.recipe import Recipe
from ked.runs.pipeline import run
from ked.runs.provenance import commit, provenance
from ked.store import create_run


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A file that is committed in a repository of its own."""
    file = tmp_path / "code" / "method.py"
    file.parent.mkdir()
    file.write_text("answer = 42\n")
    _git(file, "init", "--quiet")
    _git(file, "add", file.name)
    _git(file, "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "--quiet", "-m", "First")
    return file


def _git(file: Path, *arguments: str) -> str:
    command = ["git", "-C", str(file.parent), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_commit_is_that_of_the_files_repository_also_where_it_is_tagged(repository: Path) -> None:
    head = _git(repository, "rev-parse", "HEAD")
    _git(repository, "tag", "v1")
    assert commit(repository) == head
    assert len(head) == 40


def test_a_plus_says_that_the_code_was_changed_since(repository: Path) -> None:
    head = _git(repository, "rev-parse", "HEAD")
    (repository.parent / "notes.txt").write_text("not tracked, so no change of the code")
    assert commit(repository) == head
    commit.cache_clear()
    repository.write_text("answer = 43\n")
    assert commit(repository) == f"{head}+"


def test_there_is_no_commit_outside_a_repository_and_none_of_somebody_elses(repository: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.py"
    alone.write_text("")
    assert commit(alone) == ""
    installed = repository.with_name("installed.py")  # an environment that lies inside a repository is not tracked by it
    installed.write_text("")
    assert commit(installed) == ""


def test_a_machine_without_git_is_no_obstacle(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit(repository) == ""


def test_a_run_says_what_computed_it() -> None:
    folder = create_run(Recipe(methods=("plain",), teacher_hidden=(4,), student_hidden=(4,), epochs=0, teacher_epochs=0))
    *_, last = run(folder.recipe, into=folder)
    assert last["kind"] == "result"
    assert {name: folder.info[name] for name in ("versions", "commit")} == provenance()
    assert set(folder.info["versions"]) > {"python", "torch", "numpy"}
