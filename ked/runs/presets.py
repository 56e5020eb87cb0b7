"""The finished runs that ship with the app, so that a first visitor sees a real result without waiting."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from ked.recipe import Recipe
from ked.runs.pipeline import FLEETING, run
from ked.store import PRESETS, SNAPSHOTS, Run, create_run

_METHODS = ("plain", "kd", "kd-explaining", "ked", "architecture", "mu0")

RECIPES: dict[str, Recipe] = {
    "digit-pairs": Recipe(
        dataset="digit-pairs",
        methods=(*_METHODS, "shuffled"),
        superfeatures=2,
        scale="std",
        teacher_hidden=(200, 200),
        student_hidden=(20, 20),
        teacher_epochs=40,
        epochs=60,
    ),
    "digits": Recipe(
        dataset="digits", methods=_METHODS, teacher_hidden=(200, 200), student_hidden=(20, 20), teacher_epochs=40, epochs=60
    ),
    "fashion-mnist": Recipe(
        dataset="fashion-mnist",
        methods=_METHODS,
        teacher_hidden=(256, 256),
        student_hidden=(20, 20),
        teacher_epochs=20,
        epochs=20,
    ),
    "emoji": Recipe(
        dataset="emoji",
        net="small-cnn",
        methods=("plain", "kd", "ked", "architecture"),
        seeds=3,
        teacher_epochs=40,
        epochs=40,
        augment="crop",
    ),
    "digits-small-cnn": Recipe(
        dataset="digits",
        net="small-cnn",
        methods=("plain", "ked", "architecture"),
        seeds=3,
        teacher_epochs=15,
        epochs=15,
    ),
}
"""A preset's name (its run is called NAME-preset) -> its recipe, small enough that all presets stay under 15 MB."""

_LOOKED_BACK_AT = {"digit-pairs": ("student-ked", "student-kd")}
"""The stages whose nets ship as they were on the way, so that the lesson can show how they learn."""

_EPOCHS = (3, 13, 30, 60)  # of them


def make(name: str, folder: Path = PRESETS) -> Generator[dict[str, Any], None, None]:
    """Compute a preset from nothing, in a home of its own, and put it into the folder; yields the run's events."""
    with tempfile.TemporaryDirectory() as scratch:
        before = os.environ.get("KED_HOME")
        os.environ["KED_HOME"] = scratch
        try:
            made = create_run(RECIPES[name])
            yield from run(RECIPES[name], into=made, presets=False)
            _ship(made, folder / f"{name}-preset", _LOOKED_BACK_AT.get(name, ()))
        finally:
            os.environ.pop("KED_HOME") if before is None else os.environ.update(KED_HOME=before)


def _ship(made: Run, target: Path, looked_back_at: Sequence[str]) -> None:
    """Move a finished run to its place, under its own name, without the events of the moment and most nets as they were on the way."""
    made.update(id=target.name)
    events = made.folder / "events.jsonl"
    told = events.read_text("utf-8").splitlines(keepends=True)
    events.write_text("".join(line for line in told if json.loads(line)["kind"] not in FLEETING), "utf-8")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(made.folder, target, ignore=shutil.ignore_patterns(SNAPSHOTS, ".*"))  # they are for looking, and large
    for path in (path for stage in looked_back_at for epoch, path in made.snapshots(stage).items() if epoch in _EPOCHS):
        (target / SNAPSHOTS).mkdir(exist_ok=True)
        shutil.copy(path, target / SNAPSHOTS)
