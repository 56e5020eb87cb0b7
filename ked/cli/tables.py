"""Tables of which the first column, by which a row is asked for, is never cut."""

from __future__ import annotations

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

_LEGIBLE = 10  # letters of every other column, at least
_FRAME = 3  # letters that a column's border and padding take
_ENDLESS = 10_000


def table_of(first: str, *others: str) -> Table:
    """An empty table with these heads."""
    table = Table()
    table.add_column(first, no_wrap=True)
    for head in others:
        table.add_column(head)
    return table


def print_table(table: Table) -> None:
    """On a terminal the other columns are wrapped to fit; elsewhere, as in a pipe, no line is broken."""
    console = Console()
    first, others = table.columns[0], len(table.columns) - 1
    whole = max([cell_len(str(cell)) for cell in first.cells], default=0)
    console.width = max(console.width, whole + (_LEGIBLE + _FRAME) * others + _FRAME) if console.is_terminal else _ENDLESS
    console.print(table)
