"""The queue: runs that wait for a slot, a file `$KED_HOME/queue/<run id>` each, so that it outlives every process.

Visitors take turns. The first run that a visitor puts in line is for the turn after the one in progress, a second one
for the turn after that, and so on; runs start by turn, within a turn in the order in which they came. So somebody with
one run need not wait for all twenty of somebody else's, and nobody is pushed back for ever (start-time fair queueing,
Goyal, Vin and Cheng 1996).
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ked.errors import Unavailable
from ked.files import locks
from ked.files.disk import write_json
from ked.files.home import home, whole_number
from ked.store import RUN_ID


@dataclass(frozen=True)
class Waiting:
    """A run in line: its id, who wants it ("" for the command line and notebooks), its turn, and since when (Unix seconds)."""

    run: str
    visitor: str
    turn: int
    since: float


_FORM = TypeAdapter(Waiting)


def limit() -> int:
    """How many runs may wait: $KED_QUEUE, 20 by default."""
    return whole_number("KED_QUEUE", 20)


def locked() -> contextlib.AbstractContextManager[None]:
    """Whoever changes the queue holds its lock."""
    return locks.locked(folder() / ".lock")


def folder() -> Path:
    """Where the queue is."""
    return home() / "queue"


def waiting() -> list[Waiting]:
    """Who waits, in the order in which they will start; what is damaged is passed over."""
    return in_order(item for name in names() if (item := _read(name)) is not None)


def damaged() -> list[str]:
    """The names of files that say nothing of a run in line: runs that would wait for ever."""
    return [name for name in names() if _read(name) is None and holds(name)]


def _read(name: str) -> Waiting | None:
    """What a file says; None where it is damaged, or its run has started meanwhile."""
    with contextlib.suppress(OSError, ValidationError, RecursionError):
        item = _FORM.validate_json((folder() / name).read_bytes(), strict=True)
        return item if item.run == name and RUN_ID.fullmatch(name) and math.isfinite(item.since) else None
    return None


def names() -> list[str]:
    """The ids of the runs that wait, in no order: all it takes is one look at the folder."""
    try:
        with os.scandir(folder()) as found:
            return [entry.name for entry in found if not entry.name.startswith(".") and entry.is_file()]
    except FileNotFoundError:
        return []


def in_order(found: Iterable[Waiting]) -> list[Waiting]:
    """Sorted by when they will start."""
    return sorted(found, key=lambda item: (item.turn, item.since, item.run))


def turn_of(visitor: str, found: Iterable[Waiting], now: int) -> int:
    """The turn of a visitor's next run: after those that the visitor has in line, and after the turn in progress."""
    return 1 + max([now, *(item.turn for item in found if item.visitor == visitor)])


def holds(run: str) -> bool:
    """Whether a run waits."""
    return (folder() / run).exists()


def position(run: str) -> int | None:
    """How many runs start before this one; None if it does not wait."""
    return next((index for index, item in enumerate(waiting()) if item.run == run), None)


def check_room() -> None:
    """Refuse, with the lock held, one run more than may wait.

    Raises:
        Unavailable: The queue is full.
    """
    if len(names()) >= limit():
        raise Unavailable(f"{limit()} runs are already waiting, and no more are taken; try again when one of them has started.")


def add(run: str, visitor: str) -> None:
    """Put a run in line, with the lock held."""
    item = Waiting(run, visitor, turn_of(visitor, waiting(), _turn()), time.time())
    write_json(folder() / run, asdict(item))


def remove(run: str) -> bool:
    """Take a run out of the line, with the lock held; returns whether it was there."""
    there = holds(run)
    (folder() / run).unlink(missing_ok=True)
    return there


def started(item: Waiting) -> None:
    """Take a run out of the line because it has been started, with the lock held: its turn is the one in progress."""
    remove(item.run)
    with contextlib.suppress(Unavailable):  # on a full disk the turns stand still
        write_json(folder() / ".turn", max(item.turn, _turn()))


def _turn() -> int:
    try:
        return int(json.loads((folder() / ".turn").read_text("utf-8")))
    except (OSError, ValueError, TypeError, OverflowError, RecursionError):
        return 0
