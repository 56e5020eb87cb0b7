"""What a killed process left half made is swept, and nothing that somebody is still making."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ked.files import drafts
from ked.files.drafts import LOCK, draft, sweep
from ked.library import delete
from ked.recipe import Recipe
from ked.stage_cache import StageCache
from ked.store import create_run

FOLDERS = (".import-1a2b3c4d", ".deleted-1a2b3c4d", "cache/.teacher-0123-1a2b3c4d", "data/own/.tmpx7", "data/kept/tmpx7")
FILES = ("runs/{run}/.run.json-1a2b3c4d", "queue/..turn-1a2b3c4d", "queue/.digits-0-1a2b3c4d", "studies/.stop-1a2b3c4d",
         "studies/terms/.process.json-1a2b3c4d")  # fmt: skip


def grow_old(path: Path) -> None:
    long_ago = time.time() - drafts.OLD - 1
    os.utime(path, (long_ago, long_ago))


@pytest.fixture
def left(ked_home: Path) -> list[Path]:
    """One of everything that a killed process leaves, as young as it gets."""
    run = create_run(Recipe())
    paths = [ked_home / name.format(run=run.id) for name in (*FOLDERS, *FILES)]
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        if number < len(FOLDERS):
            path.mkdir()
            (path / "half").write_text("done")
        else:
            path.write_text("half")
    return paths


def test_what_is_old_and_nobodys_goes_and_everything_else_stays(left: list[Path], ked_home: Path) -> None:
    for name in ("queue/.lock", "queue/.worker", "queue/.turn", "queue/digits-1a2b3c4d", "cache/teacher-0123/teacher.safetensors"):
        (ked_home / name).parent.mkdir(parents=True, exist_ok=True)
        (ked_home / name).touch()
    kept = {path for path in ked_home.rglob("*") if not any(path == one or one in path.parents for one in left)}
    sweep()
    assert [path for path in left if not path.exists()] == [ked_home / ".deleted-1a2b3c4d"], "what is young may be at work"
    for path in [*left, *kept]:
        if path.exists():
            grow_old(path)
    sweep()
    assert set(ked_home.rglob("*")) == kept


def test_a_draft_that_somebody_fills_stays_however_old_it_is(ked_home: Path) -> None:
    with StageCache().draft(lambda: "teacher-0123") as filled, draft(ked_home / ".import-1a2b3c4d") as taken:
        for path in (filled, taken):
            (path / "half").write_text("done")
            grow_old(path)
        sweep()
        assert (filled / "half").exists()
        assert (taken / "half").exists()
    assert sorted(path.name for path in (ked_home / "cache" / "teacher-0123").iterdir()) == ["half"]
    assert not taken.exists()


def test_the_draft_of_a_killed_process_is_nobodys(ked_home: Path, wait_for: Callable[..., None]) -> None:
    path = ked_home / ".import-1a2b3c4d"
    if (child := os.fork()) == 0:
        with draft(path):
            grow_old(path)
            (path / "ready").touch()
            grow_old(path)
            time.sleep(600)
        os._exit(0)
    try:
        wait_for(lambda: (path / "ready").exists())
        grow_old(path)
        sweep()
        assert (path / LOCK).exists()
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    sweep()
    assert not path.exists()


def test_a_deletion_that_was_killed_is_brought_to_its_end(ked_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = create_run(Recipe())
    run.update(status="cancelled")
    with monkeypatch.context() as patch:
        patch.setattr("ked.library.shutil.rmtree", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            delete(run)
    assert len(list(ked_home.glob(".deleted-*"))) == 1
    sweep()
    assert list(ked_home.glob(".deleted-*")) == []


def test_nothing_to_sweep_is_no_error(ked_home: Path) -> None:
    sweep()
    assert not ked_home.exists()
