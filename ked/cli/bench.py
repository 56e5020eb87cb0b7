"""The command line: benchmarks."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer()


@app.command("bench")
def bench_command(name: str, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Measure against the obvious ways, one benchmark or `all`; docs/speed.md says what each is."""
    from ked import bench

    result = bench.measure(name)
    if as_json:
        print(json.dumps(result))
        return
    for title, figures in result.items() if name == "all" else [(name, result)]:
        table = Table("quantity", "value", title=title)
        for key, value in figures.items():
            table.add_row(key, f"{value:.4g}" if isinstance(value, float) else str(value))
        Console().print(table)
