"""Changes of settings in the middle of a training, as part of a recipe: the same changes give the same numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ked.errors import quoted, shortened
from ked.settings import Settings

ADJUSTABLE = ("temperature", "tau", "lr", "lam", "mu", "rho")
"""The settings of a recipe that may change while a net trains; what is allowed is what `ked.settings` says."""


class Change(BaseModel):
    """From one batch on, a setting has another value: in that stage, and in no other.

    Attributes:
        stage: As in the run's events, "student-ked".
        epoch, step: The first batch with the new value, both counted from 1.
        setting: One of `ADJUSTABLE`.
        value: Of the setting.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str = Field(min_length=1)
    epoch: int = Field(ge=1)
    step: int = Field(ge=1)
    setting: str
    value: float

    @model_validator(mode="after")
    def _allowed(self) -> Self:
        check(**{self.setting: self.value})
        return self

    @property
    def place(self) -> tuple[int, int]:
        """(epoch, step)."""
        return self.epoch, self.step


def check(**settings: float) -> None:
    """ValueError, with a sentence, for a setting that cannot change while a net trains or a value that it cannot have."""
    for name, value in settings.items():
        if name not in ADJUSTABLE:
            raise ValueError(f"{quoted(name)} cannot be changed while a net trains; only {', '.join(ADJUSTABLE)} can")
        try:
            Settings.model_validate({name: value})
        except ValidationError as error:
            message = error.errors(include_url=False)[0]["msg"]
            raise ValueError(f"{name} = {shortened(repr(value))} is not allowed: {message[:1].lower()}{message[1:]}") from None


def ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes by stage and batch, one a setting and batch: of several the last."""
    last = {(change.stage, change.place, change.setting): change for change in changes}
    return tuple(last[key] for key in sorted(last))
