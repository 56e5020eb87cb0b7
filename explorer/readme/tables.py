"""Tables of studies and benchmarks in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from explorer.words.results import LABELS
from explorer.words.studies import with_half
from ked.studies.report import Report

_MEASURES = {"test accuracy, %": ("accuracy", 100, 1), "agreement (cosine)": ("agreement", 1, 3)}


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; its cells are taken as they are, but for the bar."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def nets(report: Report, cells: Callable[[str], str]) -> str:
    """Accuracy and agreement of every net at every level; `cells`: where the cells of a level are, as a link.

    Levels with the same nets are rows of a table, a column a net; of a level that has nets of its own the nets are rows.
    """
    rows: dict[str, dict[str, Any]] = {}
    for row in report.table.to_dict("records"):
        rows.setdefault(str(row["level"]), {})[row["net"]] = row
    alike = groupby(rows, key=lambda level: tuple(rows[level]))
    return "\n\n".join(table for _, levels in alike for table in _tables({level: rows[level] for level in levels}, cells))


def _tables(rows: dict[str, dict[str, Any]], cells: Callable[[str], str]) -> Iterator[str]:
    names = list(next(iter(rows.values())))
    told = {
        title: {level: [with_half(nets[name], *how) for name in names] for level, nets in rows.items()} for title, how in _MEASURES.items()
    }
    there = {title: lines for title, lines in told.items() if any(any(line) for line in lines.values())}
    if len(rows) == 1:
        (level,) = rows
        columns = [[LABELS[name] for name in names], *(lines[level] for lines in there.values())]
        yield f"{level}, {cells(level)}:\n\n{markdown(['net', *there], [list(line) for line in zip(*columns, strict=True)])}"
        return
    for title, lines in there.items():
        kept = [at for at in range(len(names)) if any(line[at] for line in lines.values())]
        head = [title, *(LABELS[names[at]] for at in kept), "cells"]
        yield markdown(head, [[level, *(line[at] for at in kept), cells(level)] for level, line in lines.items()])
