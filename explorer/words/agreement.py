"""What the numbers on the agreement page say: sentences and tables made from them. No streamlit here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from explorer.words.inert import inert
from explorer.words.numbers import listed, plus_minus, signed
from explorer.words.results import LABELS
from ked.agreements import ALL, Measure, Survey
from ked.agreements.contrasts import REFERENCES, Contrast
from ked.shares import in_percent
from ked.statistics import CLAIMING, LEAST, Difference, Interval, interval, test_set_half

QUESTION = "Does learning from explanations buy agreement, accuracy, both or neither?"

# What a student lacks that KED has, so what a difference to it is due to.
LACKS = {
    "mu0": "the same net with the same predictions to learn from, but no explanations",
    "shuffled": "the same, but with explanations of other samples",
    "noise": "the same, but with random explanations",
    "architecture": "the same net on labels alone",
    "kd-explaining": "a black box with the same teacher's predictions",
    "kd": "a black box with the black-box teacher's predictions",
    "plain": "a black box on labels alone",
}

_FEW = {1: "One seed", 2: "Two seeds", 3: "Three seeds"}

# (agreement, accuracy), each 1 where more is shown, -1 where less is, 0 where nothing is -> the answer.
_ANSWERS = {
    (1, 1): "Both.",
    (1, 0): "Agreement; more accuracy is not shown.",
    (1, -1): "Agreement, at the price of accuracy.",
    (0, 1): "Accuracy; more agreement is not shown.",
    (0, 0): "Neither is shown.",
    (0, -1): "Neither is shown, and accuracy is lost.",
    (-1, 1): "Accuracy, at the price of agreement.",
    (-1, 0): "Neither is shown, and agreement is lost.",
    (-1, -1): "Neither: both are lost.",
}


def answer(found: Sequence[Contrast], measure: Measure, seeds: int) -> str:
    """The page's question and its answer, from the contrast in which the fewest things differ."""
    fair = [(contrast, contrast.agreement) for contrast in found if contrast.agreement is not None]
    if not found:
        return f"{QUESTION} This run has no KED students, so it cannot say; train them on the Train page."
    if not fair:
        return (
            f"{QUESTION} This run cannot say: besides KED it has black boxes only. *{LABELS['mu0']}* or *{LABELS['architecture']}* "
            "would show what explanations add to the same net."
        )
    (contrast, gain), *others = fair
    lacks = f"*{LABELS[contrast.reference]}* ({LACKS[contrast.reference]})"
    if seeds < CLAIMING:
        few, ked = _FEW[seeds], "this KED student agrees" if seeds == 1 else "KED agrees"
        why = "Without a third seed there is no interval, and both" if seeds < LEAST else "So few can lie close together by luck: both"
        return (
            f"{QUESTION} **{few} cannot tell.** Compared with {lacks}, {ked} {_by(gain, measure)}; its accuracy differs by "
            f"{_points(contrast.accuracy)} points. {why} may be chance."
        )
    text = (
        f"{QUESTION} **{verdict(contrast)}** Compared with {lacks}, KED agrees {_by(gain, measure)}; its accuracy differs by "
        f"{_points(contrast.accuracy)} points."
    )
    said: dict[str, list[str]] = {}  # verdict -> whom it is beside
    for one, _ in others:
        said.setdefault(_lower(verdict(one)), []).append(f"*{LABELS[one.reference]}*")
    return text + "".join(f" Compared with {listed(names)}: {what}" for what, names in said.items())


def beside(contrast: Contrast, measure: Measure, other: str) -> str:
    """What the KED students of another run have less or more; `other` says which run that is."""
    assert contrast.agreement is not None
    return (
        f"Compared with {other}, each measured against its own teacher, KED agrees {_by(contrast.agreement, measure)}; "
        f"its accuracy differs by {_points(contrast.accuracy)} points."
    )


def differing_in(names: Sequence[str]) -> str:
    """In which settings two runs differ, in words."""
    if not names:
        return "another run of the same recipe"
    return f"another run, which differs in {listed(names[:4])}{f' and {len(names) - 4} more' * (len(names) > 4)}"


def verdict(contrast: Contrast) -> str:
    """What a contrast shows."""
    assert contrast.agreement is not None
    return _ANSWERS[contrast.agreement.shown, contrast.accuracy.shown]


def _lower(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"


def _by(gain: Interval | Difference, measure: Measure) -> str:
    """How much more or less, in the measure's own unit, gains being positive."""
    more, sign = ("more", 1) if gain.mean >= 0 else ("less", -1)
    mean = sign * float(gain.mean)
    unit = f" {measure.unit}" * bool(measure.unit)
    return f"{more} by {number(mean)}{_bounds(gain, sign, digits(mean))}{unit} ({measure.label})"


def _points(gain: Interval | Difference) -> str:
    scaled = Interval(*(100 * part for part in gain[:3]))
    return signed(float(scaled.mean)) + _bounds(scaled, 1, 2)


def _bounds(gain: Interval | Difference, sign: int, decimals: int) -> str:
    if np.isnan(gain.low):
        return ""
    low, high = sorted((sign * float(gain.low), sign * float(gain.high)))
    return f" [{low:z.{decimals}f}, {high:z.{decimals}f}]".replace("-", "−")


def number(value: float) -> str:
    """A value of any measure, with as many digits as it takes to see it."""
    return f"{value:.{digits(value)}f}".replace("-", "−")


def digits(value: float) -> int:
    """Decimals that show at least two figures of a value, at most six."""
    return 2 if abs(value) >= 0.1 or value == 0 else min(6, 1 - int(np.floor(np.log10(abs(value)))))


def what_chance_is(measure: Measure, found: Survey, *, dotted: bool = True) -> str:
    """What the lines in the chart stand for, and when a measure says little; `dotted`: whether there is a line for the exact level."""
    any_two, like = (float(mean(measure.name).mean()) for mean in (found.chance_mean, found.alike_mean))
    text = f"Dashed: the same student against what the teacher says of *another* sample, {number(any_two)} for the first student."
    if not np.isnan(like):
        text += f" Long dashes: of another sample *of the same class*, {number(like)}: only agreement beyond that is about this sample."
    least = found.least(measure.name)
    if least is not None and len(found.superfeatures) > 1:
        text += f" Its superfeature that agrees least reaches {number(least)} by itself."
    exact = found.exact_chance(measure.name)
    if exact is None or not dotted:
        return text
    M, k = len(found.superfeatures), found.k
    ways = "of independent explanations" if measure.low < 0 else f"of independent rankings of M = {M} with k = {k}"
    text += f" Dotted: {number(exact)}, the mean {ways}."
    if measure.name == "feature" and exact >= 0.5:
        text += (
            f" With so few superfeatures chance alone fills {in_percent(exact)} of this measure: prefer the order of pairs, or a "
            "correlation."
        )
    return text


def without_explanations(found: Mapping[str, Survey], measure: Measure) -> str:
    """Which students agree more than another sample of the same class does, though nobody explained anything to them; "" if none does."""
    sign = 1 if measure.more_is_better else -1
    told = []
    for name, survey in found.items():
        if name not in _UNTAUGHT or measure.name not in survey.samples:
            continue
        mean, like = survey.mean(measure.name), survey.alike_mean(measure.name)
        beyond = interval(sign * (mean - like))
        if len(mean) >= CLAIMING and beyond.low > 0:
            told.append(f"*{LABELS[name]}* {number(float(mean.mean()))}, another sample of the same class {number(float(like.mean()))}")
    if not told:
        return ""
    return (
        f"Agreement comes without explanations, too ({measure.label}): {'; '.join(told)}. The same data and groups make nets alike, so "
        "KED is to be compared with these students, and not with chance alone."
    )


_UNTAUGHT = ("mu0", "architecture")


def differences(
    found: Sequence[Contrast], labels: Mapping[str, str] = LABELS, lacks: Mapping[str, str] = LACKS
) -> pd.DataFrame:
    """A row a contrast: what KED gains over each other student."""
    rows = []
    for one in found:
        silent = one.agreement is None or np.isnan(one.agreement.low)
        rows.append(
            {
                "KED compared with": labels[one.reference],
                "explanations buy": "–" if silent or one.reference not in REFERENCES else verdict(one),
                "agreement": "no explanations" if one.agreement is None else _signed(one.agreement),
                "accuracy, points": _points(one.accuracy),
                "same answer, points": _points(one.answer),
                "which is": lacks[one.reference],
            }
        )
    return pd.DataFrame(rows)


def _signed(gain: Difference) -> str:
    mean = float(gain.mean)
    return f"{'+' * (mean >= 0)}{number(mean)}{_bounds(gain, 1, digits(mean))}"


def accuracy_rests(correct: np.ndarray, labels: np.ndarray) -> str:
    """What accuracies on a test set would be for nothing, their steps, and the chance of the test set; correct (K, N), labels (N,)."""
    N, mean = len(labels), float(correct.mean())
    return (
        f"Always naming the most frequent class would be right on {100 * np.bincount(labels).max() / N:.1f} %; one test sample is "
        f"{100 / N:.2f} points; on other test sets of this size the first student's {100 * mean:.1f} % would vary by "
        f"± {100 * test_set_half(mean, N):.1f} points, which is not in the intervals."
    )


def everything(surveys: Mapping[str, Survey], labels: Mapping[str, str] = LABELS) -> pd.DataFrame:
    """Every measure that was taken of some student: mean and half its interval over seeds, and the level of chance."""
    rows = []
    taken = {name for survey in surveys.values() for name in survey.samples}
    for name, measure in ((name, measure) for name, measure in ALL.items() if name in taken):
        row = {"measure": measure.label}
        for method, survey in surveys.items():
            if name in survey.samples:
                row[labels[method]] = f"{_with_half(interval(survey.mean(name)))} ({_chances(survey, name)})"
        rows.append(row)
    accuracy = {labels[name]: _with_half(interval(survey.correct.mean(axis=1))) for name, survey in surveys.items()}
    return pd.DataFrame([*rows, {"measure": "accuracy"} | accuracy]).fillna("–")


def _chances(survey: Survey, name: str) -> str:
    """The levels of chance: beside another sample, and beside another one of its class where there is one."""
    levels = [float(survey.chance_mean(name).mean()), float(survey.alike_mean(name).mean())]
    return "; ".join(number(level) for level in levels if level == level)


def _with_half(found: Interval) -> str:
    mean = float(found.mean)
    return f"{number(mean)}{plus_minus(float(found.mean - found.low), digits(mean))}"


def by_sample(survey: Survey, k: int, classes: Sequence[str]) -> pd.DataFrame:
    """A row a test sample: every measure of one seed's student."""
    columns = {name: values[k] for name, values in survey.samples.items()}
    truth = [inert(classes[label], "table") for label in survey.labels]
    return pd.DataFrame({"sample": np.arange(len(truth)), "class": truth, "right": survey.correct[k], **columns})
