"""The command line: studies; what there is, what a study's cells are, computing them, and what came out."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ked.cli.tables import print_table, table_of
from ked.errors import Unavailable
from ked.files.disk import disk_errors
from ked.runs.ending import ended_by_signals
from ked.settings import ABOUT
from ked.studies import STUDIES, estimate, study_named
from ked.studies.cells import Cell, Settings, cells_of
from ked.studies.study import SCALES

if TYPE_CHECKING:
    from ked.studies.report import Report

app = typer.Typer()

_err = Console(stderr=True)

_USUAL = Settings()


@app.command("study")
def study_command(
    name: Annotated[str, typer.Argument(help="A study's name, or `list`.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the cells and what exists of each; compute nothing.")] = False,
    scale: Annotated[str, typer.Option(help=f"How large the trainings are: {' or '.join(SCALES)}.")] = "small",
    dataset: Annotated[str | None, typer.Option(help="Other data than those of the scale.")] = None,
    seeds: Annotated[int, typer.Option(help="Students of each method and teacher, one per seed.")] = _USUAL.seeds,
    teachers: Annotated[int, typer.Option(help="Teachers of each level; from two on, intervals are over teachers.")] = _USUAL.teachers,
    epochs: Annotated[int | None, typer.Option(help=ABOUT["epochs"].meaning)] = None,
    teacher_epochs: Annotated[int | None, typer.Option(help=ABOUT["teacher_epochs"].meaning)] = None,
    device: Annotated[str | None, typer.Option(help=ABOUT["device"].meaning)] = None,
    dask: Annotated[str | None, typer.Option(help="Compute on the Dask cluster of this scheduler, such as tcp://host:8786.")] = None,
    stored: Annotated[bool, typer.Option("--stored", help="Compute nothing: report what is stored, or came with the program.")] = False,
    progress: Annotated[Path | None, typer.Option(help="A file to which each event is added as a line of JSON.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A folder for cells.csv, table.csv and contrasts.csv.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one JSON object on stdout.")] = False,
) -> None:
    """Answer a question about the method with a grid of runs; what is stored is never computed again."""
    if name == "list":
        _list(as_json)
        return
    study = study_named(name)
    given = {"epochs": epochs, "teacher_epochs": teacher_epochs, "device": device}
    settings = Settings(scale, dataset, seeds, teachers, {key: value for key, value in given.items() if value is not None})
    cells = cells_of(study, settings)
    if dry_run:
        _show_cells(cells, settings, as_json)
        return
    # With pandas and more, for which no other command should wait.
    from ked.studies import ledger, report

    failed: list[str] = []
    if not stored and (progress is not None or not {cell.key for cell in cells} <= {*ledger.read(study.name)}):
        from ked.studies import execution, executors, progress_log  # with torch

        with ended_by_signals(), executors.local() if dask is None else executors.dask(dask) as executor:
            events = execution.execute(cells, executor, here=dask is None)
            failed = _follow(events if progress is None else progress_log.logged(events, len(cells), progress), len(cells))
    found = report.report_with_shipped(study, settings) if stored else report.report(study, settings)
    if output is not None:
        _write(found, output)
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    else:
        _show(found)
    if failed:
        raise Unavailable(f"{len(failed)} of {len(cells)} cells failed; the first one, {failed[0]}")


def _list(as_json: bool) -> None:
    if as_json:
        rows = [{"study": study.name, "question": study.question, "levels": list(study.axis)} for study in STUDIES.values()]
        typer.echo(json.dumps({"studies": rows}))
        return
    table = table_of("study", "cells", "question")
    for study in STUDIES.values():
        table.add_row(study.name, str(len(study.axis)), study.question)
    print_table(table)


def _show_cells(cells: Sequence[Cell], settings: Settings, as_json: bool) -> None:
    from ked.studies.cell_status import status_of

    states = status_of(cells)
    todo = [cell for cell in cells if states[cell.key].state not in ("stored", "finished run")]
    seconds = estimate.seconds(todo, settings)
    if as_json:
        rows = [{"level": cell.level, "teacher": cell.teacher, "key": cell.key, **asdict(states[cell.key])} for cell in cells]
        typer.echo(json.dumps({"cells": rows, "to_do": len(todo), "seconds": seconds}))
        return
    table = Table("level", "teacher", "cell", "there")
    for cell in cells:
        table.add_row(escape(cell.level), str(cell.teacher + 1), cell.key, states[cell.key].state)
    Console().print(table)
    cost = "nobody has measured how long that takes" if seconds is None else f"about {estimate.in_words(seconds)} of training"
    Console().print(f"{len(todo)} of {len(cells)} cells to do{f': {cost}, less what is cached' * bool(todo)}")


def _follow(events: Generator[dict[str, Any], None, None], count: int) -> list[str]:
    """Show on stderr how far a study is; returns what failed. Ctrl-C ends it cleanly."""
    failed: list[str] = []
    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    began, kinds = time.monotonic(), Counter[str]()
    with Progress(*columns, TextColumn("{task.fields[left]} {task.fields[note]}"), console=_err) as progress:
        task = progress.add_task("cells", total=count, note="", left="")
        try:
            for event in events:
                kinds[event["kind"]] += 1
                computed = kinds["finished"] + kinds["failed"]
                left = estimate.left(time.monotonic() - began, computed, count - computed - kinds["known"])
                note = f"{event['kind']} {escape(event['cell'].name)}"
                progress.update(task, completed=computed + kinds["known"], note=note, left=left)
                if event["kind"] == "failed":
                    failed.append(f"{event['cell'].name!r}: {event['message']}")
        except KeyboardInterrupt:
            events.close()  # also where it came between two events: cells end after the batch in hand
            _err.print("stopped; finished cells are kept, and the same command goes on from here")
            raise SystemExit(130) from None
    return failed


def _write(found: Report, folder: Path) -> None:
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in (("cells", found.cells), ("table", found.table), ("contrasts", found.contrast_table)):
            table.to_csv(folder / f"{name}.csv", index=False)


def _show(found: Report) -> None:
    table = Table("level", "net", "test accuracy", "agreement", "modularity", "seconds", title=escape(found.study.question))
    for row in found.table.to_dict("records"):
        accuracy, agreement = (_with_half(row, name, form) for name, form in (("accuracy", ".2%"), ("agreement", ".3f")))
        modularity, seconds = _number(row["modularity"], ".3f"), _number(row["seconds"], ".1f")
        table.add_row(escape(row["level"]), row["net"], accuracy, agreement, modularity, seconds)
    for text in (table, escape(found.answer), escape(found.note)):
        Console().print(text)


def _with_half(row: dict[str, Any], name: str, form: str) -> str:
    half = row[f"{name}_high"] - row[name]
    return _number(row[name], form) + (f" ± {_number(half, form)}" if half == half else "")


def _number(value: float, form: str) -> str:
    return format(value, form).replace("%", " %") if value == value else ""


