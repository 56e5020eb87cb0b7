"""The lesson's five steps: what is said, asked and answered; every number in an answer is one on screen. No streamlit here."""

from __future__ import annotations

from typing import NamedTuple

from explorer.words.results import percent, points
from ked.shares import in_percent
from ked.statistics import Difference, Interval


class Step(NamedTuple):
    """One step.

    Attributes:
        title: A few words.
        sentence: What is to be understood, in one sentence.
        question: What the visitor guesses before they see.
        options: What may be guessed.
        task: What is to be done then.
    """

    title: str
    sentence: str
    question: str
    options: tuple[str, ...]
    task: str


STEPS = (
    Step(
        "Two teams",
        "This net reads two digits at once. Its pixels work in two teams, and each can be switched off.",
        "With team 2 switched off, what will the net still know?",
        ("Nothing at all", "The first digit", "The second digit"),
        "Switch team 2 off.",
    ),
    Step(
        "Nobody told it",
        "Two pixels are linked if they change the net's answer *together*: what one does depends on the other.",
        "Where do the links of one pixel end?",
        ("Anywhere", "Mostly in its own digit", "Mostly in the other digit"),
        "Choose a pixel: touch it in the picture, or name it below.",
    ),
    Step(
        "Reasons add up",
        "Each team speaks for itself, and what the teams say is added up.",
        "One team lights a row of answers, the other a column. What is left when they speak together?",
        ("A row and a column", "One cell", "Nothing"),
        "Let team 1 speak, then team 2, then both.",
    ),
    Step(
        "A student learns the reasons",
        "Two small students learn from the big net: *KD* copies its answers, *KED* also copies what each team says.",
        "Which of the two is right more often?",
        ("KD, which learns answers alone", "KED, which learns reasons too", "Both alike"),
        "Move the slider to the end of the training.",
    ),
    Step(
        "Does it always help?",
        "Digits side by side are made for teams. Pictures of clothes are not: nobody knows their true teams.",
        "On clothes (Fashion-MNIST), does learning from explanations make a student better?",
        ("Better", "Worse", "No difference can be shown"),
        "Look at what the study found.",
    ),
)
"""In their order; `?lesson=3` is the third one."""

SHARE = 0.5  # of a pixel's link strength, from which on it is mostly in one half


def links_answer(share: float) -> tuple[int, str]:
    """The right option of step 2, and its sentence, from the share of a pixel's link strength in its own half."""
    right = 1 if share >= SHARE else 2
    return right, (
        f"**{in_percent(share)}** of this pixel's link strength stays in its own digit. Nobody told the net where one digit ends: "
        "groups of pixels with strong links inside are what we call **superfeatures**."
    )


def students_answer(ked: Interval, kd: Interval, difference: Difference, form: Interval, seeds: int) -> tuple[int, str]:
    """The right option of step 4 and its sentence, from test accuracies and their paired difference over the seeds, which is one of the
    comparisons that the run allows (`ked.agreements.contrasts.accuracy_gains`)."""
    right = {1: 1, -1: 0, 0: 2}[difference.shown]
    verdict = "more than chance explains" if difference.shown else "which chance may explain"
    gain = points(Interval(*difference[:3]))
    return right, (
        f"On the test pairs KED reaches **{percent(ked, 1)}**, KD **{percent(kd, 1)}**: a difference of {gain} "
        f"percentage points, {verdict}. (95 % intervals over {seeds} students of one teacher.) But note: a student with the same "
        f"*architecture* that learns from labels alone, with no teacher, reaches {percent(form, 1)}. "
        "Architecture and reasons must be told apart."
    )


def study_answer(findings: list[str], difference: Interval, shown: bool) -> tuple[int, str]:
    """The right option of step 5 and its sentence, from a study's comparison of KED with KED without explanations."""
    right = (0 if difference.mean > 0 else 1) if shown else 2
    return right, "\n\n".join(findings)


OURS = (
    "A superfeature is a team of input features that change a net's answer together; a net that explains itself gives each team's "
    "reasons, and a student can learn them."
)
"""Our sentence, beside the visitor's."""


def guessed(step: Step, guess: int | None, right: int) -> str:
    """How the guess stands to the answer."""
    if guess is None:
        return f"The answer: **{step.options[right]}.**"
    if guess == right:
        return f"Your guess was right: **{step.options[right]}.**"
    return f"Your guess was *{step.options[guess]}*; the answer is **{step.options[right]}.**"
