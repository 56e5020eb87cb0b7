"""The command line: how far a run is, on stderr."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ked.data.progress import listening
from ked.shares import in_percent

err = Console(stderr=True)


def follow(events: Generator[dict[str, Any], None, None], name: str = "") -> None:
    """Show a run's progress: on a terminal a bar a stage, elsewhere a line; ctrl-C ends it cleanly.

    The data are shown as being read before the first event is asked for, as that is when torch is imported.
    """
    columns = (TextColumn("{task.description:>18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=err, disable=not err.is_terminal) as progress:
        try:
            task = _begin(progress, "data")
            for event in events:
                if event["kind"] == "stage":
                    task = _begin(progress, event["stage"], "from cache" if event["cached"] else "")
                elif event["kind"] == "training":
                    progress.reset(task, total=event["epochs"])
                elif event["kind"] == "epoch":
                    best = max(event["validation"])
                    progress.update(task, completed=event["epoch"], note=f"validation {in_percent(best, 1)}")
                elif event["kind"] in ("paused", "resumed"):
                    progress.update(task, note="paused" if event["kind"] == "paused" else "")
                elif event["kind"] == "progress":
                    progress.update(task, completed=event["share"])
                elif event["kind"] in ("dependency", "superfeatures"):
                    progress.update(task, completed=1)
        except KeyboardInterrupt:
            events.close()  # also where it came between two events: the run says that it was stopped
            err.print(f"stopped; finished stages are kept {f'(run {name})' if name else ''}")
            raise SystemExit(130) from None
        _finish(progress)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Show on a terminal how far a long reading of data is."""
    columns = (TextColumn("{task.description:>18}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=1)
        with listening(lambda share: progress.update(task, completed=share)):
            yield


def _begin(progress: Progress, stage: str, note: str = "") -> TaskID:
    """A new bar or line for a stage; those before it are finished."""
    _finish(progress)
    if not err.is_terminal:
        err.print(f"{stage:>18}  {note}".rstrip(), highlight=False)
    return progress.add_task(stage, total=1, note=note)


def _finish(progress: Progress) -> None:
    """Fill all bars that there are."""
    for task in progress.tasks:
        progress.update(task.id, completed=task.total)
