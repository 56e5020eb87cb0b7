"""What the library hands on teaches: every public name of a front door has a docstring with an example, and the examples run."""

from __future__ import annotations

import doctest
import importlib
import inspect
from typing import Any

import pytest

DOORS = ("ked", "ked.nets", "ked.nets.cnn", "ked.communities", "ked.dependency")


def public(door: str) -> list[tuple[str, Any]]:
    """The functions and classes that a package hands on."""
    package = importlib.import_module(door)
    found = ((name, getattr(package, name)) for name in package.__all__)
    return [(name, thing) for name, thing in found if inspect.isroutine(thing) or inspect.isclass(thing)]


MODULES = sorted({thing.__module__ for door in DOORS for _, thing in public(door)})


@pytest.mark.parametrize("door", DOORS)
def test_every_public_name_has_an_example(door: str) -> None:
    without = [name for name, thing in public(door) if ">>>" not in (inspect.getdoc(thing) or "")]
    assert without == []


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_say_what_comes_out(module: str) -> None:
    found = doctest.testmod(importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted > 0
    assert found.failed == 0
