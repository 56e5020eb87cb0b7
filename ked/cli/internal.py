"""The command line: what the program and its makers call, which `--help` leaves out."""

from __future__ import annotations

from typing import Annotated

import typer

from ked.errors import InvalidInput, quoted

app = typer.Typer()


@app.command(hidden=True)
def presets(names: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Compute the finished runs that ship with the app, from nothing."""
    from ked.cli.progress import follow
    from ked.runs.presets import RECIPES, make
    from ked.store import PRESETS

    for name in names or RECIPES:
        if name not in RECIPES:
            raise InvalidInput(f"preset {quoted(name)} is unknown; use one of {', '.join(RECIPES)}.")
        follow(make(name))
        print(f"{name}: {PRESETS / name}-preset")


@app.command(hidden=True)
def worker(lock: int) -> None:
    """Compute runs that wait: `ked.jobs.workers.ensure` starts this, with the lock."""
    from ked import jobs

    jobs.serve(lock)
