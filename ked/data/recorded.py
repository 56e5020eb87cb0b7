"""Names of recorded runs' samples, such as recorded:my-nets-1a2b3c4d, and where those lie; `ked.data.recorded_samples` reads them."""

from __future__ import annotations

import re
from pathlib import Path

from ked.errors import InvalidInput, quoted
from ked.files.home import home

PREFIX = "recorded:"
FILE = "samples.safetensors"
_NAME = re.compile(rf"{PREFIX}[a-z0-9][a-z0-9-]{{2,79}}")


def place(name: str) -> Path:
    """The file in which the samples of this name lie, if they are there."""
    check(name)
    return home() / "runs" / name.removeprefix(PREFIX) / FILE


def is_recorded(name: str) -> bool:
    """Whether a name stands for the samples of a recorded run."""
    return name.startswith(PREFIX)


def check(name: str) -> None:
    """InvalidInput if this cannot be such a name; reads nothing."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{quoted(name)} is no name of recorded samples: such names look like recorded:my-nets-1a2b3c4d.")
