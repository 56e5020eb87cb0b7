"""A recipe says everything about a run; the hash of a stage covers only the settings that the stage depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from ked import data
from ked.errors import InvalidInput
from ked.groupings import GROUPINGS
from ked.methods import METHODS, Method, method_named

# Raise when a stage's results change for the same settings, so that no stale result is taken from the cache.
STAGE_VERSION = 1


class Recipe(BaseModel):
    """Everything that a run depends on: frozen, validated, JSON both ways.

    Attributes:
        dataset: Name of a data set (`ked.data.SOURCES`), or the path of the user's own file.
        label: The column that holds the class, for a CSV file of the user's own.
        train_size: Training samples used, drawn with `seed`, the same number of each class; None takes all.
        methods: How students are trained (`ked.methods.METHODS`), each with the same seeds.
        superfeatures: M.
        grouping: How features are grouped (`ked.groupings.GROUPINGS`).
        reduce: "abs_mean" or "mean_abs", see `ked.dependency`.
        scale: None, or "std" for interactions in units of the features' spread.
        dependency_samples: Training samples that the dependency matrix is averaged over.
        engine: Louvain engine; None takes the fast one above 128 features.
        teacher_hidden, student_hidden: Widths of the black boxes; KED nets are matched to their parameter counts.
        activation: Of all nets.
        seeds: Number of student replicas (seed, seed + 1, ...); the teachers are trained once, from `seed`.
        seed: The first seed.
        epochs, teacher_epochs: Passes over the training data.
        batch_size, teacher_batch_size: None means 100 and 500, or what gives 20 batches an epoch where that is
            smaller, but at least 16.
        chimeras, chimera_epochs: How many chimeras (or real samples) a student sees that goes on, and how often.
        lr: Adam's learning rate, for all nets.
        temperature, tau: What softens predictions and explanations.
        lam, mu: Share of the teacher in the loss, and of explanations in the teacher's share (0 to 1).
        device: "auto", "cpu", "cuda" or "cuda:0" and so on; not part of any hash.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = "digits"
    label: str | None = None
    train_size: int | None = Field(None, ge=1)
    methods: tuple[str, ...] = Field(("plain", "kd", "ked"), min_length=1)
    superfeatures: int = Field(4, ge=1)
    grouping: str = "hessian"
    reduce: Literal["abs_mean", "mean_abs"] = "abs_mean"
    scale: Literal["std"] | None = None
    dependency_samples: int = Field(1000, ge=1)
    engine: Literal["python-louvain", "scikit-network"] | None = None
    teacher_hidden: tuple[int, ...] = Field((500, 500), min_length=1)
    student_hidden: tuple[int, ...] = Field((20, 20), min_length=1)
    activation: Literal["relu", "gelu", "silu", "tanh"] = "relu"
    seeds: int = Field(5, ge=1, le=100)
    seed: int = Field(0, ge=0, lt=2**31)
    epochs: int = Field(20, ge=0, le=100_000)
    teacher_epochs: int = Field(20, ge=0, le=100_000)
    batch_size: int | None = Field(None, ge=1)
    teacher_batch_size: int | None = Field(None, ge=1)
    chimeras: int = Field(20_000, ge=1, le=1_000_000_000)
    chimera_epochs: int = Field(5, ge=1, le=100_000)
    lr: float = Field(1e-3, gt=0, allow_inf_nan=False)
    temperature: float = Field(10.0, gt=0, allow_inf_nan=False)
    tau: float = Field(10.0, gt=0, allow_inf_nan=False)
    lam: float = Field(0.7, ge=0, le=1)
    mu: float = Field(0.7, ge=0, le=1)
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")

    @field_validator("dataset")
    @classmethod
    def _known_dataset(cls, value: str) -> str:
        data.check(value)
        return value

    @field_validator("grouping")
    @classmethod
    def _known_grouping(cls, value: str) -> str:
        return _one_of("grouping", value, GROUPINGS)

    @field_validator("methods")
    @classmethod
    def _known_methods(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            _one_of("method", name, METHODS)
        return tuple(name for name in METHODS if name in value)  # the table's order, each once

    @field_validator("teacher_hidden", "student_hidden")
    @classmethod
    def _positive_widths(cls, value: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if min(value) < 1:
            raise ValueError(f"{info.field_name} = {value} is not allowed: every hidden layer needs at least one unit")
        return value

    @classmethod
    def make(cls, **values: Any) -> Recipe:
        """A recipe from loose values; `InvalidInput` with one sentence that names the first wrong one."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise InvalidInput(_sentence(error)) from None

    @property
    def seed_list(self) -> tuple[int, ...]:
        """The K seeds of the students."""
        return tuple(range(self.seed, self.seed + self.seeds))

    @property
    def method_rows(self) -> tuple[Method, ...]:
        """The methods' rows of the table, in its order."""
        return tuple(method_named(name) for name in self.methods)

    def batch_for(self, who: Literal["teacher", "student"], count: int) -> int:
        """Batch size for `count` training samples: as set, else 100 or 500, less where that gives under 20 batches an epoch."""
        chosen, default = (self.teacher_batch_size, 500) if who == "teacher" else (self.batch_size, 100)
        return chosen or max(16, min(default, count // 20))

    def without(self, **changes: Any) -> Recipe:
        """This recipe with some values changed, validated again."""
        return Recipe.make(**(self.model_dump() | changes))


# What each stage depends on beside its parents. Settings that are missing here never make a stage run again.
_DATA = ("dataset", "label", "train_size", "seed")
_SETTINGS: dict[str, tuple[str, ...]] = {
    "teacher": (*_DATA, "teacher_hidden", "activation", "teacher_epochs", "teacher_batch_size", "lr"),
    "dependency": ("reduce", "scale", "dependency_samples", "seed"),
    "superfeatures": ("superfeatures", "grouping", "engine", "seed"),
    "explaining": ("teacher_hidden", "activation", "teacher_epochs", "teacher_batch_size", "lr", "seed"),
}
_PARENTS = {"dependency": ("teacher",), "superfeatures": ("dependency",), "explaining": ("teacher", "superfeatures")}
_STUDENT = (*_DATA, "student_hidden", "activation", "epochs", "batch_size", "lr", "seeds")


def stage_keys(recipe: Recipe) -> dict[str, str]:
    """Stage name -> key, in the order of work; equal keys mean equal results, whatever else the recipes say."""
    keys: dict[str, str] = {}
    for stage in stage_names(recipe):
        parents = [keys[parent] for parent in _parents(stage)]
        settings = {name: _value(recipe, name) for name in _settings(stage) if not _is_default(recipe, name)}
        content = json.dumps([STAGE_VERSION, stage, settings, parents], sort_keys=True)
        keys[stage] = f"{stage}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    return keys


def stage_names(recipe: Recipe) -> tuple[str, ...]:
    """The stages that a recipe needs, in the order of work."""
    explaining = any(method.needs_explaining_teacher for method in recipe.method_rows)
    first = ("teacher", "dependency", "superfeatures", *(("explaining",) if explaining else ()))
    trained = {method.continues or method.name for method in recipe.method_rows} | set(recipe.methods)
    return (*first, *(f"student-{name}" for name in METHODS if name in trained))


def _is_default(recipe: Recipe, name: str) -> bool:
    """Defaults are left out of a key, so that a setting that is added later leaves the keys of old results as they were."""
    return bool(getattr(recipe, name) == Recipe.model_fields[name].default)


def _value(recipe: Recipe, name: str) -> Any:
    return data.fingerprint(recipe.dataset) if name == "dataset" else getattr(recipe, name)


def _settings(stage: str) -> tuple[str, ...]:
    if stage in _SETTINGS:
        return _SETTINGS[stage]
    method = method_named(stage.removeprefix("student-"))
    if method.further:
        return ("chimeras", "chimera_epochs")  # all else is its parent's
    distils = ("temperature", "lam") if method.prediction else ()
    return (*_STUDENT, *distils, *(("tau", "mu") if method.explanations else ()))


def _parents(stage: str) -> tuple[str, ...]:
    if not stage.startswith("student-"):
        return _PARENTS.get(stage, ())
    method = method_named(stage.removeprefix("student-"))
    needs = {
        "teacher": method.prediction == "teacher" or method.net == "ked",  # a KED net's base is the teacher's
        "superfeatures": method.net == "ked",
        "explaining": method.needs_explaining_teacher,
    }
    parents = tuple(parent for parent, needed in needs.items() if needed)
    return (*parents, f"student-{method.continues}") if method.continues else parents


def run(recipe: Recipe, **options: Any) -> Iterator[dict[str, Any]]:
    """Walk the stages of a recipe, yielding its events; see `ked.pipeline.run`."""
    from ked import pipeline  # the pipeline knows recipes, so it can only be imported when one is run

    return pipeline.run(recipe, **options)


def _one_of(what: str, value: str, allowed: dict[str, Any]) -> str:
    if value not in allowed:
        raise ValueError(f"{what} {value!r} is unknown; use one of {', '.join(allowed)}")
    return value


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":  # our own validators say it all
        return f"{message.rstrip('.')}."
    where = ".".join(str(part) for part in first["loc"])
    return f"{where} = {first['input']!r} is not allowed: {message[:1].lower()}{message[1:]}."
