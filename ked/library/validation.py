"""Whether a run folder from elsewhere is whole: every file can be read, and all of them tell of one run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, ValidationError

from ked.attribution.kept import kept
from ked.communities.groups import Superfeatures
from ked.data import recorded_samples
from ked.errors import InvalidInput, Unavailable, quoted, shortened
from ked.files.drafts import LOCK
from ked.heard import Heard, load_net
from ked.library import NAME_LENGTH, clean_name, clean_tags
from ked.library.event_forms import check_events, replicas
from ked.nets.stack import Stack
from ked.nets.weights import load_matrix
from ked.recipe import Recipe
from ked.run_form import Accuracy, Form, Moment, flaw
from ked.run_tables import TEACHERS
from ked.runs.stage_keys import stage_names
from ked.store import RUN_ID, Run

Word = Annotated[str, Field(max_length=100)]


class _Summary(Form):
    accuracy: dict[str, Accuracy | list[Accuracy]]
    parameters: dict[str, int]
    superfeature_sizes: list[int]


class _Info(Form):
    """What an archive's run.json needs beside what every run.json needs: the run has ended, and its texts are short."""

    id: str
    status: Literal["done", "failed", "cancelled"]
    created: Moment
    message: str = Field("", max_length=2000)
    name: str = Field("", max_length=NAME_LENGTH)
    tags: list[Word] = Field(default_factory=list)
    versions: dict[Word, Word] = Field(default_factory=dict)
    commit: Word = ""
    device: Word = ""
    stages: dict[Word, Word] = Field(default_factory=dict)
    seconds: dict[Word, FiniteFloat] = Field(default_factory=dict)
    summary: _Summary | None = None


def check_whole(folder: Path) -> dict[str, Any]:
    """What run.json says of a run folder whose files have all been read and fit together.

    Raises:
        InvalidInput: With one sentence that names the file.
    """
    info = _info(folder / "run.json")
    recipe = _valid("the recipe in run.json", lambda: Recipe.make(**info["recipe"]))
    check_events(folder / "events.jsonl", recipe)
    if info["status"] == "done":
        _check_result(info, recipe)
        nets = ("teacher", "superfeatures", "explaining", *(f"student-{name}" for name in recipe.methods), "samples")
        for stage in nets if "recorded" in info else stage_names(recipe):
            if not Run(folder).has(stage):
                raise InvalidInput(f"the archive holds a finished run but nothing of its stage {stage!r}; export it again.")
    for path in sorted(folder.iterdir()):
        if path.name not in ("run.json", "events.jsonl", LOCK):
            _valid(path.name, lambda path=path: _check_file(path, recipe))  # type: ignore[misc]
    return info


def _valid(what: str, read: Callable[[], Any]) -> Any:
    """What `read` returns; whatever it complains of becomes one sentence about the archive."""
    try:
        return read()
    except InvalidInput as error:
        raise InvalidInput(f"{what} is not as it should be: {error}") from None
    except (Unavailable, ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError) as error:
        raise InvalidInput(f"{what} in the archive is damaged; export the run again.") from error


def _info(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InvalidInput("the archive holds no run.json; import a zip that KED Explorer exported.")
    info = _valid(path.name, lambda: json.loads(path.read_text("utf-8")))  # too deep a nesting is a RuntimeError
    try:
        checked = _Info.model_validate(info)
        where = flaw(info)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "everything"
    if where:
        raise InvalidInput(f"{shortened(where)} in the archive's run.json is missing or not as it should be; export again.")
    if not RUN_ID.fullmatch(checked.id):
        raise InvalidInput(f"{quoted(checked.id)} in the archive's run.json is no run id; export the run again.")
    _valid("the name in run.json", lambda: clean_name(checked.name))
    _valid("a tag in run.json", lambda: clean_tags(checked.tags))
    return dict(info)


def _check_result(info: dict[str, Any], recipe: Recipe) -> None:
    """A finished run has an accuracy for every net, and for students one a seed."""
    found = (info.get("summary") or {}).get("accuracy", {})
    students = {name: value for name, value in found.items() if name not in TEACHERS}
    whole = "teacher" in found and not any(isinstance(found.get(name), list) for name in TEACHERS)
    whole = whole and set(students) == set(recipe.methods) and set(found) == set(info["summary"]["parameters"])
    whole = whole and all(isinstance(value, list) and len(value) == recipe.seeds for value in students.values())
    if not whole or info.get("seeds") != list(recipe.seed_list):
        raise InvalidInput("the results in the archive's run.json do not belong to its recipe; export the run again.")


def _check_file(path: Path, recipe: Recipe) -> None:
    """Read a stage's file as the pages do, and compare it with the recipe."""
    if path.suffix == ".json":
        found = Superfeatures.from_json(path.read_text("utf-8"))
        fits = len(found.groups) == recipe.superfeatures_of("student" if "student" in path.stem else "teacher")
    elif path.stem == "dependency":
        W = load_matrix(path, "W")
        fits = W.dim() == 2 and W.shape[0] == W.shape[1] and W.is_floating_point()
    elif path.stem == "samples":
        fits = len(recorded_samples.read(path, recipe.dataset).x) > 0
    elif path.stem == "attributions":
        fits = set(kept(path)) <= {*TEACHERS, *recipe.methods}
    else:
        fits = _fits(path.stem, load_net(path), recipe)
    if not fits:
        raise InvalidInput("it does not belong to the run's recipe.")


def _fits(stage: str, stack: Stack | Heard, recipe: Recipe) -> bool:
    subnets = {"teacher": 1, "explaining": recipe.superfeatures}.get(stage, len(stack.groups))
    return stack.replicas == replicas(stage, recipe) and len(stack.groups) == subnets
