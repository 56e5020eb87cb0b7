"""What the events of a run look like, kind by kind, and whether a file of them from elsewhere holds nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Set
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from ked.data.limits import FEATURES
from ked.errors import InvalidInput
from ked.recipe import Recipe
from ked.runs.stage_keys import stage_names

LINES = 250_000  # more than the longest trainings tell
STATES = 2000  # of superfeatures as they form, whose links take more memory than all else
_LINE_BYTES = 1 << 20
_AGAIN = "export the run again."

Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[int, Field(ge=0, lt=1 << 40)]
Word = Annotated[str, Field(max_length=100)]
Text = Annotated[str, Field(max_length=2000)]
Weights = Annotated[dict[Word, FiniteFloat], Field(max_length=20)]
Losses = Annotated[dict[Word, Annotated[list[float], Field(max_length=100)]], Field(max_length=20)]
OfSeeds = Annotated[list[Share], Field(max_length=100)]
Sizes = Annotated[list[Number], Field(max_length=FEATURES)]
Links = Annotated[list[Annotated[list[float], Field(min_length=3, max_length=3)]], Field(max_length=1000)]


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str
    time: float = 0.0


class _OfStage(_Event):
    stage: str


class _Stage(_OfStage):
    cached: bool


class _Training(_OfStage):
    epochs: Number
    weights: Weights
    parameters: Number = 0
    hidden: Sizes = []


class _Step(_OfStage):
    epochs: Number
    epoch: Number
    step: Number
    steps: Number
    loss: Losses
    weights: Weights
    explanations: Annotated[list[float], Field(max_length=100)] = []


class _Epoch(_OfStage):
    epoch: Number
    epochs: Number = 0
    loss: Losses
    validation: OfSeeds


class _Forming(_OfStage):
    epoch: Number
    labels: Sizes
    modularity: float
    sizes: Sizes
    edges: Links


class _Dependency(_Event):
    samples: Number


class _Superfeatures(_Event):
    sizes: Sizes
    modularity: float
    adjusted: Text


class _Matching(_OfStage):
    note: Text


class _Progress(_OfStage):
    share: Share


class _Steering(_OfStage):
    """Somebody paused, went on, or changed a setting."""

    epoch: Number
    step: Number
    changes: Weights = {}
    weights: Weights = {}
    reason: Text = ""


class _Result(_Event):
    accuracy: dict[Word, Share | OfSeeds]
    parameters: dict[Word, Number]
    superfeature_sizes: Sizes
    modularity: float = 0.0
    adjusted: Text = ""
    matching: Text = ""
    recovery: float = 0.0
    bayes_rule: Share = 0.0
    validation: dict[Word, OfSeeds] = {}
    majority: Share = 0.0


class _End(_Event):
    status: Literal["done", "failed", "cancelled"]
    message: Text


FORMS: dict[str, type[_Event]] = {
    "stage": _Stage, "training": _Training, "step": _Step, "epoch": _Epoch, "forming": _Forming, "dependency": _Dependency,
    "superfeatures": _Superfeatures, "matching": _Matching, "progress": _Progress, "adjusted": _Steering, "refused": _Steering,
    "paused": _Steering, "resumed": _Steering, "result": _Result, "end": _End,
}  # fmt: skip
"""Every kind of event that is kept, and what belongs to it."""


def check_events(path: Path, recipe: Recipe) -> None:
    """InvalidInput unless a file of events tells of a run of this recipe; it is read line by line and may be missing.

    Half a line and a line that is no JSON are passed over, as they are wherever events are read.
    """
    if not path.is_file():
        return
    kinds, stages = Counter[str](), frozenset(stage_names(recipe))
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LINE_BYTES + 1), b""), start=1):
            if number > LINES or len(line) > _LINE_BYTES:
                most = f"{LINES} lines or one of more than {_LINE_BYTES >> 20} MB"
                raise InvalidInput(f"events.jsonl in the archive has more than {most}; no run tells as much.")
            if line.endswith(b"\n"):
                kinds[_checked(line, recipe, stages)] += 1
            if kinds["forming"] > STATES:
                raise InvalidInput(f"events.jsonl in the archive holds more than {STATES} states of superfeatures; {_AGAIN}")


def _checked(line: bytes, recipe: Recipe, stages: Set[str]) -> str:
    """The kind of the event in a line that is as it should be; "" where there is none."""
    try:
        event = json.loads(line)
    except RecursionError as error:
        raise _strange() from error
    except ValueError:
        return ""
    try:
        _check(event, recipe, stages)
    except (ValueError, TypeError, KeyError, ValidationError) as error:
        raise _strange() from error
    return str(event["kind"])


def _check(event: dict[str, Any], recipe: Recipe, stages: Set[str]) -> None:
    told = FORMS[event["kind"]].model_validate(event)
    if isinstance(told, _OfStage) and told.stage not in stages and (event["kind"], told.stage) != ("progress", "data"):
        raise ValueError(told.stage)
    if isinstance(told, _Epoch) and {len(told.validation), *map(len, told.loss.values())} != {replicas(told.stage, recipe)}:
        raise ValueError("values of other seeds")


def replicas(stage: str, recipe: Recipe) -> int:
    """How many nets a stage trains at once."""
    return recipe.seeds if stage.startswith("student-") else 1


def _strange() -> InvalidInput:
    return InvalidInput(f"events.jsonl in the archive does not tell of its run; {_AGAIN}")
