"""What a command of the command line leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple


class Answer(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, object]:
        """The last line of stdout."""
        return json.loads(self.out.splitlines()[-1])


Ked = Callable[..., Answer]
