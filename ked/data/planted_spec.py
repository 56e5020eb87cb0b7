"""Planted data made to order: a name that says how they are made, so that any of them is one `--dataset` away.

    planted:features=40,groups=5,classes=3,correlation=0.8,across=yes,noise=0.1,samples=4000

Every part may be left out, in any order; what is left out is as in the data set `planted`. A name has one usual form (the order
above, without what is as usual, numbers without needless digits), by which results are stored: equal data have equal names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ked.errors import InvalidInput, quoted

USUAL = "planted"  # the data set of which everything is as usual
PREFIX = f"{USUAL}:"
VALUES = 20_000_000  # samples times features, groups or classes: a gigabyte while they are drawn
_SAID = 60  # characters of a name that a refusal repeats


@dataclass(frozen=True)
class Defaults:
    """What planted data are like where nothing else is said; the arguments of `ked.data.planted.make`, which says what they mean."""

    D: int = 20
    M: int = 4
    C: int = 4
    correlation: float = 0.0
    across: bool = False
    noise: float = 0.0
    strength: float = 1.5
    n: int = 8000
    seed: int = 0


DEFAULTS: dict[str, Any] = asdict(Defaults())


@dataclass(frozen=True)
class Part:
    """One part of a name.

    Attributes:
        argument: Of `planted.make`.
        pattern: What may stand after the equals sign.
        words: The same for people.
        read, write: From that text to the argument's value, and to the text's usual form.
    """

    argument: str
    pattern: str
    words: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]


def _whole(argument: str) -> Part:
    return Part(argument, r"[0-9]{1,9}", "a whole number", int, str)


def _decimal(argument: str) -> Part:
    return Part(
        argument, r"[0-9]{1,3}(\.[0-9]{1,6})?", "a number such as 0.25 with at most six decimals", float, _without_zeros
    )


def _without_zeros(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


PARTS: dict[str, Part] = {
    "features": _whole("D"),
    "groups": _whole("M"),
    "classes": _whole("C"),
    "correlation": _decimal("correlation"),
    "across": Part("across", "yes|no", "yes or no", lambda text: text == "yes", lambda value: "yes" if value else "no"),
    "noise": _decimal("noise"),
    "strength": _decimal("strength"),
    "samples": _whole("n"),
    "seed": _whole("seed"),
}
_NAMES = {part.argument: name for name, part in PARTS.items()}


def settings(name: str) -> dict[str, Any]:
    """The arguments of `planted.make` that a name stands for, all of them; InvalidInput for the first wrong part. Makes nothing."""
    given: dict[str, Any] = {}
    for text in filter(None, name.removeprefix(USUAL).removeprefix(":").split(",")):
        word, _, value = text.strip().partition("=")
        if word not in PARTS:
            raise _refuse(text, f"is no part of made data; use {', '.join(PARTS)}, each with = and a value, with commas between them")
        part = PARTS[word]
        if part.argument in given:
            raise _refuse(text, f"says {word} a second time; once is allowed")
        if not re.fullmatch(part.pattern, value):
            raise _refuse(text, f"is not allowed: {word} takes {part.words}")
        given[part.argument] = part.read(value)
    return _sensible(DEFAULTS | given)


def usual(name: str) -> str:
    """The usual form of a name, equal for equal data; `planted` where everything is as usual."""
    found = settings(name)
    told = {word: part for word, part in PARTS.items() if found[part.argument] != DEFAULTS[part.argument]}
    parts = ",".join(f"{word}={part.write(found[part.argument])}" for word, part in told.items())
    return PREFIX + parts if parts else USUAL


def refused(
    D: int, M: int, C: int, correlation: float, noise: float, strength: float, n: int, seed: int, across: bool
) -> Iterator[tuple[str, str]]:
    """Each argument of `planted.make` that has a wrong value, with what is allowed."""
    rules = {
        "D": (1 <= D <= 12_288, "1 to 12288 features"),
        "M": (1 <= M <= D, f"1 to D = {D} groups"),
        "C": (2 <= C <= 1000, "2 to 1000 classes"),
        "correlation": (0 <= correlation < 1, "0 to below 1"),
        "noise": (0 <= noise <= 1, "0 to 1"),
        "strength": (0 < strength <= 100, "above 0 to 100"),
        "n": (10 * C <= n <= 10_000_000, f"10 C = {10 * C} to 10 million samples"),
        "seed": (0 <= seed < 2**31, "0 to 2147483647"),
    }
    return ((name, words) for name, (allowed, words) in rules.items() if not allowed)


def _sensible(found: dict[str, Any]) -> dict[str, Any]:
    for argument, words in refused(**found):
        word = _NAMES[argument]
        raise _refuse(f"{word}={PARTS[word].write(found[argument])}", f"is not allowed: it takes {words}")
    values = found["n"] * max(found["D"], found["M"], found["C"])
    if values > VALUES:
        raise _refuse(f"samples={found['n']}", f"is too many: samples times features or classes may be {VALUES}, not {values}")
    return found


def _refuse(text: str, problem: str) -> InvalidInput:
    return InvalidInput(f"In the name of planted data {quoted(text.strip()[:_SAID])} {problem}.")
