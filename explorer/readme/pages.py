"""`results/`: an index of all studies, and a page a study over all its data sets, on which each number leads to its cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from explorer.readme.forest import Row, forest
from explorer.readme.tables import markdown, nets
from explorer.words import sceptic
from explorer.words.open_questions import DATA, scales, where
from explorer.words.studies import (
    DIGITS,
    FACTORS,
    VERDICTS,
    by_comparison,
    command_line,
    difference,
    in_short,
    made_of,
    of,
    p_in_words,
    test_set,
    titles,
    topics,
)
from ked.studies import STUDIES
from ked.studies.outcome import Contrast
from ked.studies.report import Report
from ked.studies.study import Measured

Found = Mapping[str, Report]
"""Scale -> what came out of a study there."""

_AXES: dict[Measured, str] = {
    "accuracy": "difference of test accuracy, percentage points, with 95 % intervals",
    "agreement": "difference of agreement with the teacher's explanations (cosine), with 95 % intervals",
}
_LEGEND = (
    "Full dots: a difference is shown, after correction for all comparisons of the study on those data; hollow: it is not, which does not "
    "mean that there is none."
)


def index(found: Mapping[str, Found]) -> str:
    """All studies, by what they ask: answers in short, on what they rest, and their pages."""
    parts = [
        "# What came out",
        "A page a question, written by `python -m explorer.readme` from the raw cells beside it (`<data>/<study>/cells.csv`, a row a net "
        "and seed). Differences are in percentage points of test accuracy, where it does not say agreement. *Shown* is what holds after "
        "correction for all comparisons of a study on those data; each page has intervals, controls, what is missing, and the command that "
        "repeats it.",
    ]
    for topic, rows in topics().items():
        told = [line for name, title in rows.items() for line in _lines(name, title, found[name])]
        parts += [f"## {topic}", markdown(["question", "data", "teachers and students", "shown", "not shown"], told)]
    parts.append("When explanations help, over all data: [what is shown](../docs/shown.md), [open questions](../docs/open-questions.md).")
    return "\n\n".join(parts) + "\n"


def page(name: str, found: Found, reports: sceptic.Reports) -> str:
    """A study: its answer on each data set, figures, every difference with its cells, on what it rests, and all nets."""
    study = STUDIES[name]
    answers = [f"- **{_data(scale, about)}**, {of(about.settings)}. {sceptic.told(about)}" for scale, about in found.items()]
    parts = [f"# {study.question}", f"[All studies](README.md) · {titles()[name]} · `{name}`", "\n".join(answers)]
    parts.append(sceptic.not_computed({scale: reports(name, scale) for scale in scales(study)}))
    parts += [f"![{_AXES[measure]}](figures/{name}-{measure}.svg)" for measure in figures(found)]
    parts += [_LEGEND, "## Every difference", _differences(found)]
    for scale, about in found.items():
        parts += [f"## {_data(scale, about)}", *_section(scale, about, reports)]
    return "\n\n".join(filter(None, parts)) + "\n"


def figures(found: Found) -> dict[Measured, str]:
    """Measure -> a forest plot of all differences in it, question by question."""
    rows = {
        measure: [_row(scale, about, name, one) for name, scale, about, one in _sorted(found) if one.comparison.measure == measure]
        for measure in _AXES
    }
    return {measure: forest(members, _AXES[measure], DIGITS[measure]) for measure, members in rows.items() if members}


def _lines(name: str, title: str, found: Found) -> Iterator[list[str]]:
    for number, (scale, about) in enumerate(found.items()):
        shown, rest = in_short(about)
        link = "" if number else f"[{title}]({name}.md)"
        yield [link, where(about.study, scale), of(about.settings), "; ".join(shown) or "nothing", "; ".join(rest)]


def _data(scale: str, about: Report) -> str:
    text = where(about.study, scale)
    return f"{text[:1].upper()}{text[1:]}"


def _sorted(found: Found) -> Iterator[tuple[str, str, Report, Contrast]]:
    """Every difference with what is compared, its scale and report: question by question, in each data set by data set."""
    groups = {scale: by_comparison(about) for scale, about in found.items()}
    for name in dict.fromkeys(name for members in groups.values() for name in members):
        for scale, members in groups.items():
            yield from ((name, scale, found[scale], one) for one in members.get(name, ()))


def _row(scale: str, about: Report, name: str, one: Contrast) -> Row:
    several = len(about.study.levels(scale)) > 1
    count = about.settings.teachers
    where = [one.ours[0]] * several + [DATA[scale]] * bool(about.study.datasets) + [f"{count} teacher{'s' * (count > 1)}"]
    mean, low, high = (FACTORS[one.comparison.measure] * float(value) for value in one.difference)
    return Row(", ".join(where), mean, low, high, bool(one.shown), name)


def _differences(found: Found) -> str:
    head = ["difference", "data", "level", "points of accuracy, or agreement", "pairs of", "p, Holm", "so", "cells"]
    rows = [
        [
            name, where(about.study, scale), one.ours[0], difference(one), _units(about, one),
            p_in_words(one.adjusted), VERDICTS[one.shown], " and ".join(_cells(scale, about, dict.fromkeys((one.ours[0], one.theirs[0])))),
        ]
        for name, scale, about, one in _sorted(found)
    ]  # fmt: skip
    return markdown(head, rows)


def _units(about: Report, one: Contrast) -> str:
    return f"{one.units} {'teachers' if about.settings.teachers > 1 else 'students'}"


def _cells(scale: str, about: Report, levels: Iterable[str]) -> Iterator[str]:
    """Links to the lines of levels in the file of cells, whose first line has the names of its columns."""
    for level in levels:
        lines = about.cells.index[about.cells["level"] == level] + 2
        yield f"[lines {lines.min()}–{lines.max()}]({scale}/{about.study.name}/cells.csv#L{lines.min()}-L{lines.max()})"


def _section(scale: str, about: Report, reports: sceptic.Reports) -> Iterator[str]:
    yield f"{made_of(about)} {about.truths}".strip()
    yield f"- {sceptic.teachers(about)}\n- {sceptic.form(about, reports)}"
    if told := test_set(about).strip():
        yield told
    yield f"Repeat it: `{command_line(about)}`"
    files = " · ".join(f"[{name}]({scale}/{about.study.name}/{name}.csv)" for name in ("cells", "table", "contrasts"))
    told = nets(about, lambda level: next(_cells(scale, about, [level])))
    yield f"<details><summary>All nets, and their files</summary>\n\n{told}\n\n{files}\n\n</details>"
