"""What an answer over classes that are pairs says of each figure of the pair, in a sentence made from the numbers. No streamlit here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.words.inert import inert
from ked.data.class_pairs import ClassPairs
from ked.shares import in_percent

SURE = 0.8
"""A figure of the pair is known where one of its names has at least this probability, whatever the other figure is."""


def marginals(p: np.ndarray, pairs: ClassPairs) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities of the first figure (R,) and of the second one (K,), from those of all pairs (R * K,)."""
    cells = np.asarray(p, dtype=float).reshape(len(pairs.first), len(pairs.second))
    return cells.sum(1), cells.sum(0)


def knows(p: np.ndarray, pairs: ClassPairs) -> tuple[bool, bool]:
    """Whether an answer knows the first figure, and the second one."""
    first, second = marginals(p, pairs)
    return bool(first.max() >= SURE), bool(second.max() >= SURE)


def says(who: str, p: np.ndarray, pairs: ClassPairs) -> str:
    """What an answer makes of both figures: "**Team 1** reads the first as **2** (98 %) and leaves the second open."."""
    first, second = marginals(p, pairs)
    left, right = (
        f"**{inert(names[int(share.argmax())])}** ({in_percent(share.max())})" for names, share in zip(pairs, (first, second), strict=True)
    )
    texts = {
        (True, True): f"reads the first as {left} and the second as {right}.",
        (True, False): f"reads the first as {left} and leaves the second open.",
        (False, True): f"reads the second as {right} and leaves the first open.",
        (False, False): "reads neither of the two.",
    }
    return f"**{who}** {texts[knows(p, pairs)]}"


def together(p: np.ndarray, classes: Sequence[str], members: Sequence[bool], truth: int | None) -> str:
    """What the net answers with the teams that are on, and whether that is right."""
    if not any(members):
        return "With every team off the net knows nothing of the picture: what is left is its average answer."
    answer = int(np.argmax(p))
    off = [f"team {m + 1}" for m, on in enumerate(members) if not on]
    lead = f"Without {' and '.join(off)} the net" if off else "Together they"
    said = f"{lead} say{'s' * bool(off)} **{inert(classes[answer])}** ({in_percent(p[answer])})"
    if truth is None:
        return f"{said}."
    return f"{said}, and that is right." if answer == truth else f"{said}, but it is {inert(classes[truth])}."
