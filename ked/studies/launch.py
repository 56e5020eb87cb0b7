"""Studies that go on by themselves: each in a process of its own, which outlives the page and the server that started it.

The process is `python -m ked study NAME`. What it tells (`ked.studies.progress_log`) and who it is lie in `$KED_HOME/studies/NAME`; a
lock that it holds to its end sees to it that there is one to a study, and says whether it is there.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from ked.errors import Unavailable
from ked.files import locks, processes
from ked.files.disk import disk_errors, write_json
from ked.files.home import home
from ked.run_form import Form, Moment
from ked.studies import progress_log
from ked.studies.cells import Settings, cells_of
from ked.studies.study import Study

MOST = 2  # studies at work at a time: each keeps some processes with torch in memory

State = Literal["starting", "computing", "stopping", "done", "stopped", "broken"]

_OPTIONS = {"epochs": "--epochs", "teacher_epochs": "--teacher-epochs", "device": "--device"}  # of recipe fields
_ENDS: tuple[State, ...] = ("done", "stopped", "broken")

_started: list[subprocess.Popen[bytes]] = []  # by this process; kept so that one that ended does not linger as a zombie


@dataclass(frozen=True)
class Work:
    """How the process that was started last for a study stands.

    Attributes:
        settings: What was asked for.
        state: Where it is, or how it ended.
        began: When, in seconds since 1970.
        visitor: Who started it, where that was in the app.
        cells: How many there are.
        ended: Keys of cells whose end was told, those that were stored before among them.
        computed: How many of these were computed since it began, or failed.
        failed: Key of a cell -> why.
        message: Why the process broke off; "" where it did not.
    """

    settings: Settings
    state: State
    began: float
    visitor: str = ""
    cells: int = 0
    ended: frozenset[str] = frozenset()
    computed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    message: str = ""

    @property
    def active(self) -> bool:
        """Whether its process is there."""
        return self.state in ("starting", "computing", "stopping")


def command(study: Study, settings: Settings) -> list[str]:
    """The arguments of `python -m ked` that compute a study at these settings, as short as they can be."""
    names, usual = ("scale", "dataset", "seeds", "teachers"), Settings()
    options = {f"--{name}": value for name in names if (value := getattr(settings, name)) != getattr(usual, name)}
    options |= {_OPTIONS[name]: value for name, value in settings.fields.items()}
    return ["study", study.name, *(str(part) for option in options.items() for part in option)]


def start(study: Study, settings: Settings, visitor: str = "") -> None:
    """Compute what is missing of a study, in a process of its own.

    Raises:
        InvalidInput: A setting is wrong.
        Unavailable: It is at work already, or as many others are as may be; the disk is full.
    """
    cells_of(study, settings)
    with locks.locked(home() / "studies" / ".starting"):
        _check_room(study)
        lock = locks.take(_folder(study.name) / ".process", wait=False)
        if lock is None:
            raise Unavailable(f"study {study.name!r} is already running; wait for its end, or stop it first.")
        try:
            _spawn(study, settings, lock, visitor)
        finally:
            os.close(lock)


def stop(study: Study) -> None:
    """End a study at work as ctrl-C does: cells end after the batch in hand, and the next start goes on with them."""
    with locks.locked(home() / "studies" / ".starting"):  # else the process of before might be meant
        about = _about(study.name)
        if about is not None and not about.stopping and _is_there(study.name):
            write_json(_folder(study.name) / "process.json", about.model_dump() | {"stopping": True})
            with contextlib.suppress(ProcessLookupError):
                os.kill(about.pid, signal.SIGTERM)


def look(study: Study) -> Work | None:
    """How the process stands that was started last; None where none ever was."""
    _started[:] = [one for one in _started if one.poll() is None]
    about = _about(study.name)
    if about is None:
        return None
    alive = _is_there(study.name)  # before its last words are read
    told = progress_log.read(_folder(study.name) / "progress.jsonl")
    state = _state([line.kind for line in told], alive=alive, stopping=about.stopping)
    message = next((line.message for line in told if line.kind == "broken"), "")
    if state == "broken" and not message:
        message = "its process ended without a word (killed, or out of memory); start it again and it goes on."
    return Work(
        about.settings, state, about.began, about.visitor,
        next((line.cells for line in told if line.kind == "began"), 0),
        frozenset(line.key for line in told if line.kind in ("known", "finished", "failed")),
        sum(line.kind in ("finished", "failed") for line in told),
        {line.key: line.message for line in told if line.kind == "failed"}, message,
    )  # fmt: skip


def _state(kinds: Sequence[str], *, alive: bool, stopping: bool) -> State:
    if alive:
        return "stopping" if stopping else "computing" if kinds else "starting"
    return next((end for end in _ENDS if end in kinds), "stopped" if stopping else "broken")


def _check_room(study: Study) -> None:
    others = [name for name in _at_work() if name != study.name]
    if len(others) >= MOST:
        raise Unavailable(f"the studies {' and '.join(map(repr, others))} are already running; wait for the end of one, or stop it first.")


def _at_work() -> Iterator[str]:
    for path in sorted((home() / "studies").glob("*/process.json")):
        if _is_there(path.parent.name):
            yield path.parent.name


def _spawn(study: Study, settings: Settings, lock: int, visitor: str) -> None:
    folder = _folder(study.name)
    with disk_errors(folder), open(folder / "process.log", "wb") as log:
        (folder / "progress.jsonl").write_bytes(b"")
        progress = str(folder.absolute() / "progress.jsonl")
        # It holds the lock to its end, without knowing.
        process = processes.start([*command(study, settings), "--progress", progress], log, lock)
    _started.append(process)
    about = _About(pid=process.pid, began=time.time(), stopping=False, settings=settings, visitor=visitor)
    write_json(folder / "process.json", about.model_dump())


class _About(Form):
    """process.json: who was started last for a study, and with what."""

    pid: int = Field(gt=0)
    began: Moment
    stopping: bool
    settings: Settings
    visitor: str = ""


def _about(name: str) -> _About | None:
    """What is known of the process that was started last; None where that is nothing."""
    with contextlib.suppress(OSError, ValidationError, RecursionError):
        return _About.model_validate_json((_folder(name) / "process.json").read_bytes())
    return None


def _is_there(name: str) -> bool:
    """Whether a study's process is at work: it holds its lock to the end."""
    return locks.is_held(_folder(name) / ".process")


def _folder(name: str) -> Path:
    return home() / "studies" / name
