"""A program that its user may not write to: the tree of another user, or of a system's administrator."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from laboratory import Visitor, shown
from served import served

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """A copy of the program that nobody may write to."""
    folder = tmp_path / "program"
    for part in ("ked", "explorer", "pages", "assets"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "fashion-mnist-preset"))
    places = [folder, *folder.rglob("*")]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    yield folder
    for place in places:
        place.chmod(0o755)


def test_the_app_runs_from_a_tree_that_cannot_be_written_to_and_leaves_nothing_there(
    tree: Path, home: Path, visitor: Callable[..., Visitor]
) -> None:
    before = _content(tree)
    env = {"KED_HOME": str(home), "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    with served("--port", "0", cwd=tree, env=env) as app:
        page = visitor().page
        page.goto(f"{app.address}/explain")
        shown(page, "Class probabilities")
        assert page.get_by_test_id("stException").all_inner_texts() == []
    assert _content(tree) == before  # whoever is root could have written all the same


def _content(folder: Path) -> dict[str, int]:
    return {str(path): os.stat(path).st_mtime_ns for path in folder.rglob("*")}
