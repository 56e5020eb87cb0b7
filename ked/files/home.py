"""Where runs, caches and downloads live, and what else the environment sets."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from ked.errors import InvalidInput, quoted


def home() -> Path:
    """$KED_HOME, or a folder in the user's data directory."""
    return Path(os.environ.get("KED_HOME") or platformdirs.user_data_dir("ked-explorer", appauthor=False)).expanduser()


def whole_number(variable: str, default: int, least: int = 0) -> int:
    """A whole number that an environment variable sets.

    Raises:
        InvalidInput: It is none, or smaller than `least`.
    """
    text = os.environ.get(variable, "").strip() or str(default)
    if not text.isdecimal() or int(text) < least:
        raise InvalidInput(f"{variable} = {quoted(text)} is not a whole number of at least {least}; correct it or unset it.")
    return int(text)
