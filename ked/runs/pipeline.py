"""Walk the stages of a recipe: from the cache where they are finished, else by work; write the run folder on the way."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ked import data
from ked.communities.groups import Superfeatures
from ked.data import Dataset
from ked.data.progress import listening
from ked.errors import InvalidInput, Unavailable
from ked.files.disk import disk_errors, link
from ked.nets.inference import accuracy
from ked.nets.weights import load_matrix, load_stack
from ked.recipe import Recipe
from ked.runs import build_nets, collapse, memory, snapshots, undertraining
from ked.runs.background import shares
from ked.runs.context import Context
from ked.runs.provenance import provenance
from ked.runs.run_lock import RunLock
from ked.runs.stage_keys import stage_keys, stage_names
from ked.runs.stages import stage_named
from ked.runs.steering import Event, Steering, clear
from ked.stage_cache import StageCache
from ked.store import SNAPSHOTS, Run, create_run
from ked.training.loop import Diverged

FLEETING = ("tick", "step", "progress", "paused", "resumed", "refused")  # events of the moment: shown live, not kept with a stage's result


def run(
    recipe: Recipe,
    *,
    into: Run | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    presets: bool = True,
    on_pause: Callable[[], object] = lambda: None,
    on_play: Callable[[], bool] = lambda: True,
    lock: RunLock | None = None,
) -> Generator[Event, None, None]:
    """Compute a run, yielding its events as they happen; every event but "tick" is also in the folder's events.jsonl.

    A run that goes on where it was stopped is computed with as many threads as it began with, so that its numbers are those of a
    run that was not: sums over more threads round otherwise.

    Args:
        recipe: What to do.
        into: The run folder to fill; a new one by default.
        should_stop: Asked after every batch; when it says yes, the run ends as cancelled, as `ked.runs.steering.cancel` ends it.
        presets: Whether finished stages may be taken over from the runs that ship with the app.
        on_pause: What is done when whoever steers lets the run rest; see `ked.runs.steering.Steering`.
        on_play: What is done when it is to go on; whether it may.
        lock: The run's, where the caller holds it already. It is held to the end, and given back there.

    Yields:
        Event dicts with a "kind": stage, training, step, epoch, forming, dependency, superfeatures, result, end, what steering
        tells (see `ked.runs.steering`), or tick (a batch, or a moment of rest, went by). "time" is in seconds since the start.

    Raises:
        InvalidInput, Unavailable: With one sentence; run.json then says failed, and why. Where another process computes the run,
            the sentence says so, and nothing of the run is changed.

    Examples:
        >>> from ked import Recipe
        >>> recipe = Recipe(dataset="digits", methods=("plain",), seeds=1, teacher_epochs=1, epochs=1, dependency_samples=50)
        >>> events = list(run(recipe))
        >>> [event["stage"] for event in events if event["kind"] == "stage"]
        ['teacher', 'dependency', 'superfeatures', 'student-plain']
        >>> sorted(events[-1]["accuracy"])
        ['plain', 'teacher']
    """
    folder = into or create_run(recipe)
    recipe = recipe if into else folder.recipe
    with lock or RunLock(folder), _threads(folder):
        steering = Steering(folder, recipe, on_pause=on_pause, on_play=on_play)
        yield from _computed(steering, should_stop, StageCache(presets=presets))


@contextlib.contextmanager
def _threads(folder: Run) -> Iterator[None]:
    """Compute with as many threads as the run began with; kept in run.json."""
    before = torch.get_num_threads()
    wanted = folder.info.get("threads", before)
    if wanted != before:
        torch.set_num_threads(wanted)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


def _computed(steering: Steering, should_stop: Callable[[], bool], cache: StageCache) -> Iterator[Event]:
    """The run's events; at the end run.json says how it ended."""
    folder, started = steering.run, time.monotonic()
    status, message, trace, diverged = "cancelled", "", "", False
    if folder.status in ("failed", "cancelled", "done"):  # what was asked of it then counts no more
        clear(folder)
    folder.update(status="running", started=time.time(), threads=torch.get_num_threads(), **provenance())
    try:
        with contextlib.closing(_stages(steering, cache)) as events:
            for event in events:
                if should_stop() or steering.cancelled:
                    return
                if event["kind"] != "tick":
                    event["time"] = round(time.monotonic() - started, 3)
                    folder.append(event)
                yield event
        status = "done"
    except (GeneratorExit, KeyboardInterrupt):
        raise
    except Exception as error:
        status, message, trace, diverged = "failed", _sentence(error), traceback.format_exc(), isinstance(error, Diverged)
        if not folder.folder.is_dir():
            raise Unavailable(f"the folder of run {folder.id} is gone: somebody deleted it while the run was computed.") from error
        raise
    finally:
        end = {"kind": "end", "status": status, "message": message, "time": round(time.monotonic() - started, 3)}
        with contextlib.suppress(Unavailable):  # a full disk must not hide why the run failed
            folder.append(end)  # before the status: whoever sees that the run has ended finds its last event
        with contextlib.suppress(Unavailable):
            place = {} if status == "done" else folder.progress()
            folder.conclude(status=status, message=message, diverged=diverged, ended=time.time(), **place)
            if trace:  # last, as it is the longest and the least needed
                folder.update(traceback=trace)


def resolve_device(name: str) -> torch.device:
    """The torch device of "auto", "cpu" or "cuda...": auto takes CUDA where there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise InvalidInput(f"device {name!r} is not there: torch sees no CUDA device; use 'cpu' or 'auto'.")
    return torch.device(name)


def _stages(steering: Steering, cache: StageCache) -> Generator[Event, None, None]:
    run, recipe = steering.run, steering.recipe
    device = resolve_device(recipe.device)
    dataset = yield from _read(recipe)
    if recipe.train_size is not None:
        dataset = dataset.few(recipe.train_size, recipe.seed)
    build_nets.check(recipe, dataset)
    memory.check(recipe, dataset, device)
    context = Context(recipe, dataset.to(device), run, steering)
    told = {} if dataset.intake is None else {"data": dataset.intake.as_json()}
    run.update(device=str(device), seeds=list(recipe.seed_list), stages=stage_keys(recipe), **told)
    seconds: dict[str, float] = {}
    for stage in stage_names(recipe):
        began = time.monotonic() - steering.waited
        yield from _stage(stage, context, cache)
        seconds[stage] = round(time.monotonic() - steering.waited - began, 4)
        run.update(seconds=seconds, **({"stages": stage_keys(steering.recipe)} if steering.recipe != recipe else {}))
        if reason := collapse.found(stage, context):
            if recipe.if_collapsed == "stop":
                raise Unavailable(f"{reason}; {collapse.advice(recipe)}.")
            run.update(collapsed=[*run.info.get("collapsed", ()), f"{reason}."])
    result = _summary(context)
    run.update(undertrained=undertraining.found(run.events()[0], steering.recipe, len(context.dataset.train)))
    yield {"kind": "result", **result}


def _read(recipe: Recipe) -> Generator[Event, None, Dataset]:
    """The data set; a long reading says how far it is."""

    def reading(report: Callable[[float], None]) -> Dataset:
        with listening(report):
            return data.load(recipe.dataset, recipe.label, drop=recipe.drop, keep=recipe.keep)

    found: list[Dataset] = []
    for share in shares(reading, found):
        yield {"kind": "progress", "stage": "data", "share": share}
    return found[0]


def _stage(stage: str, context: Context, cache: StageCache) -> Iterator[Event]:
    """One stage's events; afterwards its files are in the run folder."""
    run, key = context.run, partial(context.steering.key, stage)
    found = cache.find(key())
    if found and not _sound(found):
        cache.discard(found)
        found = None
    yield {"kind": "stage", "stage": stage, "cached": found is not None}
    if found:
        yield from cache.events(found)
    else:
        with cache.draft(key) as draft, disk_errors(draft):
            for event in stage_named(stage)(context, draft):
                if event["kind"] not in FLEETING:
                    Run(draft).append(event)
                yield event
            snapshots.share(stage, run, Run(draft))
        found = cache.root / key()
    (run.folder / SNAPSHOTS / f"{stage}.safetensors").unlink(missing_ok=True)
    for file in found.iterdir():
        if file.is_file() and file.name != "events.jsonl":
            link(file, run.folder / file.name)
    snapshots.share(stage, Run(found), run)


def _sound(folder: Path) -> bool:
    """Whether a cached stage's files can be read."""
    try:
        for file in folder.glob("*.safetensors"):
            load_matrix(file, "W") if file.stem == "dependency" else load_stack(file)
        for file in folder.glob("superfeatures*.json"):
            Superfeatures.from_json(file.read_text("utf-8"))
        return any(file.is_file() and file.name != "events.jsonl" for file in folder.iterdir())
    except (Unavailable, OSError):
        return False


def _summary(context: Context) -> dict[str, Any]:
    """Test accuracy of every net: the only place where the test split is used."""
    run, recipe = context.run, context.recipe
    held_out = context.dataset.part("validation")  # what picks the best students, so that test data do not
    validation = {method: accuracy(context.load(run.student(method)), *held_out) for method in recipe.methods}
    x, y = context.dataset.part("test")
    scores: dict[str, Any] = {"teacher": accuracy(context.load(run.teacher()), x, y)[0]}
    parameters = {"teacher": run.teacher().parameter_count}
    if run.has("explaining"):
        scores["explaining"] = accuracy(context.load(run.explaining()), x, y)[0]
        parameters["explaining"] = run.explaining().parameter_count
    for method in recipe.methods:
        stack = context.load(run.student(method))
        scores[method], parameters[method] = accuracy(stack, x, y), stack.parameter_count
    summary: dict[str, Any] = {"accuracy": scores, "validation": validation, "parameters": parameters, "superfeature_sizes": []}
    summary["majority"] = collapse.majority(context.dataset, y)
    if run.has("superfeatures"):
        found = run.superfeatures()
        summary |= {"superfeature_sizes": list(found.sizes), "modularity": found.modularity, "adjusted": found.adjusted}
    if notes := [event["note"] for event in run.events()[0] if event["kind"] == "matching"]:
        summary["matching"] = notes[-1]
    # Of made data: how well the true groups were found, 1 for all and about 0 for chance.
    if context.dataset.truth and not recipe.convolutional:
        labels = _labels(context.dataset.truth, context.dataset.feature_count)
        summary["recovery"] = _adjusted_rand_index(labels, found.labels().tolist())
    if any(method.prediction == "truth" for method in recipe.method_rows):
        summary["bayes_rule"] = float((context.dataset.true_probabilities("test").argmax(dim=1) == y).double().mean())
    run.update(summary=summary)
    return summary


def _adjusted_rand_index(true: list[int], found: list[int]) -> float:
    from sklearn.metrics import adjusted_rand_score  # a second that only made data are worth

    return float(adjusted_rand_score(true, found))


def _labels(groups: tuple[tuple[int, ...], ...], count: int) -> list[int]:
    owner = {feature: m for m, group in enumerate(groups) for feature in group}
    return [owner[feature] for feature in range(count)]


def _sentence(error: Exception) -> str:
    if isinstance(error, InvalidInput | Unavailable):
        return str(error)
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return "the machine ran out of memory; use a smaller net, a smaller batch or fewer seeds."
    return f"an unexpected {type(error).__name__} stopped the run: {error}"
