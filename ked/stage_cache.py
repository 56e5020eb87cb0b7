"""Finished stages, shared by all runs: who asks for the same settings again takes over what is there."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ked.files.disk import disk_errors
from ked.files.drafts import LOCK, draft
from ked.files.home import home
from ked.store import Run, list_presets


class StageCache:
    """Finished stages by key, shared by all runs: `$KED_HOME/cache/<key>/` with the stage's files and its events."""

    def __init__(self, *, presets: bool = True) -> None:
        self.root = home() / "cache"
        self._presets = list_presets() if presets else []

    def find(self, key: str) -> Path | None:
        """The folder of a finished stage, or None; a stage that a preset holds is taken over from there."""
        folder = self.root / key
        if (folder / "events.jsonl").is_file():
            return folder
        shipped = self._shipped.get(key)
        return self._adopt(*shipped, key) if shipped else None

    @functools.cached_property
    def _shipped(self) -> dict[str, tuple[Run, str]]:
        """Key -> the first preset that holds the stage, and what it is called there."""
        found = ((key, (preset, stage)) for preset in self._presets for stage, key in preset.info.get("stages", {}).items())
        return {key: place for key, place in reversed(list(found)) if place[0].has(place[1])}

    def _adopt(self, preset: Run, stage: str, key: str) -> Path | None:
        """Copy a preset's stage into the cache, with its own events."""
        with self.draft(lambda: key) as draft:
            for file in preset.folder.glob(f"{stage}.*"):
                shutil.copyfile(file, draft / file.name)
            current = ""
            for event in preset.events()[0]:
                current = event.get("stage", current)
                if current == stage and event["kind"] not in ("stage", "step", "result", "end"):
                    Run(draft).append(event)
        return self.root / key

    def events(self, folder: Path) -> list[dict[str, Any]]:
        """The events that the stage gave when it was computed."""
        return Run(folder).events()[0]

    @contextlib.contextmanager
    def draft(self, key: Callable[[], str]) -> Iterator[Path]:
        """A folder to fill; it becomes the cache entry when the block ends without an error, and vanishes otherwise.

        The key is asked for at the end: whoever steers may have made another result of it meanwhile.
        """
        with disk_errors(self.root), draft(self.root / f".{key()}-{secrets.token_hex(4)}") as folder:
            yield folder
            if not (target := self.root / key()).exists():  # another job may have been faster: equal keys, equal results
                (folder / LOCK).unlink()
                os.rename(folder, target)

    def discard(self, folder: Path) -> None:
        """Remove an entry that turned out to be damaged."""
        shutil.rmtree(folder, ignore_errors=True)
