"""The questions that the paper and its readers left open: what was found, on what that rests, what is missing, what would change our mind.

Answers are read off reports of studies; no number stands here. No streamlit here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from explorer.words.studies import brief, of
from ked.studies import STUDIES, estimate
from ked.studies.cells import Settings, cells_of
from ked.studies.report import Report
from ked.studies.study import Study

DATA = {
    "small": "digits", "pairs": "pairs of digits", "paper": "Fashion-MNIST, the paper's recipe", "mnist": "MNIST, the paper's recipe",
    "side-by-side": "MNIST and Fashion-MNIST side by side, the paper's recipe",
    "emoji": "emoji, a small CNN",
}  # fmt: skip


class Asked(NamedTuple):
    """One question: who asks it, in which words, the study that answers it, and what would speak against what was found."""

    origin: str
    question: str
    study: str
    against: str


ASKED = (
    Asked(
        "Open question 1", "How does the number of superfeatures M trade accuracy for explanations?", "m-sweep",
        "an M above 1 at which KED is shown to be better than at M = 1 on data whose groups nobody knows, over several teachers.",
    ),
    Asked(
        "Open question 2", "What is the most that KED can add to KD?", "bound",
        "a student above the Bayes rule over many test sets, or one that explanations bring closer to it than the true distribution does.",
    ),
    Asked(
        "Open question 3", "How does KED do where features are highly correlated?", "correlation",
        "planted groups that are lost, or a gain from explanations that grows, as correlation rises or twins are added.",
    ),
    Asked(
        "Limitation", "What does each term of the loss add by itself?", "terms",
        "KED with one of its terms left out shown to be as good, within half a point, over ten teachers.",
    ),
    Asked(
        "Confidence: medium", "Are the explanations what helps, or the net's architecture?", "architecture",
        "another sample's explanations that teach as well where groups are real, or much worse where there are none.",
    ),
    Asked(
        "Next check 1", "Are groups from the Hessian better than random ones?", "grouping",
        "random groups shown to be no worse on pairs of digits, or shown to be worse on data whose groups nobody knows.",
    ),
    Asked(
        "Next check 2", "What if teacher and student have different numbers of superfeatures?", "mismatch",
        "a student with another M shown to be no worse than one with its teacher's M, on data of many dimensions.",
    ),
    Asked(
        "Next check 3", "Are Shapley values needed, or would any attribution do?", "attribution",
        "students of summed gradients or of Grad-CAM shown to agree and to answer as well as KED's.",
    ),
)  # fmt: skip


def sections(report: Callable[[str, str], Report]) -> str:
    """All questions in Markdown; `report` gives the best that is known of a study at a scale."""
    return "\n\n".join(_section(asked, report) for asked in ASKED)


def _section(asked: Asked, report: Callable[[str, str], Report]) -> str:
    study = STUDIES[asked.study]
    reports = {scale: report(study.name, scale) for scale in scales(study)}
    found = [f"- {where(study, scale)}: {_answer(about)}" for scale, about in reports.items() if about.contrasts]
    lacking = "; ".join(told for scale, about in reports.items() for told in missing(scale, about))
    return "\n".join([
        f"**{asked.question}** {asked.origin}; study `{study.name}`.", "", *(found or ["- Nothing is finished."]), "",
        f"Missing: {lacking or 'nothing at these scales'}. What would change our mind: {asked.against}",
    ])  # fmt: skip


def scales(study: Study) -> list[str]:
    """The scales at which a study is another one; where its levels are data sets there is one."""
    return [scale for scale in DATA if scale in study.datasets] if study.datasets else ["small"]


def where(study: Study, scale: str) -> str:
    """What the data of a scale are called."""
    return DATA[scale] if study.datasets else "data of its levels"


def _answer(about: Report) -> str:
    head, *found = brief(about).split("<br>")
    return f"{head}: {'; '.join(found)}."


def missing(scale: str, about: Report) -> Iterator[str]:
    """What five teachers of three students each would take, where they are not there."""
    usual, there = Settings(scale), about.settings.teachers
    if there >= usual.teachers and not about.missing:
        return
    took = estimate.seconds(cells_of(about.study, usual), usual)
    fewer = 1 < there < usual.teachers and not about.missing
    if took and fewer:
        took *= 1 - there / usual.teachers
    length = "not measured yet" if took is None else f"about {estimate.in_words(took)} of training"
    command = f"`python -m ked study {about.study.name}{f' --scale {scale}' * (scale != 'small')}`"
    levels = f"{len(about.missing)} of {len(about.study.levels(scale))} levels"
    more = usual.teachers - there
    what = f"{more} more teacher{'s' * (more > 1)}" if fewer else of(usual) if there == 1 else levels
    yield f"{where(about.study, scale)}, {what}: {command}, {length}"
