"""Compute what is missing of a study, on any executor: no cell twice, and no teacher twice at the same time."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from ked.errors import InvalidInput, Unavailable
from ked.files.disk import disk_errors
from ked.files.home import home
from ked.stage_cache import StageCache
from ked.studies import ledger
from ked.studies.cells import Cell
from ked.studies.computing import Order, compute
from ked.studies.ledger import Record


def execute(cells: Sequence[Cell], executor: Executor, *, here: bool = True) -> Generator[dict[str, Any], None, None]:
    """Compute all cells that are not stored, and store each as soon as it is there.

    Closing the generator, or ctrl-C, lets cells in progress end after their batch in hand; the next call goes on with them.

    Args:
        cells: Of one study.
        executor: Who computes.
        here: Whether that happens on this machine, where cells share the slots of jobs.

    Yields:
        Events with a "kind" and a "cell": "known" (it was stored), "started", "finished" (both kinds of end have the "record") or
        "failed" (with a "message"; the others go on).

    Raises:
        Unavailable: A worker's process was killed.
    """
    stored = _stored(cells)
    yield from ({"kind": "known", "cell": cell, "record": stored[cell.key]} for cell in cells if cell.key in stored)
    todo = [cell for cell in cells if cell.key not in stored]
    yield from _through(todo, executor, Order(home() / "studies" / f".stop-{secrets.token_hex(4)}", here))


def free(waiting: Sequence[Cell], busy: Collection[str], cached: Collection[str]) -> list[Cell]:
    """The cells that may start now: none that needs a teaching stage which another one is computing, or is about to.

    Args:
        waiting: In the order of work.
        busy: Keys of stages before the students that cells at work may be computing.
        cached: Keys of finished stages.
    """
    chosen, taken = [], set(busy)
    for cell in waiting:
        missing = cell.teaching - set(cached)
        if not missing & taken:
            chosen.append(cell)
            taken |= missing
    return chosen


def _through(waiting: list[Cell], executor: Executor, order: Order) -> Iterator[dict[str, Any]]:
    at_work: dict[Future[Record], tuple[Cell, frozenset[str]]] = {}
    try:
        while waiting or at_work:
            cached = _cached(waiting)
            for cell in free(waiting, {key for _, keys in at_work.values() for key in keys}, cached):
                waiting.remove(cell)
                at_work[executor.submit(compute, cell, order)] = cell, cell.teaching - cached
                yield {"kind": "started", "cell": cell}
            for future in wait(at_work, return_when=FIRST_COMPLETED).done:
                yield _ended(at_work.pop(future)[0], future)
    finally:
        _stop(list(at_work), order)


def _stop(futures: Sequence[Future[Record]], order: Order) -> None:
    """Let the cells that are still at work end after the batch in hand, and wait for that."""
    unfinished = [future for future in futures if not future.cancel()]
    if unfinished:
        with disk_errors(order.stop.parent):
            order.stop.parent.mkdir(parents=True, exist_ok=True)
            order.stop.touch()
        wait(unfinished)
        order.stop.unlink(missing_ok=True)


def _ended(cell: Cell, future: Future[Record]) -> dict[str, Any]:
    """The event of a cell that has ended; a record is stored before anybody hears of it."""
    try:
        record = future.result()
    except BrokenProcessPool as error:
        raise Unavailable(
            "a worker's process ended without a word (killed, or out of memory); start the study again and it goes on."
        ) from error
    except (InvalidInput, Unavailable) as error:
        return {"kind": "failed", "cell": cell, "message": str(error)}
    except Exception as error:
        return {"kind": "failed", "cell": cell, "message": f"an unexpected {type(error).__name__} stopped the run: {error}"}
    ledger.write(cell.study, record)
    return {"kind": "finished", "cell": cell, "record": record}


def _stored(cells: Sequence[Cell]) -> dict[str, Record]:
    return {key: record for study in {cell.study for cell in cells} for key, record in ledger.read(study).items()}


def _cached(cells: Sequence[Cell]) -> set[str]:
    cache = StageCache()
    return {key for key in frozenset().union(*(cell.teaching for cell in cells)) if cache.find(key)}
