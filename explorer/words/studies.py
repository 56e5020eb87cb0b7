"""What studies are called on their page, and what the numbers say as tables. No streamlit here."""

from __future__ import annotations

import shlex
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from explorer.words import numbers
from explorer.words.results import LABELS
from ked.data import SOURCES
from ked.methods import METHODS
from ked.statistics import Interval, step_of, test_set_half
from ked.studies import STUDIES
from ked.studies.cells import Settings, cells_of
from ked.studies.launch import command
from ked.studies.outcome import Contrast, Side
from ked.studies.report import Report
from ked.studies.study import Measured

# What is asked -> the studies that ask it, and the question in a few words.
TOPICS: dict[str, dict[str, str]] = {
    "Do explanations help?": {
        "kd-vs-ked": "KED or KD?",
        "architecture": "Architecture, teacher or explanations?",
        "noise": "Would noise do as well?",
        "terms": "Which term of the loss?",
        "attribution": "Is Shapley needed?",
        "bound": "How much can be gained?",
    },
    "Which superfeatures?": {
        "m-sweep": "How many?",
        "grouping": "How are they found?",
        "correlation": "With correlated features?",
        "mismatch": "Other than the teacher's?",
    },
    "How to train?": {
        "temperatures": "Other temperatures?",
        "chimera": "With few samples?",
    },
}
OTHERS = "Other questions"
SCALES = {
    "small": "digits", "pairs": "pairs of digits", "paper": "Fashion-MNIST", "mnist": "MNIST", "side-by-side": "MNIST + Fashion-MNIST",
    "emoji": "emoji",
}  # fmt: skip


def titles() -> dict[str, str]:
    """Study -> its question in a few words."""
    return {name: title for rows in topics().values() for name, title in rows.items()}


def topics() -> dict[str, dict[str, str]]:
    """What is asked -> study -> its question in a few words; a study without a place in the table is asked last."""
    found = {topic: {name: title for name, title in rows.items() if name in STUDIES} for topic, rows in TOPICS.items()}
    placed = {name for rows in found.values() for name in rows}
    rest = {name: name for name in STUDIES if name not in placed}
    return found | ({OTHERS: rest} if rest else {})


def made_of(about: Report) -> str:
    """On which data, with what nets and for how long a study trains, where its levels say nothing else."""
    recipe = cells_of(about.study, about.settings)[0].recipe
    data = recipe.dataset.partition(":")[0]
    named = SOURCES[data].title if data in SOURCES else f"{data} data"
    widths = [" × ".join((str(len(hidden)), str(hidden[0]))) for hidden in (recipe.teacher_hidden, recipe.student_hidden)]
    return (
        f"On {named}: teachers {widths[0]} for {recipe.teacher_epochs} epochs, students {widths[1]} for {recipe.epochs}, "
        f"{of(about.settings)}."
    )


def of(settings: Settings) -> str:
    """How many teachers and students of each method there are."""
    if settings.teachers == 1:
        return f"{settings.seeds} students of one teacher"
    return f"{settings.teachers} teachers with {settings.seeds} student{'s' * (settings.seeds > 1)} each"


def instead(about: Report, asked: Settings) -> str:
    """Why something else is shown than was asked for, and of what it speaks."""
    if about.settings.teachers > asked.teachers:
        return f"More is known than {of(asked)}: here are results of {of(about.settings)}."
    only = " They speak for that one teacher alone." if about.settings.teachers == 1 else ""
    return f"Nothing is finished yet with {of(asked)}. Here are results of {of(about.settings)}.{only}"


def test_set(about: Report) -> str:
    """How fine a test set measures, and by how much an accuracy on it would vary over other test sets; "" where that is not known."""
    cells = about.cells[about.cells["net"].isin(METHODS)]
    step = step_of(cells["accuracy"]) if about.study.datasets else 0.0
    if not step:
        return ""
    accuracy = float(cells["accuracy"].median())
    half = test_set_half(accuracy, round(1 / step))
    return (
        f"The chance of the test set is not in these intervals: it has {round(1 / step)} samples, so one of them is "
        f"{100 * step:.2f} points, and an accuracy of {100 * accuracy:.0f} % is known to ± {100 * half:.1f} points. "
    )


def command_line(about: Report) -> str:
    """The one command that computes a report's numbers anew, or shows them where they are stored."""
    return shlex.join(["python", "-m", "ked", *command(about.study, about.settings)])


def side(who: Side, *, level: bool) -> str:
    """One side of a comparison."""
    return f"{LABELS[who[1]]} at {who[0]}" if level else LABELS[who[1]]


def pair(one: Contrast) -> str:
    """Both sides of a comparison, without the level where it is the same."""
    apart = one.ours[0] != one.theirs[0]
    return f"{side(one.ours, level=apart)} − {side(one.theirs, level=apart)}"


FACTORS: dict[Measured, float] = {"accuracy": 100.0, "agreement": 1.0}
DIGITS: dict[Measured, int] = {"accuracy": 1, "agreement": 3}


def signed(value: float, measure: Measured) -> str:
    """A difference in percentage points of accuracy, or of agreement, with its sign and a real minus."""
    return numbers.signed(FACTORS[measure] * value, DIGITS[measure])


def between(found: Interval, measure: Measured) -> str:
    """An interval in brackets; "" where there is none."""
    if found.low != found.low:
        return ""
    return f"[{signed(found.low, measure)}, {signed(found.high, measure)}]"


VERDICTS = {1: "▲ above, shown", -1: "▼ below, shown", 0: "○ not shown"}


def contrast_table(found: Sequence[Contrast]) -> pd.DataFrame:
    """A row a comparison and level, in words and percentage points."""
    return pd.DataFrame([
        {
            "comparison": pair(one), "level": one.ours[0], "of": (measure := one.comparison.measure),
            "difference": signed(one.difference.mean, measure), "95 % interval": between(one.difference, measure),
            "pairs": one.units, "p": p_in_words(one.p), "p, Holm": p_in_words(one.adjusted), "so": VERDICTS[one.shown],
            "also in study": ", ".join(one.also),
        }
        for one in found
    ])  # fmt: skip


def net_table(about: Report) -> pd.DataFrame:
    """A row a level and net: means with half their intervals."""
    rows = about.table.to_dict("records")
    return pd.DataFrame([
        {
            "level": row["level"], "net": LABELS[row["net"]], "test accuracy, %": with_half(row, "accuracy", 100, 2),
            "agreement": with_half(row, "agreement", 1, 3), "same answer, %": with_half(row, "answer", 100, 1),
            "teachers" if about.settings.teachers > 1 else "students": row["units"],
            "modularity": _number(row["modularity"], 3), "recovery": _number(row["recovery"], 2),
        }
        for row in rows
    ])  # fmt: skip


def with_half(row: Mapping[Hashable, Any], name: str, factor: float, digits: int) -> str:
    """A mean of a table's row with half the width of its 95 % interval, where it has one; "" where there is no mean."""
    half = factor * (row[f"{name}_high"] - row[name])
    return _number(factor * row[name], digits) + (f" ± {half:.{digits}f}" if half == half else "")


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−") if value == value else ""


def p_in_words(value: float) -> str:
    """A p value; "" where there is none."""
    return "" if value != value else "< 0.001" if value < 0.001 else f"{value:.3f}"


def by_comparison(report: Report) -> dict[str, list[Contrast]]:
    """What is compared, in words -> its contrasts, one a level, in the order of the study."""
    groups: dict[str, list[Contrast]] = {}
    for contrast in report.contrasts:
        against = side(contrast.theirs, level=contrast.theirs[0] != contrast.ours[0])
        what = "agreement, " if contrast.comparison.measure == "agreement" else ""
        groups.setdefault(f"{what}{LABELS[contrast.ours[1]]} − {against}", []).append(contrast)
    return groups


def brief(report: Report) -> str:
    """All comparisons of a study in few words: what is shown, and between how many levels."""
    found = [f"{name}: {_brief(found)}" for name, found in by_comparison(report).items()]
    if report.recovery:
        ends = dict.fromkeys(f"{pick(report.recovery.values()):.2f}" for pick in (min, max))
        found.insert(0, f"true groups recovered: adjusted Rand index {' to '.join(ends)}".replace("-", "−"))
    return "<br>".join([f"*{of(report.settings)}*", *found])


def in_short(report: Report) -> tuple[list[str], list[str]]:
    """The comparisons that show a difference, with its size or the levels that show it, and the names of those that do not."""
    groups = by_comparison(report)
    shown = [f"{name} {_shown(found)}" for name, found in groups.items() if any(one.shown for one in found)]
    return shown, [name for name, found in groups.items() if not any(one.shown for one in found)]


def difference(one: Contrast) -> str:
    """A difference with its interval."""
    return f"{signed(one.difference.mean, one.comparison.measure)} {between(one.difference, one.comparison.measure)}".rstrip()


def _shown(found: Sequence[Contrast]) -> str:
    if len(found) == 1:
        return signed(found[0].difference.mean, found[0].comparison.measure)
    return f"{_sides(found)} of {len(found)} levels"


def _brief(found: Sequence[Contrast]) -> str:
    if len(found) == 1:
        one = found[0]
        bold, mean = "**" if one.shown else "", signed(one.difference.mean, one.comparison.measure)
        return difference(one).replace(mean, f"{bold}{mean}{bold}", 1)
    measure, values = found[0].comparison.measure, [float(one.difference.mean) for one in found]
    ends = f"{signed(min(values), measure)} to {signed(max(values), measure)}"
    return f"{_sides(found) or 'nothing shown'} of {len(found)} levels ({ends})"


def _sides(found: Sequence[Contrast]) -> str:
    """At how many levels a difference is shown; "" at none."""
    above, below = (sum(one.shown == sign for one in found) for sign in (1, -1))
    return ", ".join(filter(None, (f"above at {above}" if above else "", f"below at {below}" if below else "")))
