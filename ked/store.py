"""Run folders: what the app, the command line, notebooks and workers share.

A run folder is only ever appended to (events.jsonl) or replaced file by file (everything else), so whoever reads it
while a job writes sees a whole file or none.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ked import data, run_tables
from ked.communities.groups import Superfeatures
from ked.data import recorded
from ked.data.columns import EVERYTHING
from ked.errors import InvalidInput, Unavailable, quoted
from ked.files import jsonl
from ked.files.disk import disk_errors, write_json
from ked.files.home import home
from ked.files.locks import alone
from ked.files.shipped import shipped
from ked.recipe import Recipe, Who
from ked.run_form import flaw
from ked.showing import browse, figure

if TYPE_CHECKING:
    from pandas import DataFrame
    from torch import Tensor

    from ked.heard import Heard
    from ked.nets.stack import Stack

_USER_FILE = re.compile(r"^(own:.*)-[0-9a-f]{10}$")
RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]{2,79}")
_RESERVE, _RESERVED = ".reserve", 8192  # a file of so many bytes, given up when a run has to say how it ended
SNAPSHOTS = "checkpoints"  # the folder of nets as they were during training, of a run and of a cached stage
PRESETS = shipped("ked/presets", "assets/presets")


@dataclass(frozen=True)
class Run:
    """One run folder; every method reads the disk, so a run in progress can be watched.

    Examples:
        >>> run = load_run("digits-preset")
        >>> run.status, run.superfeatures().sizes, run.student("ked").replicas
        ('done', (17, 17, 16, 14), 5)
    """

    folder: Path

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def info(self) -> dict[str, Any]:
        """run.json: recipe, status, versions, device, seeds, summary, seconds per stage."""
        try:
            info: dict[str, Any] = json.loads((self.folder / "run.json").read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise Unavailable(
                f"run.json of run {self.id} is missing or damaged; delete that run and start it again."
            ) from error
        if wrong := flaw(info):
            raise Unavailable(f"run.json of run {self.id} is damaged ({wrong}); delete that run and start it again.")
        if "imported" in info:  # whatever path its recipe names is of another machine
            info["recipe"]["dataset"] = data.foreign(str(info["recipe"].get("dataset")))
        if "keep" not in info["recipe"] and data.is_table(str(info["recipe"].get("dataset"))):  # from before columns were judged
            info["recipe"]["keep"] = [EVERYTHING]
        if "recorded" in info:  # its samples lie in its own folder, whatever that is called here
            info["recipe"]["dataset"] = recorded.PREFIX + self.id
        return info

    @property
    def recipe(self) -> Recipe:
        """What was asked for."""
        return Recipe.make(**self.info["recipe"])

    @property
    def recorded(self) -> bool:
        """Whether it was recorded of nets that were not kept (`ked.record`)."""
        return "recorded" in self.info

    @property
    def status(self) -> str:
        """queued, running, done, failed or cancelled, as the job last wrote it."""
        return str(self.info["status"])

    def update(self, **values: Any) -> None:
        """Replace some entries of run.json."""
        with alone(self.folder):
            write_json(self.folder / "run.json", self.info | values)

    def forget(self, *names: str) -> None:
        """Remove entries of run.json."""
        with alone(self.folder):
            write_json(self.folder / "run.json", {name: value for name, value in self.info.items() if name not in names})

    def conclude(self, **values: Any) -> None:
        """Replace some entries of run.json for the last time, also on a full disk: space was kept for it."""
        (self.folder / _RESERVE).unlink(missing_ok=True)
        self.update(**values)

    def append(self, event: dict[str, Any]) -> None:
        """Add one event to events.jsonl."""
        with disk_errors(self.folder):
            jsonl.append(self.folder / "events.jsonl", event)

    def events(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Whole events after a byte offset, and the offset to go on from; what a crash left of a line is passed over."""
        found, end = jsonl.read(self.folder / "events.jsonl", offset)
        return [event for event in found if isinstance(event, dict) and isinstance(event.get("kind"), str)], end

    def progress(self) -> dict[str, Any]:
        """The stage that was begun last, and the last epoch of it that is finished: a run that goes on does so from there."""
        place: dict[str, Any] = {}
        for event in self.events()[0]:
            if event["kind"] == "stage":
                place = {"stage": event["stage"], "epoch": 0}
            elif event["kind"] == "epoch" and place:
                place["epoch"] = event["epoch"]
        return place

    def results(self) -> DataFrame:
        """A table with a row a net and seed: its test accuracy (0 to 1) and parameters; `Unavailable` before the run has ended well."""
        return run_tables.frame(run_tables.results(self))

    def curves(self) -> DataFrame:
        """A table with a row a stage, epoch and seed: validation accuracy (0 to 1) and each loss term, unweighted, in nats."""
        return run_tables.frame(run_tables.curves(self))

    def open(self, page: str = "explain", *, browser: bool = True) -> str:
        """Show this run in the explorer, on one of its pages; returns the address. The app is started where it is not running yet.

        Raises:
            InvalidInput: The run lies outside $KED_HOME, where the app does not see it.
            Unavailable: The app is not installed, or does not start.
        """
        if self.folder.parent.resolve() not in [(home() / "runs").resolve(), PRESETS.resolve()]:
            raise InvalidInput(f"run {self.id} lies outside {quoted(home() / 'runs')}, where the app does not see it; import it first.")
        return browse(page, browser, run=self.id)

    def to_frame(self) -> DataFrame:
        """`results()`, under the name that every table of the library has."""
        return self.results()

    def plot(self) -> Any:
        """The app's figure (plotly) of its test accuracies: a dot a seed, the mean and its 95 % interval."""
        run_tables.results(self)  # says so where there is none
        return figure("run", self)

    def _repr_html_(self) -> str:
        if "summary" not in self.info:
            return f"<p>Run {self.id}: {self.status}</p>"
        means = self.results().groupby("net", sort=False).agg({"test_accuracy": ["mean", "std", "count"], "parameters": "first"})
        return f"<p>Run {self.id}: {self.status}</p>{means.to_html()}"

    def has(self, stage: str) -> bool:
        """Whether the stage's result is there."""
        suffix = "json" if stage.startswith("superfeatures") else "safetensors"
        return (self.folder / f"{stage}.{suffix}").is_file()

    def teacher(self) -> Stack:
        """The black-box teacher, K = 1."""
        return self._stack("teacher")

    def explaining(self) -> Stack:
        """The explaining teacher, K = 1."""
        return self._stack("explaining")

    def student(self, method: str) -> Stack:
        """The students of one method, a replica a seed."""
        return self._stack(f"student-{method}")

    def net(self, which: str) -> Stack | Heard:
        """A net: "teacher", "explaining" or a student's method; of a recorded run what was heard of it."""
        from ked.heard import load_net

        return load_net(self.folder / f"{which if which in ('teacher', 'explaining') else f'student-{which}'}.safetensors")

    def _stack(self, stage: str) -> Stack:
        from ked.nets.weights import load_stack  # with torch, for which no list of runs should wait

        return load_stack(self.folder / f"{stage}.safetensors")

    def snapshots(self, stage: str) -> dict[int, Path]:
        """Epoch -> file of the stage's net as it was after that epoch (see `ked.runs.snapshots`), in order; `load_stack` reads it."""
        name = re.compile(rf"{re.escape(stage)}-(\d+)\.safetensors")
        found = ((name.fullmatch(path.name), path) for path in (self.folder / SNAPSHOTS).glob(f"{stage}-*"))
        return dict(sorted((int(match[1]), path) for match, path in found if match))

    def dependency(self) -> Tensor:
        """W (D, D)."""
        from ked.nets.weights import load_matrix

        return load_matrix(self.folder / "dependency.safetensors", "W")

    def superfeatures(self, who: Who = "teacher") -> Superfeatures:
        """The communities of W that became superfeatures; the students', where they have their own."""
        own = self.folder / "superfeatures-student.json"
        path = own if who == "student" and own.is_file() else self.folder / "superfeatures.json"
        try:
            return Superfeatures.from_json(path.read_text("utf-8"))
        except FileNotFoundError:
            raise Unavailable(f"{path.name} is missing in {self.id}; the run has not got that far, or it was removed.") from None
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise Unavailable(f"{path.name} of run {self.id} is damaged; delete that run and start it again.") from error


def create_run(recipe: Recipe, **info: Any) -> Run:
    """A new, empty run folder with its run.json; of a file's path it keeps the one that holds in every folder."""
    recipe = recipe.without(dataset=data.absolute(recipe.dataset))
    run = Run(home() / "runs" / new_id(recipe.dataset))
    entry = {"id": run.id, "status": "queued", "created": time.time(), "recipe": recipe.model_dump(), "message": ""}
    try:
        with disk_errors(run.folder):
            run.folder.mkdir(parents=True)
            (run.folder / _RESERVE).write_bytes(secrets.token_bytes(_RESERVED))
        write_json(run.folder / "run.json", entry | info)
    except Unavailable:
        shutil.rmtree(run.folder, ignore_errors=True)
        raise
    return run


def load_run(id_or_folder: str | Path) -> Run:
    """A run by its id (in $KED_HOME/runs, then among the presets) or by its folder.

    Raises:
        InvalidInput: The id is not one, or there is no such run.

    Examples:
        >>> load_run("digits-preset").recipe.dataset
        'digits'
    """
    if isinstance(id_or_folder, Path) or (_may_be_folder(id_or_folder) and Path(id_or_folder, "run.json").is_file()):
        folder = Path(id_or_folder)
        if (folder / "run.json").is_file():
            return Run(folder)
        raise InvalidInput(f"{quoted(folder)} is not a run folder: it holds no run.json.")
    if not RUN_ID.fullmatch(id_or_folder):
        raise InvalidInput(f"{quoted(id_or_folder)} is not a run id: only small letters, digits and hyphens, 3 to 80 of them.")
    for root in (home() / "runs", PRESETS):
        if (root / id_or_folder / "run.json").is_file():
            return Run(root / id_or_folder)
    raise InvalidInput(f"there is no run {id_or_folder!r}; `python -m ked runs` lists them.")


def new_id(dataset: str) -> str:
    """A run id that begins with the data set's name, or with that of the user's file; what tells files on the shelf apart is left out."""
    readable = _USER_FILE.sub(r"\1", dataset)
    slug = re.sub(r"[^a-z0-9]+", "-", Path(readable).stem.lower()).strip("-")[:40] or "own"
    return f"{slug}-{secrets.token_hex(4)}"


def _may_be_folder(name: str) -> bool:
    return os.sep in name and ".." not in Path(name).parts


def list_runs(info: Callable[[Run], dict[str, Any]] = lambda run: run.info) -> list[Run]:
    """All runs, the newest first, the presets last; folders whose names no run can have are `strangers`.

    Args:
        info: Reads a run's run.json; whoever lists often may remember what it says.
    """

    def created(run: Run) -> float:
        with contextlib.suppress(Unavailable):
            return float(info(run).get("created", 0.0))
        return 0.0

    own = [Run(path.parent) for path in (home() / "runs").glob("*/run.json") if RUN_ID.fullmatch(path.parent.name)]
    return [*sorted(own, key=created, reverse=True), *list_presets()]


def strangers() -> dict[str, str]:
    """Folders among the runs that are none, such as a run's copy made by hand: name -> what to do about it."""
    names = (path.parent.name for path in (home() / "runs").glob("*/run.json"))
    advice = "no run can have its name; rename the folder with small letters, digits and hyphens, or remove it"
    return {name: advice for name in sorted(names) if not RUN_ID.fullmatch(name) and not name.startswith(".")}


def list_presets() -> list[Run]:
    """The finished runs that ship with the app."""
    return [Run(path.parent) for path in sorted(PRESETS.glob("*/run.json"))]
