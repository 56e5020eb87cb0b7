"""When do explanations help: the same comparisons over data sets, from those whose superfeatures are known to those where nobody knows any.

Everything is read off reports of studies; no number stands here. No streamlit here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from explorer.words.numbers import listed, signed
from explorer.words.studies import command_line, difference
from ked.studies.outcome import Contrast
from ked.studies.report import Report

QUESTIONS: dict[tuple[str, str], str] = {
    ("ked", "kd"): "KED − KD",
    ("architecture", "plain"): "architecture only − plain",
    ("mu0", "architecture"): "with the explaining teacher's predictions − on labels",
    ("ked", "mu0"): "with explanations − without",
    ("ked", "shuffled"): "explanations − another sample's explanations",
    ("ked", "ked"): "KED with other groups − with the groups that are found",
}
"""Which nets are compared, and what that asks."""

PLACES: tuple[tuple[str, str, str, str], ...] = (
    ("planted groups", "correlation", "small", "correlation 0 within"),
    ("pairs of digits", "architecture", "pairs", "M = 2"),
    ("true halves, pairs", "grouping", "pairs", "grid"),
    ("random groups, pairs", "grouping", "pairs", "random"),
    ("digits", "architecture", "small", "M = 4"),
    ("random groups, digits", "grouping", "small", "random"),
    ("Fashion-MNIST", "architecture", "paper", "M = 4"),
    ("MNIST", "architecture", "mnist", "M = 4"),
    ("MNIST and Fashion-MNIST side by side", "architecture", "side-by-side", "M = 2"),
)
"""What a data set is called, and the study, scale and level that have its cells."""

_FOUND = 0.5  # adjusted Rand index from which on true groups count as found
_SAID = {1: "above zero on", -1: "below zero on", 0: "not shown on"}


@dataclass(frozen=True)
class Point:
    """One comparison on one data set.

    Attributes:
        question: What is asked.
        place: On which data.
        contrast: What came out.
        teachers: Of how many teachers it speaks.
        recovery: Adjusted Rand index of the superfeatures and the true groups; None where nobody knows any.
        modularity: Of the superfeatures.
        command: What repeats it.
    """

    question: str
    place: str
    contrast: Contrast
    teachers: int
    recovery: float | None
    modularity: float
    command: str

    @property
    def about(self) -> str:
        """The data, and on what that rests."""
        truth = "true groups unknown" if self.recovery is None else f"true groups found {self.recovery:.2f}"
        clear = signed(self.modularity).lstrip("+")
        return f"{self.place} ({self.teachers} teacher{'s' * (self.teachers > 1)}; {truth}; modularity {clear})"


def points(report: Callable[[str, str], Report]) -> list[Point]:
    """What is known, question by question; `report` gives that of a study and a scale."""
    found = []
    for asked, question in QUESTIONS.items():
        for place, study, scale, level in PLACES:
            about = report(study, scale)
            for one in about.contrasts:
                against = "hessian" if asked == ("ked", "ked") else level
                sides = (level, asked[0]), (against, asked[1])
                if one.comparison.measure == "accuracy" and (one.ours, one.theirs) == sides:
                    groups = about.table[about.table["level"] == level]["modularity"].mean()
                    truth, again = about.recovery.get(level), command_line(about)
                    found.append(Point(question, place, one, about.settings.teachers, truth, float(groups), again))
    return found


def paragraph(found: Sequence[Point]) -> str:
    """What the points show and what they do not, question by question (Markdown), then what that means and what would speak against it."""
    told_of = []
    for question in QUESTIONS.values():
        here = [one for one in found if one.question == question]
        told = [_listed(here, sign) for sign in (1, -1, 0)]
        if here:
            told_of.append(f"- *{question[:1].upper()}{question[1:]}*: {'; '.join(filter(None, told))}.")
    commands = dict.fromkeys(f"`{one.command}`" for one in found)
    return "\n".join([*told_of, "", conclusion(found), "", f"Repeat it: {', '.join(commands)}."])


def helped(found: Sequence[Point]) -> list[str]:
    """Whether explanations helped, for who does not know the field's words (Markdown): on the three data sets that all have."""
    asked = {
        ("ked", "kd"): "Students that learn answers *and* reasons, rather than answers alone, are",
        ("ked", "mu0"): "Of two small nets of the same form, the one that learns reasons, too, is",
    }
    told = []
    for pair, text in asked.items():
        here = [one for one in found if one.question == QUESTIONS[pair] and one.place in _PLAIN]
        said = "; ".join(filter(None, (_listed(here, sign, _RIGHT) for sign in (1, -1, 0))))
        if said:
            told.append(f"{text} {said}.")
    return told


_PLAIN = ("pairs of digits", "digits", "Fashion-MNIST")
_RIGHT = {1: "more often right on", -1: "less often right on", 0: "not shown to differ on"}


def conclusion(found: Sequence[Point]) -> str:
    """What the points mean together, no more than they show, and what would speak against it."""
    sentences = []
    said = [one for one in found if one.question == QUESTIONS["ked", "shuffled"]]
    known = [one for one in said if one.recovery is not None]
    if known and len(said) > len(known):
        most = max(said, key=lambda one: float(one.contrast.difference.mean))
        follows = most in known and bool(most.contrast.shown)
        sentences.append(
            f"What explanations *say* counts most on {most.place}{', where the true groups are known and found' * follows}: "
            f"{'the gain goes with the structure' if follows else 'the gain does not go with the structure'} on these {len(said)} data "
            "sets, which are too few for a rule."
        )
    beside = [one for one in found if one.question == QUESTIONS["ked", "mu0"] and (one.recovery or 0) > _FOUND]
    still = [one.place for one in beside if one.contrast.difference.low <= 0 <= one.contrast.difference.high and not one.contrast.shown]
    if still:
        places = listed(still)
        sentences.append(f"Structure alone is not enough: on {places} explanations beside predictions are not shown to add anything.")
    sentences.append(
        "Evidence against this would be another sample's explanations that teach as well where superfeatures are real, or much worse "
        "where there are none."
    )
    return " ".join(sentences)


def _listed(found: Sequence[Point], sign: int, said: Mapping[int, str] = _SAID) -> str:
    members = [one for one in found if one.contrast.shown == sign]
    if not members:
        return ""
    each = [f"{one.place} ({difference(one.contrast)}, {one.teachers} teacher{'s' * (one.teachers > 1)})" for one in members]
    return f"{said[sign]} {listed(each)}"
