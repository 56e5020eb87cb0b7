"""A long reading says how far it has come, to whoever listens: a run, which shows it, or nobody.

The readers lie deep below `ked.data.load`, and only few of them ever take long, so the listener is a context and no argument.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TextIO, TypeVar

Item = TypeVar("Item")
Report = Callable[[float], None]

LONGEST = 4 << 20  # letters of a line
_TELLS = 200  # reports of one reading, at most
_LINES = 2048  # between two reports of a file that is read line by line

_listener: ContextVar[Report | None] = ContextVar("listener", default=None)


@contextmanager
def listening(report: Report) -> Iterator[None]:
    """Inside, every reading in this thread calls `report` with the share (0 to 1) that is finished."""
    token = _listener.set(report)
    try:
        yield
    finally:
        _listener.reset(token)


def tracked(items: Sequence[Item]) -> Iterator[Item]:
    """The items one after the other; the listener, if there is one, hears of each that was dealt with, or of a part of many."""
    report, every = _listener.get(), max(1, len(items) // _TELLS)
    for number, item in enumerate(items, start=1):
        yield item
        if report is not None and (number % every == 0 or number == len(items)):
            report(number / len(items))


def tracked_lines(file: TextIO, size: int) -> Iterator[str]:
    """The lines of a file of `size` bytes; the listener hears how many of them are read.

    Raises csv.Error at a line of more than LONGEST letters, as the csv module does at a long value: a file may be one line.
    """
    report = _listener.get()
    for number, line in enumerate(iter(lambda: file.readline(LONGEST + 1), ""), start=1):
        if len(line) > LONGEST:
            raise csv.Error(f"line {number} has more than {LONGEST} letters")
        yield line
        if report is not None and number % _LINES == 0:
            report(min(file.buffer.tell() / max(size, 1), 1.0))
