"""What `.plot()` asks: the app's figures, where they are installed. The method itself draws nothing and can be had without them."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ked.errors import Unavailable

_DRAWS = "explorer.notebook"  # by its name, as ked stands below it


def figure(name: str, *about: Any, **options: Any) -> Any:
    """A plotly figure of something; `Unavailable` where nothing is installed that draws it."""
    if not (find_spec("plotly") and find_spec(_DRAWS.partition(".")[0])):
        raise Unavailable("a figure needs packages that are not installed; get them with pip install 'ked-explorer[app]'.")
    return getattr(import_module(_DRAWS), name)(*about, **options)
