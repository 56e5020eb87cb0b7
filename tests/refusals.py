"""How a user's own file that cannot be used is refused: in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from ked import data
from ked.errors import InvalidInput


def refused(path: Path | str, named: str, label: str | None = None) -> None:
    """Loading this file must raise InvalidInput with a single sentence that matches `named`."""
    with pytest.raises(InvalidInput, match=named) as refusal:
        data.load(str(path), label)
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).endswith(".")
