"""The command line: runs as files, out and in."""

from __future__ import annotations

import os
import runpy
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from ked.files.disk import disk_errors
from ked.showing import check_packages
from ked.store import load_run

app = typer.Typer()


@app.command("export")
def export_command(
    run: Annotated[str, typer.Argument(help="A run's id, from `runs`.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The zip file; by default RUN.zip.")] = None,
) -> None:
    """Write a run as a zip: run.json, events, weights, tables as CSV, and a script that reproduces its numbers."""
    from ked.library.archive import export_run

    found = load_run(run)
    target = output or Path(f"{found.id}.zip")
    draft = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    try:
        with disk_errors(target.parent), open(draft, "wb") as file:
            export_run(found, file)
            os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    typer.echo(str(target))


@app.command("import")
def import_command(file: Annotated[Path, typer.Argument(help="A zip that `export` or the app wrote.")]) -> None:
    """Take in an exported run; what comes from elsewhere is looked at closely, and nothing of it is executed."""
    from ked.library.archive import import_run

    typer.echo(import_run(file).id)


@app.command("report")
def report_command(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A finished run's id, from `runs`.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")] = Path("report.html"),
) -> None:
    """Write a run as one HTML file that opens offline, with everything that moves in the app."""
    check_packages()
    sys.argv[1:] = [run_id, "-o", str(output)]
    runpy.run_module("explorer.report", run_name="__main__", alter_sys=True)  # by name: what draws is no part of this library
