"""The command line: one run. Its options are the settings of a recipe, as `ked.settings` declares them."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Generator
from statistics import mean, stdev
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ked import store
from ked.cli.progress import follow
from ked.cli.resume import taken_up
from ked.errors import InvalidInput, quoted
from ked.files import drafts
from ked.recipe import Recipe
from ked.runs.ending import ended_by_signals
from ked.runs.run_lock import RunLock
from ked.settings import ABOUT, About
from ked.shares import in_percent

app = typer.Typer()


def _with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for every setting in place of its `**settings`."""
    own = [one for one in inspect.signature(command, eval_str=True).parameters.values() if one.kind is not one.VAR_KEYWORD]
    command.__signature__ = inspect.Signature([*map(_option, ABOUT.values()), *own])  # type: ignore[attr-defined]
    return command


def _option(about: About) -> inspect.Parameter:
    """A setting's option; what is several is written with commas between."""
    allowed = about.allowed or ", ".join(about.choices)
    told = not allowed or all(choice in about.meaning.lower() for choice in about.choices or (allowed,))
    option = typer.Option(
        *((about.option,) if about.option else ()),
        help=about.meaning if told else f"{about.meaning.removesuffix('.')} ({allowed}).",
        metavar=f"<{about.kind.__name__}>,…" if about.several else None,
        rich_help_panel=about.group,
    )
    kind = str if about.several else about.kind
    default = (",".join(map(str, about.default)) or None) if about.several else about.default
    annotation = Annotated[kind if default is not None else kind | None, option]  # type: ignore[valid-type]
    return inspect.Parameter(about.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _read(name: str, value: Any) -> Any:
    """The value of an option, as a recipe has it."""
    about = ABOUT[name]
    if not about.several:
        return value
    if value is None:
        return ()
    parts = [part.strip() for part in value.split(",")]
    try:
        return tuple(about.kind(part) for part in parts)
    except ValueError:
        option = about.option or f"--{name.replace('_', '-')}"
        raise InvalidInput(f"{option} {quoted(value)} is not a list of whole numbers such as 500,500.") from None


@app.command("run")
@_with_settings
def run_command(
    *,
    resume: Annotated[str | None, typer.Option(help="Go on with this run, by its own recipe.", metavar="RUN")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one JSON object on stdout.")] = False,
    **settings: Any,
) -> None:
    """Train a teacher, find superfeatures, train students, and report test accuracy."""
    recipe = Recipe.make(**{name: _read(name, value) for name, value in settings.items()})
    drafts.sweep()
    with ended_by_signals():
        folder, lock = _begun(recipe) if resume is None else taken_up(resume)
        try:
            follow(_events(folder, lock), folder.id)
        except SystemExit:
            if folder.status == "running":  # it was stopped before it began
                folder.conclude(status="cancelled", ended=time.time())
            raise
    info = folder.info
    result = {
        "run": folder.id,
        "folder": str(folder.folder),
        "accuracy": info["summary"]["accuracy"],
        "superfeature_sizes": info["summary"]["superfeature_sizes"],
        "seconds": info["seconds"],
    }
    if as_json:
        print(json.dumps(result))
    else:
        _print_result(result, info)


def _begun(recipe: Recipe) -> tuple[store.Run, RunLock]:
    """A new run, and its lock: from here on it is this process's, though torch takes seconds to come."""
    folder = store.create_run(recipe)
    lock = RunLock(folder)
    folder.update(status="running")
    return folder, lock


def _events(folder: store.Run, lock: RunLock) -> Generator[dict[str, Any], None, None]:
    """The run's events; torch is imported for the first of them."""
    from ked.runs import pipeline

    yield from pipeline.run(folder.recipe, into=folder, lock=lock)


def _print_result(result: dict[str, Any], info: dict[str, Any]) -> None:
    chance = info["summary"]["majority"]
    told = f"chance is the most frequent class alone: {in_percent(chance, 2)}"
    table = Table("net", "test accuracy", "above chance", "seeds", "parameters", title=f"run {result['run']}", caption=told)
    for name, value in result["accuracy"].items():
        values = value if isinstance(value, list) else [value]
        spread = f" ± {100 * stdev(values):.2f} points (standard deviation over seeds)" if len(values) > 1 else ""
        parameters = f"{info['summary']['parameters'][name]:,}"
        table.add_row(name, f"{in_percent(mean(values), 2)}{spread}", f"{100 * (mean(values) - chance):+.2f}", str(len(values)), parameters)
    Console().print(table)
    if (table_read := info.get("data")) and not table_read["plain"]:
        Console().print("\n".join([table_read["said"], *table_read["remarks"]]), soft_wrap=True, markup=False)
    for reason in (*info.get("collapsed", ()), *info.get("undertrained", ())):
        Console(stderr=True).print(f"warning: {reason}", soft_wrap=True)
    Console().print(f"superfeature sizes {result['superfeature_sizes']}, folder {result['folder']}", soft_wrap=True)
