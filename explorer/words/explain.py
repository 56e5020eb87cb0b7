"""What the numbers on the explain page say, in plain sentences made from them; and texts of visitors. No streamlit here."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ked.recipe import Recipe


def plain(text: str) -> str:
    """A text that somebody typed, so that markdown shows it letter by letter and makes nothing of it."""
    escaped: str = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)
    return escaped


def sentence(text: str) -> str:
    """A message as a sentence of its own: it begins with a capital letter."""
    return f"{text[:1].upper()}{text[1:]}"


def in_force(recipe: Recipe) -> str:
    """The settings of a run's losses, in a line."""
    return (
        f"T {recipe.temperature:g} · τ {recipe.tau:g} · λ {recipe.lam:g} · μ {recipe.mu:g} · "
        f"learning rate {recipe.lr:g} · M {recipe.superfeatures} · seeds {recipe.seeds}"
    )


def channels(group: Sequence[int]) -> str:
    """Neighbouring channels in a few words, counted from 1."""
    return f"channels {min(group) + 1}–{max(group) + 1}" if len(group) > 1 else f"channel {group[0] + 1}"


def independence(inside: float, chance: float, M: int) -> str:
    """Whether M groups are independent: the share of link strength inside them, and the share that chance would put there."""
    if M == 1:
        return "There is one group only, so there is nothing for it to be independent of."
    if np.isnan(inside):
        return "There are no links at all: these channels do not act together on any prediction."
    gained = (inside - chance) / (1 - chance)  # 0 is chance, 1 is independence
    verdict, more = next(texts for least, *texts in _INDEPENDENCE if gained >= least)
    return (
        f"Are the {M} groups independent? **{verdict}** {inside:.1%} of all link strength lies inside them: {more} than the "
        f"{chance:.1%} that chance would put there, were it spread evenly over all pairs, and independent groups would hold 100%."
    )


_INDEPENDENCE = (
    (0.9, "Nearly.", "far more"),
    (0.5, "More than not.", "much more"),
    (0.2, "Not quite.", "more"),
    (0.01, "No.", "a little more"),
    (-np.inf, "No.", "no more"),
)


def verdict(net: str, log_p: np.ndarray, truth: int | None, classes: tuple[str, ...]) -> str:
    """What a net answers, how sure it is, and whether that is right, where that is known; log_p (C,)."""
    answer = int(log_p.argmax())
    said = f"The {net} says **{classes[answer]}** ({np.exp(log_p[answer]):.0%})"
    if truth is None:
        return f"{said}."
    return f"{said}, which is right." if answer == truth else f"{said}, but it is {classes[truth]}."


def reasons(evidence: np.ndarray, question: str) -> str:
    """Which superfeature speaks most for a class, or for one rather than another, and which most against; evidence (M,)."""
    most, least = int(evidence.argmax()), int(evidence.argmin())
    if evidence[most] <= 0:
        return f"No superfeature speaks for {question}."
    text = f"Superfeature {most + 1} speaks most for {question} ({evidence[most]:+.2f})"
    if evidence[least] >= 0:
        return f"{text}; none speaks against it."
    return f"{text}, superfeature {least + 1} against it ({evidence[least]:+.2f})."


def comparison(teacher: np.ndarray, student: np.ndarray) -> str:
    """Whether two nets rank the superfeatures alike; evidence (M,) of each."""
    if len(teacher) != len(student):
        own = f"The student has {len(student)} superfeatures of its own and its teacher {len(teacher)}"
        return f"{own}: they are not compared one by one, and the switches are the teacher's."
    same_order = (teacher.argsort() == student.argsort()).all()
    signs = int((np.sign(teacher) == np.sign(student)).sum())
    ranks = "the same order of importance" if same_order else "another order of importance"
    return f"Teacher and student agree on the sign of {signs} of {len(teacher)} superfeatures and give them {ranks}."


def lit(m: int, evidence: Sequence[np.ndarray], question: str) -> str:
    """What the superfeature that is lit up says for a class; evidence (M,) of the teacher and, if it speaks, of the student."""
    nets = zip(("explaining teacher", "student"), evidence, strict=False)
    said = [f"{values[m]:+.2f} by the {net}" for net, values in nets if m < len(values)]
    return f"Lit up is superfeature {m + 1}, for {question} {' and '.join(said)}."
