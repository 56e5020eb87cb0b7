"""What a run's result means: what surprises in it, how sure that is, and which study says more. No streamlit here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from explorer.words import studies
from explorer.words.numbers import listed
from explorer.words.results import LABELS
from ked.agreements.contrasts import accuracy_gains
from ked.statistics import Difference, Interval, family, paired_difference, test_set_half
from ked.studies.outcome import Contrast
from ked.studies.report import Report

SAME_FORM = ("mu0", "architecture", "kd-architecture", "shuffled", "noise")
"""Students of KED's own form that heard something else than the teacher's explanations of the sample, the nearest to KED first."""


def meaning(
    summary: Mapping[str, Any], samples: int, validation: Mapping[str, float] | None = None, study: Report | None = None
) -> list[str]:
    """Sentences (Markdown) beside a run's table of test accuracies; nothing is claimed that the run or the study does not show.

    Args:
        summary: Of a finished run: `accuracy` of each net, a list over the seeds for students.
        samples: In the test split.
        validation: Method -> mean validation accuracy in the end.
        study: What several teachers showed on the same data, where somebody has asked.
    """
    scores = {name: value if isinstance(value, list) else [value] for name, value in summary["accuracy"].items()}
    students = {name: scores[name] for name, value in summary["accuracy"].items() if isinstance(value, list)}
    said = [*_explanations(students, samples), *_above_the_teacher(scores, students, samples)]
    if validation:
        said += _best(validation, students, samples)
    said += _over_teachers(study)
    return [*said, _test_set(students, samples)]


def _explanations(students: Mapping[str, list[float]], samples: int) -> Iterator[str]:
    """From whom of the same form KED is not shown to differ, or below or above whom it is; of the others, where that surprises."""
    if "ked" not in students:
        return
    gains = accuracy_gains(students, samples)
    if above := [name for name in gains if name in SAME_FORM and gains[name].shown > 0]:
        helps = "explanations say" if {*above} & {"mu0", "shuffled", "noise"} else "it is taught"
        yield f"KED's accuracy is above that of {_named(above, gains)}: with this teacher, what {helps} helps."
    for those, why in (([name for name in gains if name in SAME_FORM], _SAME), ([name for name in gains if name not in SAME_FORM], "")):
        below = [name for name in those if gains[name].shown < 0]
        doubtful = [name for name in those if not gains[name].shown]
        if below:
            yield f"KED's accuracy is below that of {_named(below, gains)}.{why}"
        if doubtful:
            yield f"After correction for all comparisons, KED is not shown to differ from {_named(doubtful, gains)}.{'' if below else why}"


_SAME = (
    " These have KED's architecture but did not learn how the teacher explains each sample: here the architecture, or the teacher's "
    "predictions, may be all that helps."
)


def _named(names: Sequence[str], gains: Mapping[str, Difference]) -> str:
    return listed([f"*{LABELS[name]}* ({_points(gains[name])} points)" for name in names])


def _points(gain: Interval | Difference) -> str:
    return f"{studies.signed(gain.mean, 'accuracy')} {studies.between(Interval(*gain[:3]), 'accuracy')}".strip()


def _above_the_teacher(scores: Mapping[str, list[float]], students: Mapping[str, list[float]], samples: int) -> Iterator[str]:
    """Students whose whole interval lies above the larger net that taught them."""
    taught = {"kd": "teacher"} | dict.fromkeys(("ked", "mu0", "kd-explaining"), "explaining")
    pairs = {n: (students[n], scores[of] * len(students[n])) for n, of in taught.items() if n in students and of in scores}
    for name, gain in family(pairs, resolution=1 / samples).items():
        if gain.shown > 0:
            yield (
                f"*{LABELS[name]}* students answer more test samples right than their {LABELS[taught[name]]}: "
                f"{_points(gain)} points over the students' seeds, of this one teacher on these samples."
            )


def _best(validation: Mapping[str, float], students: Mapping[str, list[float]], samples: int) -> Iterator[str]:
    """Where validation and test data name another best student."""
    means = {name: sum(values) / len(values) for name, values in students.items() if name in validation}
    if len(means) < 2:
        return
    picked, best = max(means, key=lambda name: validation[name]), max(means, key=means.__getitem__)
    if picked == best:
        return
    gain = paired_difference(students[best], students[picked], 1 / samples)
    yield (
        f"On the validation set *{LABELS[picked]}* is best, on the test set *{LABELS[best]}*, by {_points(gain)} points. A method picked "
        "by its test accuracy looks better than it is: pick on the validation set, compare on the test set."
    )


def _over_teachers(study: Report | None) -> Iterator[str]:
    """The same comparisons over several teachers, of which a run has one."""
    if study is None or study.settings.teachers < 2:
        return
    found = {(one.ours[1], one.theirs[1]): one for one in study.contrasts if one.comparison.measure == "accuracy"}
    if told := told_by(study, [found[pair] for pair in _ASKED if pair in found]):
        yield f"This run has one teacher. {told}"


_ASKED = [("ked", reference) for reference in ("mu0", "shuffled", "kd", "plain")]


def told_by(study: Report, chosen: Sequence[Contrast], named: Callable[[Contrast], str] = studies.pair) -> str:
    """What a study found in these of its comparisons of one measure, in a sentence; "" where there are none."""
    if not chosen:
        return ""
    groups: dict[str, list[Contrast]] = {}
    for one in chosen:
        groups.setdefault(named(one), []).append(one)
    unit = "points" if chosen[0].comparison.measure == "accuracy" else "agreement (cosine)"
    told = "; ".join(f"*{name}*: {_over_levels(found)}" for name, found in groups.items())
    name = study.study.name
    return f"Over {studies.of(study.settings)}, the study *{studies.titles().get(name, name)}* found, in {unit}, {told}."


def _over_levels(found: Sequence[Contrast]) -> str:
    if len(found) == 1:
        return f"{studies.difference(found[0])}{'' if found[0].shown else ', not shown'}"
    ends = (studies.signed(pick(float(one.difference.mean) for one in found), found[0].comparison.measure) for pick in (min, max))
    count = sum(one.shown != 0 for one in found)
    return f"{' to '.join(ends)} at {len(found)} levels, shown at {count or 'none'} of them"


def _test_set(students: Mapping[str, list[float]], samples: int) -> str:
    accuracy = max((sum(values) / len(values) for values in students.values()), default=0.5)
    return (
        f"The test set has {samples:,} samples".replace(",", " ") + f": one of them is {100 / samples:.2f} points, and an accuracy of "
        f"{100 * accuracy:.0f} % would vary by ± {100 * test_set_half(accuracy, samples):.1f} points from one such test set to another."
    )
