"""What stands in run.json: which entries, of which types. Entries that are not named here may be there, and nothing is decided by them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

Accuracy = Annotated[float, Field(ge=0, le=1)]
Moment = Annotated[float, Field(ge=0, lt=4e9)]  # seconds since 1970


class Form(BaseModel):
    """Entries of the types that they are named with; others are let be."""

    model_config = ConfigDict(extra="allow", strict=True)


class Summary(Form):
    """What came out of a run.

    Attributes:
        accuracy: Net -> test accuracy; of students one a seed.
        parameters: Net -> how many one replica has.
        superfeature_sizes: Features of each superfeature; none where the run has no superfeatures.
    """

    accuracy: dict[str, Accuracy | list[Accuracy]] = {}
    parameters: dict[str, int] = {}
    superfeature_sizes: list[int] = []


class TableRead(Form):
    """How a user's own table was taken in (`ked.data.columns.Intake`).

    Attributes:
        plain: Whether there is nothing to say about it.
        said: What was done with its columns.
        remarks: All else.
    """

    plain: bool
    said: str
    remarks: list[str]


class RunForm(Form):
    """The entries of run.json that the code reads."""

    status: Literal["queued", "running", "done", "failed", "cancelled"]
    recipe: dict[str, Any]
    created: Moment = 0.0
    queued: Moment = 0.0
    started: Moment = 0.0
    ended: Moment = 0.0
    message: str = ""
    name: str = ""
    tags: list[str] = []
    visitor: str = ""
    cell: str = ""
    versions: dict[str, str] = {}
    commit: str = ""
    device: str = ""
    threads: int = Field(1, ge=1, le=1024)
    seeds: list[int] = []
    stages: dict[str, str] = {}
    seconds: dict[str, FiniteFloat] = {}
    stage: str = ""
    epoch: int = Field(0, ge=0)
    diverged: bool = False
    summary: Summary = Summary()
    data: TableRead | None = None
    undertrained: list[str] = []


def flaw(info: Any) -> str:
    """Which entry of run.json is missing or not as it should be; "" where all are."""
    try:
        RunForm.model_validate(info)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_url=False, include_input=False)[0]["loc"])
        return place[:60] if place.isprintable() and place else "what it holds"
    return ""
