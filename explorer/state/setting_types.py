"""The kinds of settings: each turns its value into the text of a URL and back, and refuses what it cannot take with a sentence."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ked.errors import InvalidInput, shortened


@dataclass(frozen=True)
class Setting:
    """One value that a visitor can change.

    Attributes:
        name: Key in the app's state; for settings of a recipe the recipe's own field name.
        key: Query parameter in the address.
        label: What the control is called.
        help: One sentence for the tooltip.
        default: Value when nothing is said.
    """

    name: str
    key: str
    label: str
    help: str
    default: Any

    def parse(self, text: str) -> Any:
        """The value that a URL text stands for."""
        raise NotImplementedError

    def format(self, value: Any) -> str:
        """The URL text of a value."""
        return str(value)

    def refuse(self, text: str, allowed: str) -> InvalidInput:
        """The error for a text that cannot be taken."""
        return InvalidInput(f"{self.key}={shortened(text[:40])} was ignored: {self.label} takes {allowed}.")


@dataclass(frozen=True)
class Choice(Setting):
    """One of several names; `options` maps each name to what is shown."""

    options: Mapping[str, str]

    def parse(self, text: str) -> str:
        """The name, if it is an option."""
        if text not in self.options:
            raise self.refuse(text, f"one of {', '.join(filter(None, self.options))}")
        return text


@dataclass(frozen=True)
class Several(Setting):
    """Some of several names, in the order of `options`."""

    options: Mapping[str, str]

    def parse(self, text: str) -> tuple[str, ...]:
        """The names, each once; at least one."""
        names = text.split(",")
        if not names or any(name not in self.options for name in names):
            raise self.refuse(text, f"any of {', '.join(self.options)}")
        return tuple(name for name in self.options if name in names)

    def format(self, value: Any) -> str:
        """The names joined by commas."""
        return ",".join(value)


@dataclass(frozen=True)
class Number(Setting):
    """A number from low to high; `step` whole means whole numbers."""

    low: float
    high: float
    step: float

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are allowed."""
        return isinstance(self.step, int)

    def parse(self, text: str) -> float | int:
        """The number, if it is finite and in range."""
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            value = math.nan
        if not self.low <= value <= self.high:
            raise self.refuse(text, f"a {'whole number' if self.whole else 'number'} from {self.low:g} to {self.high:g}")
        return value

    def format(self, value: Any) -> str:
        """The number as short as it goes."""
        return f"{value:.10g}"


@dataclass(frozen=True)
class Text(Setting):
    """A text of a given pattern; `example` says what it looks like."""

    pattern: re.Pattern[str]
    example: str

    def parse(self, text: str) -> str:
        """The text, if it has the pattern."""
        if not self.pattern.fullmatch(text):
            raise self.refuse(text, self.example)
        return text
