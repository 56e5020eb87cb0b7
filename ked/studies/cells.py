"""The cells of a study: one recipe each, known by a hash of all that its results depend on."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

from ked.data import absolute
from ked.errors import InvalidInput, quoted
from ked.recipe import Recipe
from ked.runs.stage_keys import stage_keys
from ked.studies.study import SCALES, Fields, Study

APART = 1000  # seeds between two teachers, so that their students share none


@dataclass(frozen=True)
class Cell:
    """One run of a study.

    Attributes:
        study: The study's name.
        level: Its place on the axis.
        teacher: Which of the level's teachers taught it, from 0 on.
        recipe: What is computed.
        key: Equal keys mean equal results.
        stages: The run's stages and their keys.
    """

    study: str
    level: str
    teacher: int
    recipe: Recipe
    key: str
    stages: Mapping[str, str]

    @property
    def name(self) -> str:
        """What people call its run."""
        return f"{self.study}: {self.level}" + (f", teacher {self.teacher + 1}" if self.teacher else "")

    @property
    def teaching(self) -> frozenset[str]:
        """Keys of the stages before the students, which other cells may need as well."""
        return frozenset(key for stage, key in self.stages.items() if not stage.startswith("student-"))


@dataclass(frozen=True)
class Settings:
    """What whoever starts a study decides.

    Attributes:
        scale: A key of `SCALES`.
        dataset: Another data set than the study's own; None takes that of the scale.
        seeds: Students of each method for each teacher.
        teachers: How many teachers each level has, trained and grouped anew from seeds of their own. From two on they are
            the unit of intervals, and students of one teacher count as one: what holds for one teacher need not hold for others.
        fields: Recipe fields for all levels, over whatever study and level say.
    """

    scale: str = "small"
    dataset: str | None = None
    seeds: int = 3
    teachers: int = 5
    fields: Fields = field(default_factory=dict)


def cells_of(study: Study, settings: Settings) -> tuple[Cell, ...]:
    """A study's cells, level by level.

    Raises:
        InvalidInput: A setting is wrong, or no recipe can have it.
    """
    if settings.scale not in SCALES:
        raise InvalidInput(f"scale {quoted(settings.scale)} is unknown; use one of {', '.join(SCALES)}.")
    if settings.scale not in study.scales:
        raise InvalidInput(f"scale {quoted(settings.scale)} is not one of study {study.name!r}; use one of {', '.join(study.scales)}.")
    if settings.teachers < 1:
        raise InvalidInput(f"teachers = {settings.teachers} is not allowed: a study needs at least one.")
    if settings.teachers * settings.seeds < 2:
        raise InvalidInput(
            "seeds = 1 is not allowed with one teacher: a comparison needs at least two seeds, an interval three, and five say more."
        )
    if settings.dataset is not None and not study.datasets:
        raise InvalidInput(f"dataset {quoted(settings.dataset)} is not allowed: the levels of study {study.name!r} are data sets.")
    if settings.dataset is None and not settings.fields:
        return _usual_cells(study, settings.scale, settings.seeds, settings.teachers)
    return _cells(study, settings)


@functools.lru_cache(maxsize=256)
def _usual_cells(study: Study, scale: str, seeds: int, teachers: int) -> tuple[Cell, ...]:
    """Of a study's own data, which stay what they are: who asks for one study's verdicts asks for the cells of all."""
    return _cells(study, Settings(scale, seeds=seeds, teachers=teachers))


def _cells(study: Study, settings: Settings) -> tuple[Cell, ...]:
    levels = study.levels(settings.scale)
    cells = tuple(_cell(study, settings, *place) for place in product(levels, range(settings.teachers)))
    if len({cell.key for cell in cells}) < len(cells):
        raise InvalidInput(f"the levels of study {study.name!r} are all one with {', '.join(settings.fields)} set; leave that out.")
    return cells


def key_of(stages: Mapping[str, str]) -> str:
    """One key for a run, from those of its stages."""
    return hashlib.sha256(json.dumps(sorted(stages.items())).encode()).hexdigest()[:16]


def _cell(study: Study, settings: Settings, level: str, teacher: int) -> Cell:
    fields = {
        "dataset": absolute(settings.dataset) if settings.dataset else study.datasets.get(settings.scale),
        "methods": study.methods,
        "seeds": settings.seeds,
        "seed": teacher * APART,
        **SCALES[settings.scale],
        **study.fields,
        **study.more.get(settings.scale, {}),
        **study.levels(settings.scale)[level],
        **settings.fields,
    }
    recipe = Recipe.make(**fields)
    stages = stage_keys(recipe)
    return Cell(study.name, level, teacher, recipe, key_of(stages), stages)
