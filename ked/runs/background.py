"""A long computation as a generator: it reports the share that is finished, and ends when nobody asks any more."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

Result = TypeVar("Result")
Report = Callable[[float], None]


class _Unwanted(BaseException):
    """Raised inside the computation, at its next report, when its consumer has gone."""


def shares(work: Callable[[Report], Result], into: list[Result]) -> Iterator[float]:
    """Run `work(report)` in a thread and yield each share (0 to 1) that it reports; its result is appended to `into`.

    What the work raises is raised here. At each report the work waits until the next share is asked for, so it rests while
    its consumer does; closing the generator ends it there.
    """
    said: queue.SimpleQueue[float | None] = queue.SimpleQueue()
    wanted, unwanted = threading.Semaphore(0), threading.Event()
    failures: list[BaseException] = []

    def report(share: float) -> None:
        said.put(share)
        wanted.acquire()
        if unwanted.is_set():
            raise _Unwanted

    def compute() -> None:
        try:
            into.append(work(report))
        except BaseException as error:
            failures.append(error)
        finally:
            said.put(None)

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    try:
        while (share := said.get()) is not None:
            yield share
            wanted.release()
    finally:
        unwanted.set()
        wanted.release()
        thread.join()
    if failures:
        raise failures[0]
