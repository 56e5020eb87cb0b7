"""The command line: `python -m ked --help`. Results go to stdout, progress and complaints to stderr."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ked import bench as benchmarks
from ked import data, jobs, store
from ked.cli import library as library_commands
from ked.cli import studies as study_commands
from ked.data import own as own_file
from ked.data import user_files
from ked.errors import InvalidInput, Unavailable, quoted
from ked.recipe import Recipe
from ked.runs import steering
from ked.runs.pipeline import run
from ked.runs.presets import RECIPES
from ked.runs.presets import make as make_preset

app = typer.Typer(
    help="Knowledge Explaining Distillation: teachers, superfeatures, students and what they explain.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="The data sets.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.add_typer(library_commands.app)
app.add_typer(study_commands.app)

_defaults = Recipe()
_err = Console(stderr=True)


def _numbers(text: str, option: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InvalidInput(f"{option} {quoted(text)} is not a list of whole numbers such as 500,500.") from None


def _joined(widths: tuple[int, ...]) -> str:
    return ",".join(map(str, widths))


@app.command("run")
def run_command(
    dataset: Annotated[
        str, typer.Option(help="A name from `data list`, planted:features=40,groups=5, or the path of your own CSV, NPZ or zip.")
    ] = _defaults.dataset,
    label: Annotated[str | None, typer.Option(help="The class column of your own CSV file.")] = None,
    train_size: Annotated[int | None, typer.Option(help="Use so many training samples, balanced over the classes.")] = None,
    methods: Annotated[str, typer.Option(help="Student methods, comma-separated.")] = ",".join(_defaults.methods),
    superfeatures: Annotated[int, typer.Option(help="M, the number of superfeatures.")] = _defaults.superfeatures,
    student_superfeatures: Annotated[int | None, typer.Option(help="M of the students, if not the teacher's.")] = None,
    seeds: Annotated[int, typer.Option(help="Student replicas, one a seed.")] = _defaults.seeds,
    seed: Annotated[int, typer.Option(help="The first seed; also the teachers'.")] = _defaults.seed,
    epochs: Annotated[int, typer.Option(help="Epochs of the students.")] = _defaults.epochs,
    teacher_epochs: Annotated[int, typer.Option(help="Epochs of both teachers.")] = _defaults.teacher_epochs,
    net: Annotated[
        str, typer.Option(help="Form of the students: mlp, or a convolutional net such as small-cnn, resnet8, wrn-16-1, vgg8.")
    ] = _defaults.net,
    teacher_net: Annotated[str | None, typer.Option(help="Form of the teachers; by default what the paper pairs.")] = None,
    teacher_hidden: Annotated[str, typer.Option(help="Hidden widths of the teacher.")] = _joined(_defaults.teacher_hidden),
    student_hidden: Annotated[str, typer.Option(help="Hidden widths of the student.")] = _joined(_defaults.student_hidden),
    activation: Annotated[str, typer.Option(help="relu, gelu, silu or tanh.")] = _defaults.activation,
    grouping: Annotated[str, typer.Option(help="How features are grouped.")] = _defaults.grouping,
    reduce: Annotated[str, typer.Option(help="abs_mean or mean_abs over the samples' Hessians.")] = _defaults.reduce,
    scale: Annotated[str | None, typer.Option(help="std: interactions in units of the features' spread.")] = None,
    dependency_samples: Annotated[
        int, typer.Option(help="Samples that the dependency matrix is averaged over.")
    ] = _defaults.dependency_samples,
    engine: Annotated[str | None, typer.Option(help="python-louvain or scikit-network.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Batch size of the students.")] = None,
    teacher_batch_size: Annotated[int | None, typer.Option(help="Batch size of the teachers.")] = None,
    lr: Annotated[float, typer.Option(help="The (largest) learning rate.")] = _defaults.lr,
    optimiser: Annotated[str, typer.Option(help="adam, or sgd with Nesterov momentum.")] = _defaults.optimiser,
    schedule: Annotated[str, typer.Option(help="How the learning rate falls: constant, cifar or tiny-imagenet.")] = "constant",
    weight_decay: Annotated[float, typer.Option(help="On kernels alone.")] = _defaults.weight_decay,
    augment: Annotated[str, typer.Option(help="Pictures are moved and mirrored: none, crop or crop+flip.")] = "none",
    temperature: Annotated[float, typer.Option(help="T, softens predictions.")] = _defaults.temperature,
    tau: Annotated[float, typer.Option(help="tau, softens explanations.")] = _defaults.tau,
    lam: Annotated[float, typer.Option("--lambda", help="Share of the teacher in the loss.")] = _defaults.lam,
    mu: Annotated[float, typer.Option(help="Share of explanations in the teacher's part.")] = _defaults.mu,
    rho: Annotated[float, typer.Option(help="A hint's share of the explanations' or predictions' part.")] = _defaults.rho,
    chimeras: Annotated[int, typer.Option(help="Chimeras an epoch for students that go on with them.")] = _defaults.chimeras,
    chimera_epochs: Annotated[int, typer.Option(help="Epochs of students that go on.")] = _defaults.chimera_epochs,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = _defaults.device,
    precision: Annotated[str, typer.Option(help="auto (bfloat16 for convolutions on CUDA) or float32.")] = "auto",
    resume: Annotated[str | None, typer.Option(help="Go on with this run, by its own recipe.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one JSON object on stdout.")] = False,
) -> None:
    """Train a teacher, find superfeatures, train students, and report test accuracy."""
    values = {name: value for name, value in locals().items() if name not in ("as_json", "resume")}
    values["methods"] = tuple(name.strip() for name in methods.split(","))
    values["teacher_hidden"] = _numbers(teacher_hidden, "--teacher-hidden")
    values["student_hidden"] = _numbers(student_hidden, "--student-hidden")
    recipe = Recipe.make(**values)
    folder = store.create_run(recipe) if resume is None else _unfinished(resume)
    _follow(run(folder.recipe, into=folder), folder.id)
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


def _unfinished(run_id: str) -> store.Run:
    """A run that can go on: neither finished nor being computed by a job."""
    found = store.load_run(run_id)
    status = jobs.status(found)
    a_job = "pid" in found.info or jobs.position(found) is not None
    if status == "done" or (status in ("queued", "running") and a_job):
        raise InvalidInput(f"run {run_id} is {status}; only a run that failed or was stopped can be resumed.")
    steering.clear(found)
    return found


def _follow(events: Iterator[dict[str, Any]], name: str = "") -> None:
    """Show a run's progress on stderr; ctrl-C ends it cleanly."""
    columns = (TextColumn("{task.description:>18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=_err) as progress:
        task: Any = None
        try:
            for event in events:
                if event["kind"] == "stage":
                    note = "from cache" if event["cached"] else ""
                    task = progress.add_task(event["stage"], total=1, note=note)
                    _finish(progress, task)
                elif event["kind"] == "training":
                    progress.reset(task, total=event["epochs"])
                elif event["kind"] == "epoch":
                    best = max(event["validation"])
                    progress.update(task, completed=event["epoch"], note=f"validation {best:.1%}")
                elif event["kind"] in ("paused", "resumed"):
                    progress.update(task, note="paused" if event["kind"] == "paused" else "")
                elif event["kind"] == "progress":
                    task = progress.add_task(event["stage"], total=1, note="") if task is None else task
                    progress.update(task, completed=event["share"])
                elif event["kind"] in ("dependency", "superfeatures"):
                    progress.update(task, completed=1)
        except KeyboardInterrupt:
            _err.print(f"stopped; finished stages are kept {f'(run {name})' if name else ''}")
            raise SystemExit(130) from None
        if task is not None:
            _finish(progress, task)


def _finish(progress: Progress, task: Any) -> None:
    """Fill the bars of all stages before this one."""
    for other in progress.tasks:
        if other.id < task:
            progress.update(other.id, completed=other.total)


def _print_result(result: dict[str, Any], info: dict[str, Any]) -> None:
    table = Table("net", "test accuracy", "seeds", "parameters", title=f"run {result['run']}")
    for name, value in result["accuracy"].items():
        values = value if isinstance(value, list) else [value]
        mean = sum(values) / len(values)
        spread = (sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5 if len(values) > 1 else None
        text = f"{mean:.2%}" + (f" ± {spread:.2%} (deviation over seeds)" if spread is not None else "")
        table.add_row(name, text, str(len(values)), f"{info['summary']['parameters'][name]:,}")
    Console().print(table)
    Console().print(f"superfeature sizes {result['superfeature_sizes']}, folder {result['folder']}", soft_wrap=True)


@app.command()
def runs() -> None:
    """List the stored runs and the presets."""
    table = Table("run", "name", "status", "data", "methods", "M")
    for item in store.list_runs():
        try:
            recipe, name = item.recipe, escape(item.info.get("name", ""))
            status, before = jobs.status(item), jobs.position(item)
            status += f", {before} before it" if before is not None else ""
            row = (recipe.dataset, ",".join(recipe.methods), str(recipe.superfeatures))
            table.add_row(item.id, name, status, *row)
        except (Unavailable, InvalidInput) as error:
            table.add_row(item.id, "", "damaged", escape(str(error)), "", "")
    Console().print(table)


@data_app.command("list")
def data_list() -> None:
    """List the data sets, and your own that were added."""
    table = Table("name", "what it is")
    for source in data.SOURCES.values():
        table.add_row(source.name, source.description)
    for key, own in user_files.listed().items():
        table.add_row(key, f"Your own {own.file}" + (f", class in the column {own.label}." if own.label else "."))
    Console().print(table)


@data_app.command("fetch")
def data_fetch(name: str) -> None:
    """Get a data set ready on this machine."""
    _print_sizes(name)


@data_app.command("add")
def data_add(
    file: Path, label: Annotated[str | None, typer.Option(help="The class column of a CSV file; 'label' by default.")] = None
) -> None:
    """Keep your own CSV, NPZ or zip of class folders under a name, for --dataset and for the app."""
    _print_sizes(user_files.add(file.name, own_file.content(str(file)), label))


@data_app.command("remove")
def data_remove(name: str) -> None:
    """Delete your own data that were added; runs that were trained on them stay."""
    user_files.forget(name)


def _print_sizes(name: str) -> None:
    found = data.load(name)
    sizes = ", ".join(f"{len(getattr(found, part))} {part}" for part in data.PARTS)
    print(f"{name}: {sizes} samples, {found.feature_count} features, {found.class_count} classes")


@app.command()
def bench(name: str, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Measure against the obvious ways, one benchmark or `all`; README says what each is."""
    result = benchmarks.measure(name)
    if as_json:
        print(json.dumps(result))
        return
    for title, figures in result.items() if name == "all" else [(name, result)]:
        table = Table("quantity", "value", title=title)
        for key, value in figures.items():
            table.add_row(key, f"{value:.4g}" if isinstance(value, float) else str(value))
        Console().print(table)


@app.command(hidden=True)
def presets(names: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Compute the finished runs that ship with the app, from nothing."""
    for name in names or RECIPES:
        if name not in RECIPES:
            raise InvalidInput(f"preset {quoted(name)} is unknown; use one of {', '.join(RECIPES)}.")
        _follow(make_preset(name))
        print(f"{name}: {store.PRESETS / name}-preset")


@app.command("app")
def app_command() -> None:
    """Open the explorer in a browser."""
    script = Path(__file__).resolve().parent.parent / "explorer" / "app.py"
    raise SystemExit(subprocess.call([sys.executable, "-m", "streamlit", "run", str(script)]))


@app.command("report")
def report_command(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A finished run's id, from `runs`.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")] = Path("report.html"),
) -> None:
    """Write a run as one HTML file that opens offline, with everything that moves in the app."""
    sys.argv[1:] = [run_id, "-o", str(output)]
    runpy.run_module("explorer.report", run_name="__main__", alter_sys=True)  # by name: what draws is no part of this library


@app.command(hidden=True)
def worker(lock: int) -> None:
    """The process that waits for jobs (see `ked.jobs.workers`)."""
    jobs.serve(lock)


def main() -> None:
    """Run the command line: exit code 2 for a wrong value, 1 for something missing, with one sentence and no traceback."""
    try:
        app()
    except InvalidInput as error:
        print(f"ked: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except Unavailable as error:
        print(f"ked: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
