"""The command line: `python -m ked --help`. Results go to stdout, progress and complaints to stderr.

A file a group of commands, each with a typer app of its own. What is slow to import, torch above all, is imported by the command
that needs it, once it is sure that it does.
"""

from __future__ import annotations

import sys

import typer

from ked.cli import app, bench, data, internal, library, run, runs, studies
from ked.errors import InvalidInput, Unavailable
from ked.files.processes import let_threads_sleep

commands = typer.Typer(
    help="Knowledge Explaining Distillation: teachers, superfeatures, students and what they explain.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (run, runs, data, bench, app, library, studies, internal):
    commands.add_typer(group.app)


def main() -> None:
    """Run the command line: exit code 2 for a wrong value, 1 for something missing, with one sentence and no traceback."""
    let_threads_sleep()
    try:
        commands()
    except InvalidInput as error:
        print(f"ked: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except Unavailable as error:
        print(f"ked: {error}", file=sys.stderr)
        raise SystemExit(1) from None
