"""What a reviewer who doubts a claim asks, answered where the claim stands: other data, and the form of the nets. No streamlit here.

How many teachers there are, and for which comparisons p values are corrected, says a report's own note (`ked.studies.words.note`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from explorer.words.numbers import listed
from explorer.words.open_questions import DATA, missing, scales, where
from explorer.words.studies import by_comparison, difference, in_short, of
from ked.methods import METHODS
from ked.studies.cells import Settings, cells_of
from ked.studies.outcome import Contrast, Side
from ked.studies.report import Report

Reports = Callable[[str, str], Report]
"""A study and a scale -> the best that is known of it."""

_FORM = ("architecture", "plain")  # the comparison that asks what the form alone gives


def doubts(about: Report, reports: Reports) -> str:
    """All three questions with their answers (a list in Markdown), of a report with contrasts; `reports` gives other studies and data."""
    return "\n".join(f"- {answer}" for answer in (teachers(about), data(about, reports), form(about, reports)))


def teachers(about: Report) -> str:
    """Of how many teachers a report speaks, for which comparisons p values are corrected, and what more teachers would take."""
    few = about.settings.teachers < Settings(about.settings.scale).teachers
    more = "".join(f" More teachers: {told}." for told in missing(about.settings.scale, about)) if few else ""
    return f"**One teacher? Which comparisons?** {about.note}{more}"


def data(about: Report, reports: Reports) -> str:
    """What the same comparisons gave on other data, and what is not computed yet."""
    study, here = about.study, about.settings.scale
    if not study.datasets:
        names = dict.fromkeys(cell.recipe.dataset for cell in cells_of(study, about.settings))
        return f"**One data set?** Those of its levels: {', '.join(f'`{name}`' for name in names)}."
    others = {scale: reports(study.name, scale) for scale in scales(study) if scale != here}
    there = {scale: other for scale, other in others.items() if other.contrasts}
    found = [f"The same on {where(study, scale)}, {of(other.settings)}. {told(other)}" for scale, other in there.items()]
    return " ".join([f"**One data set?** Here it is {where(study, here)} alone.", *found, not_computed(others)]).rstrip()


def not_computed(reports: Mapping[str, Report]) -> str:
    """What is missing of a study's reports by scale, with the commands; "" where nothing is."""
    lacking = "; ".join(told for scale, about in reports.items() for told in missing(scale, about))
    return f"Not computed: {lacking}." if lacking else ""


def told(about: Report) -> str:
    """What a report shows and what it does not, in a line."""
    shown, rest = in_short(about)
    return " ".join([f"*Shown:* {'; '.join(shown) or 'nothing'}.", *([f"*Not shown:* {'; '.join(rest)}."] if rest else [])])


def form(about: Report, reports: Reports) -> str:
    """Which comparisons change more than what is taught, and what the net's form gives by itself."""
    groups = {f"*{name}*": found for name, found in by_comparison(about).items()}
    two = [name for name, found in groups.items() if any(not _alike(about, one) for one in found)]
    same = [name for name in groups if name not in two]
    parts = ["**Is it the architecture?**"]
    if same:
        parts.append(f"Not in {listed(same)}: the nets of both sides have the same architecture.")
    if two:
        parts.append(f"It may be in {listed(two)}, whose sides are nets of different architectures.")
        parts += _alone(about, reports)
    return " ".join(parts)


def _alike(about: Report, one: Contrast) -> bool:
    return _shape(about, one.ours) == _shape(about, one.theirs)


def _shape(about: Report, side: Side) -> tuple[Any, ...]:
    """Equal for nets that differ in nothing but what they learnt from: of a KED student also which inputs each subnet sees."""
    level, method = side
    if METHODS[method].net == "plain":
        return ("plain",)
    recipe = next(cell.recipe for cell in cells_of(about.study, about.settings) if cell.level == level)
    return "ked", recipe.superfeatures, recipe.student_superfeatures or recipe.superfeatures, recipe.grouping


def _alone(about: Report, reports: Reports) -> Iterator[str]:
    """What the form gives without anything that a teacher says, on the same data."""
    if not about.study.datasets:
        return
    asked = reports("architecture", about.settings.scale)
    for one in asked.contrasts:
        if (one.ours[1], one.theirs[1]) == _FORM:
            on = f", {of(asked.settings)}" + f", study `{asked.study.name}`" * (asked.study.name != about.study.name)
            yield (
                f"Architecture only, on labels, gives on {DATA[about.settings.scale]} {difference(one)} points over plain students, "
                f"{'shown' if one.shown else 'not shown'} ({one.ours[0]}{on})."
            )
