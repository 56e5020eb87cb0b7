"""What is said about a chimera by hand, in sentences made from its numbers. No streamlit here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.words.inert import inert
from explorer.words.numbers import listed, signed
from ked.shares import in_percent
from ked.what_if import BLUR, MEAN, SELF, Donor

PLACES = {SELF: "the sample itself", MEAN: "the training mean", BLUR: "the sample, blurred"}


def parse(text: str) -> tuple[Donor, ...]:
    """The donors that an address names."""
    return tuple(int(part) if part.isdigit() else part for part in text.split(","))


def short(donor: Donor) -> str:
    """A donor beside a superfeature's number."""
    return {SELF: "", MEAN: "mean", BLUR: "blur"}[donor] if isinstance(donor, str) else f"{donor}"


def composed(donors: Sequence[Donor], replaced: Sequence[bool], sample: int, titles: Sequence[str]) -> str:
    """Where the chimera's parts come from; titles: the class name of each donor's sample, "" where it is none."""
    parts = [
        f"superfeature {m + 1} from {PLACES[donor] if isinstance(donor, str) else f'test sample {donor} ({titles[m]})'}"
        for m, (donor, new) in enumerate(zip(donors, replaced, strict=True))
        if new
    ]
    if not parts:
        return f"Nothing is replaced yet: both are test sample {sample}. Give a superfeature another donor, or press *Surprise me*."
    rest = "" if all(replaced) else f"; all else is test sample {sample}"
    return f"The chimera takes {listed(parts)}{rest}."


def movement(net: str, before: np.ndarray, after: np.ndarray, classes: Sequence[str]) -> str:
    """How a net's answer changes; log-probabilities (C,)."""
    first, then = int(before.argmax()), int(after.argmax())
    was, now = np.exp(before[first]), np.exp(after[then])
    if first == then:
        return f"The {net} stays with **{inert(classes[first])}** ({in_percent(was)}, now {in_percent(now)})."
    return f"The {net} goes from **{inert(classes[first])}** ({in_percent(was)}) to **{inert(classes[then])}** ({in_percent(now)})."


def cause(before: np.ndarray, after: np.ndarray, replaced: Sequence[bool], label: str) -> str:
    """Which contribution of an explaining net changed most, and what became of the others; contributions (M,) to one class."""
    if not any(replaced):
        return ""
    moved = np.where(replaced, np.abs(after - before), -1.0)
    m, kept = int(moved.argmax()), len(replaced) - sum(replaced)
    was, now = signed(before[m]), signed(after[m])
    verb = "loses" if after[m] < before[m] else "gains"
    text = f"For the class {label}, superfeature {m + 1} {verb} most: its contribution goes from {was} to {now}"
    if was == now:
        text = f"For the class {label}, no contribution changes by as much as 0.01 nats"
    if not kept:
        return f"{text}."
    others = "The other one says" if kept == 1 else f"The other {kept} say" if sum(replaced) == 1 else f"The {kept} that were kept say"
    return f"{text}. {others} what {'it' if kept == 1 else 'they'} said before, to the last digit: each subnet sees its own features only."
