"""The command line: data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ked.cli.tables import print_table, table_of
from ked.data import own, sources, user_files

app = typer.Typer()
_data = typer.Typer(help="The data sets.", no_args_is_help=True)
app.add_typer(_data, name="data")


@_data.command("list")
def list_command() -> None:
    """List the data sets, and your own that were added."""
    table = table_of("name", "what it is")
    for source in sources.SOURCES.values():
        table.add_row(source.name, source.description)
    for key, file in user_files.listed().items():
        table.add_row(key, f"Your own {file.file}" + (f", class in the column {file.label}." if file.label else "."))
    print_table(table)


@_data.command("fetch")
def fetch_command(name: str) -> None:
    """Get a data set ready on this machine."""
    _print_sizes(name)


@_data.command("add")
def add_command(
    file: Path,
    label: Annotated[str | None, typer.Option(help="The column of a table with the class, by name or place; else it is guessed.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="A column of a table to leave out; may be given several times.")] = None,
    keep: Annotated[list[str] | None, typer.Option(help="A column to use although it would be left out; '*' for all.")] = None,
) -> None:
    """Keep your own table, NPZ, folder or zip of class folders under a name, for --dataset and for the app."""
    from ked.cli.progress import reading

    with reading(file.name[:18]):
        name, content, notes = own.to_keep(str(file))
        key = user_files.add(name, content, label, notes, drop=drop or (), keep=keep or ())
    _print_sizes(key)


@_data.command("remove")
def remove_command(name: str) -> None:
    """Delete your own data that were added; runs that were trained on them stay."""
    user_files.forget(name)


def _print_sizes(name: str) -> None:
    from ked.data.dataset import PARTS

    found = sources.load(name)
    sizes = ", ".join(f"{len(getattr(found, part))} {part}" for part in PARTS)
    print(f"{name}: {sizes} samples, {found.feature_count} features, {found.class_count} classes")
    for note in found.notes:
        print(note)
