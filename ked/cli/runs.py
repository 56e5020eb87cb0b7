"""The command line: the stored runs."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.markup import escape

from ked import jobs, store
from ked.cli.tables import print_table, table_of
from ked.errors import InvalidInput, Unavailable

app = typer.Typer()


@app.command("runs")
def runs_command(as_json: Annotated[bool, typer.Option("--json", help="End with one JSON object on stdout.")] = False) -> None:
    """List the stored runs and the presets."""
    rows = [_row(run) for run in store.list_runs()]
    if as_json:
        print(json.dumps({"runs": rows}))
        return
    table = table_of("run", "name", "status", "data", "methods", "M")
    for row in rows:
        if row["status"] == "damaged":
            table.add_row(escape(row["run"]), "", "damaged", escape(row["message"]), "", "")
            continue
        status = row["status"] + ("" if row["before"] is None else f", {row['before']} before it")
        cells = (row["name"], status, row["dataset"], ",".join(row["methods"]), str(row["superfeatures"]))
        table.add_row(*map(escape, (row["run"], *cells)))
    print_table(table)


def _row(run: store.Run) -> dict[str, Any]:
    """What is told of a run; `before` is how many start before it, where it waits."""
    try:
        recipe, name = run.recipe, str(run.info.get("name", ""))
        asked = {"dataset": recipe.dataset, "methods": list(recipe.methods), "superfeatures": recipe.superfeatures}
        return {"run": run.id, "name": name, "status": jobs.status(run), "before": jobs.position(run), **asked}
    except (Unavailable, InvalidInput) as error:
        return {"run": run.id, "status": "damaged", "message": str(error)}
