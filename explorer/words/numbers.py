"""Numbers and lists as every figure and sentence writes them, so that a reader finds in the one what the other says."""

from __future__ import annotations

from collections.abc import Sequence


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign and a real minus: +1.23, −0.40, 0.00."""
    text = f"{value:+.{digits}f}"
    return text.replace("-", "−") if float(text) else text[1:]


def plus_minus(half: float, digits: int) -> str:
    """Half the width of an interval behind its mean, " ± 0.12"; nothing where there is no interval, or one without a width."""
    return f" ± {half:.{digits}f}" if half > 0 else ""


def listed(names: Sequence[str]) -> str:
    """1, 2 and 3."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
