"""What the numbers on the explain page say, in plain sentences made from them. No streamlit here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.words.inert import inert
from explorer.words.numbers import listed, signed
from ked.communities.yardsticks import Yardsticks
from ked.recipe import Recipe
from ked.shares import in_percent
from ked.statistics import test_set_half


def sentence(text: str) -> str:
    """A message as a sentence of its own: it begins with a capital letter."""
    return f"{text[:1].upper()}{text[1:]}"


NO_GROUPS = (
    "Modularity is at or below zero: links inside the groups are no stronger than by chance, so these are hardly groups at all."
)


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
        f"Are the {M} groups independent? **{verdict}** {in_percent(inside, 1)} of all link strength lies inside them: {more} than the "
        f"{in_percent(chance, 1)} that chance would put there by spreading it evenly over all pairs; independent groups would hold 100 %."
    )


_INDEPENDENCE = (
    (0.9, "Nearly.", "far more"),
    (0.5, "More than not.", "much more"),
    (0.2, "Not quite.", "more"),
    (0.01, "No.", "a little more"),
    (-np.inf, "No.", "no more"),
)


def verdict(
    net: str, log_p: np.ndarray, truth: int | None, classes: tuple[str, ...], members: Sequence[bool] = ()
) -> str:
    """What a net answers, how sure it is, and whether that is right, where that is known.

    Args:
        log_p: (C,) class log-probabilities.
        members: Which of its superfeatures take part, where it has any: without which of them it answers so.
    """
    answer = int(log_p.argmax())
    said = f"{_without(members)}he {net} says **{inert(classes[answer])}** ({in_percent(np.exp(log_p[answer]))})"
    if truth is None:
        return f"{said}."
    return f"{said}, which is right." if answer == truth else f"{said}, but it is {inert(classes[truth])}."


def _without(members: Sequence[bool]) -> str:
    """The beginning of a sentence on what is said by those that take part, up to the T of the."""
    off = [str(m + 1) for m, on in enumerate(members) if not on]
    if not off:
        return "T"
    if len(off) == len(members):
        return "Without any superfeature t"
    return f"Without superfeature{'s' * (len(off) > 1)} {listed(off)} t"


def reasons(evidence: np.ndarray, question: str, members: Sequence[bool] = ()) -> str:
    """Which superfeature speaks most for a class, or for one rather than another, and which most against.

    Args:
        evidence: (M,) of the superfeatures.
        question: The class, or both.
        members: Which of them take part; all by default.
    """
    on = np.flatnonzero(members) if len(members) else np.arange(len(evidence))
    if not len(on):
        return "What is left is the base, the teacher's average answer."
    most, least = (int(on[place(evidence[on])]) for place in (np.argmax, np.argmin))
    those = "" if len(on) == len(evidence) else " that takes part"
    if evidence[most] <= 0:
        return f"No superfeature{those} speaks for {question}."
    text = f"Superfeature {most + 1} speaks most for {question} ({signed(evidence[most])})"
    if evidence[least] >= 0:
        return f"{text}; none{those} speaks against it."
    return f"{text}, superfeature {least + 1} against it ({signed(evidence[least])})."


def comparison(teacher: np.ndarray, student: np.ndarray, members: Sequence[bool] = ()) -> str:
    """Whether two nets rank the superfeatures that take part alike, all by default; evidence (M,) of each."""
    if len(teacher) != len(student):
        own = f"The student has {len(student)} superfeatures of its own and its teacher {len(teacher)}"
        return f"{own}: they are not compared one by one, and the switches are the teacher's."
    on = np.flatnonzero(members) if len(members) else np.arange(len(teacher))
    if not len(on):
        return ""
    signs = int((np.sign(teacher[on]) == np.sign(student[on])).sum())
    those = "" if len(on) == len(teacher) else " that take part"
    agree = f"Teacher and student agree on the sign of {signs} of {len(on)} superfeature{'s' * (len(on) > 1)}{those}"
    if len(on) == 1:
        return f"{agree}."
    same_order = (teacher[on].argsort() == student[on].argsort()).all()
    return f"{agree} and give them {'the same' if same_order else 'a different'} order of importance."


def lit(m: int, evidence: Sequence[np.ndarray], question: str, members: Sequence[bool] = ()) -> str:
    """What the superfeature that is lit up says for a class; evidence (M,) of the teacher and, if it has the same ones, of the student."""
    if len(members) and not members[m]:
        return f"Superfeature {m + 1} is highlighted, and switched off."
    nets = zip(("explaining teacher", "student"), evidence, strict=False)
    said = [f"{signed(values[m])} by the {net}" for net, values in nets]
    return f"Superfeature {m + 1} is highlighted: for {question} {' and '.join(said)}."


def structure(modularity: float, found: Yardsticks, recovery: float | None = None) -> str:
    """What modularity says of groups, beside what a search finds where there is nothing, and how far they are the true ones, if known."""
    above = modularity > found.shuffled_links
    text = (
        f"A search finds a modularity of {found.shuffled_links:.3f} even where the same links are shuffled: "
        + (f"of the {modularity:.3f} here, only what lies above that speaks of structure" if above else "what is here is no more than that")
    )
    if recovery is not None:
        text += f". The true groups are known, and these match them with an adjusted Rand index of {recovery:.2f} (1: the same; 0: chance)"
    return f"{text}.".replace("-", "−")


def over_the_test_set(teacher: np.ndarray, student: np.ndarray, truth: np.ndarray) -> str:
    """How often a student errs, and differs from its teacher, over all samples; answers and true classes (N,)."""
    N = len(truth)
    wrong, apart = int((student != truth).sum()), int((student != teacher).sum())
    return (
        f"One sample shows how a net explains, not how often it is right: of {N} test samples this student answers {wrong} wrongly "
        f"({in_percent(wrong / N, 1)} ± {100 * test_set_half(wrong / N, N):.1f} points over other test sets of this size), and {apart} "
        "otherwise than its teacher."
    )


def for_nothing(found: Yardsticks) -> str:
    """What modularity would be without structure, in brackets."""
    return f"(random groups {found.random_groups:.3f}, shuffled links {found.shuffled_links:.3f})".replace("-", "−")
