"""A disk without space: one sentence, and nothing lost that was finished before."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ked.errors import Unavailable
from ked.recipe import Recipe
from ked.runs.pipeline import _sound, run
from ked.store import Run, create_run

_PAGE = 4096  # what a file takes at least
EVENTS = Path("/dev/full")  # every write to it fails as on a full disk


class Disk:
    """A disk of few kilobytes: a real one where this user may mount it, else `write_bytes` keeps count."""

    def __init__(self, folder: Path, kilobytes: int, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, patch
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
        self.mounted = shutil.which("mount") is not None and not subprocess.run(command, capture_output=True).returncode
        if not self.mounted:
            self._count(kilobytes * 1024)

    def _count(self, left: int) -> None:
        write = Path.write_bytes

        def counted(path: Path, content: bytes) -> int:
            nonlocal left
            left -= -(-len(content) // _PAGE) * _PAGE
            if left < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            return write(path, content)

        self.patch.setattr(Path, "write_bytes", counted)

    def enlarge(self) -> None:
        """Enough space for everything."""
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,size=100m", str(self.folder)], check=True)
        else:
            self.patch.undo()
            self.patch.setenv("KED_HOME", str(self.folder))

    def remove(self) -> None:
        """Take the disk away."""
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Disk]]:
    """`disk(kilobytes)` becomes $KED_HOME."""
    made: list[Disk] = []
    with pytest.MonkeyPatch.context() as patch:

        def make(kilobytes: int) -> Disk:
            made.append(Disk(tmp_path / "disk", kilobytes, patch))
            patch.setenv("KED_HOME", str(made[0].folder))
            return made[0]

        yield make
    for one in made:
        one.remove()


@pytest.mark.parametrize("kilobytes", [8, 16, 24, 32, 40, 48, 56, 64])
def test_a_full_disk_ends_the_run_with_one_sentence_and_keeps_what_is_finished(
    kilobytes: int, disk: Callable[[int], Disk], small_recipe: Recipe, one_sentence: Callable[[str], str]
) -> None:
    small = disk(kilobytes)
    with pytest.raises(Unavailable, match="no space left") as caught:
        list(run(small_recipe, into=create_run(small_recipe)))
    one_sentence(str(caught.value))
    runs = [Run(path.parent) for path in small.folder.glob("runs/*/run.json")]
    assert all((found.status, found.info["message"]) == ("failed", str(caught.value)) for found in runs)
    kept = [path.name for path in small.folder.glob("cache/[!.]*")]
    assert all(_sound(small.folder / "cache" / name) for name in kept)
    assert not list(small.folder.glob("cache/.*")), "no draft stays behind"
    small.enlarge()
    events = list(run(small_recipe))
    assert sum(event["kind"] == "stage" and event["cached"] for event in events) == len(kept)
    assert events[-1]["kind"] == "result"


@pytest.mark.skipif(not EVENTS.exists(), reason="needs /dev/full, which every Linux has")
def test_events_that_cannot_be_written_end_the_run_with_one_sentence(
    small_recipe: Recipe, one_sentence: Callable[[str], str]
) -> None:
    folder = create_run(small_recipe)
    (folder.folder / "events.jsonl").symlink_to(EVENTS)
    with pytest.raises(Unavailable, match="no space left") as caught:
        list(run(small_recipe, into=folder))
    assert (folder.status, folder.info["message"]) == ("failed", one_sentence(str(caught.value)))
