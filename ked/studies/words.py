"""What a study says in the end: one sentence made of its numbers, whichever way they came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from ked.methods import METHODS
from ked.shares import in_percent
from ked.statistics import ALPHA, CLAIMING, LEAST
from ked.studies.outcome import Contrast, Side
from ked.studies.study import Measured

_UNIT: dict[Measured, tuple[float, str, str]] = {
    "accuracy": (100, ".1f", " points of accuracy"),
    "agreement": (1, ".3f", " of agreement (cosine)"),
}
_VERDICTS = {
    1: "{ours} {verb} {size} above {theirs} {interval}",
    -1: "{ours} {verb} {size} below {theirs} {interval}",
    0: "a difference between {ours} and {theirs} is not shown ({size} {interval}{reason})",
}
NOTHING = "Nothing can be compared yet, as no two sides of a comparison are finished."
_SEVERAL = {1: "higher", -1: "lower", 0: "not shown to differ"}


def answer(
    found: Sequence[Contrast],
    recovery: Mapping[str, float] | None = None,
    bayes_rule: Mapping[str, float] | None = None,
    headroom: Mapping[str, float] | None = None,
) -> str:
    """One sentence that answers the study's question from its contrasts.

    Args:
        found: The contrasts.
        bayes_rule: Level -> accuracy of the Bayes rule, where students learn from the true distribution.
        headroom: Level -> by how much that is above KD's, the most that anything could add to KD.
        recovery: Level -> how well the groups that were found match the planted ones (adjusted Rand index), where there are some.
    """
    if not found:
        return NOTHING
    return _sentence("; ".join([*_truths(recovery or {}, bayes_rule or {}, headroom or {}), *(_told(group) for group in _groups(found))]))


def truths(recovery: Mapping[str, float], bayes_rule: Mapping[str, float], headroom: Mapping[str, float]) -> str:
    """What is known of the data, and beside which the numbers of nets stand, as a sentence; "" where nothing is."""
    told = _truths(recovery, bayes_rule, headroom)
    return _sentence("; ".join(told)) if told else ""


def findings(found: Sequence[Contrast]) -> list[tuple[bool, str]]:
    """The same as a sentence for each comparison, without the numbers of every level: for those who have these before their eyes.

    Returns:
        Whether anything is shown, and the sentence; what is shown comes first.
    """
    told = [(any(one.shown for one in group), _sentence(_told(group, brief=True))) for group in _groups(found)]
    return sorted(told, key=lambda item: not item[0])


def _groups(found: Sequence[Contrast]) -> list[list[Contrast]]:
    return [list(group) for _, group in groupby(found, key=lambda contrast: contrast.comparison)]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def note(found: Sequence[Contrast], teachers: int) -> str:
    """On what the sentence rests: units, intervals, and for how many comparisons p values were corrected."""
    if not found:
        return ""
    count = max(contrast.units for contrast in found)
    each = "each trained and grouped by itself; the students of one teacher count as one"
    several = f"{count} teachers, {each}" if count > 1 else "the one teacher that is finished so far, so nothing is shown yet"
    unit = several if teachers > 1 else f"{count} student seeds of one teacher, so all of this speaks for one teacher only"
    counted = "the one comparison" if len(found) == 1 else f"all {len(found)} comparisons"
    return (
        f"Paired over {unit}; 95 % Student-t intervals, not corrected, with one test sample as the least spread; a difference counts as "
        f"shown if p < 0.05 after Holm's correction for {counted} of this study, of at least {CLAIMING} units."
        f"{_elsewhere(found)}"
    )


def _elsewhere(found: Sequence[Contrast]) -> str:
    """What is done about comparisons that other studies make too."""
    others = dict.fromkeys(name for one in found for name in one.also)
    if not others:
        return ""
    count = sum(bool(one.also) for one in found)
    which = "One of them also stands" if count == 1 else f"{count} of them also stand"
    where = f"study {next(iter(others))}" if len(others) == 1 else f"studies {', '.join(others)}"
    return f" {which} in {where}, and {'counts' if count == 1 else 'count'} as shown only if shown under each study's correction."


def _truths(recovery: Mapping[str, float], bayes_rule: Mapping[str, float], headroom: Mapping[str, float]) -> list[str]:
    parts = [_ceiling(bayes_rule) + _most(headroom)] if bayes_rule else []
    return parts + ([_recovered(recovery)] if recovery else [])


def _recovered(recovery: Mapping[str, float]) -> str:
    values = ", ".join(f"{level}: {value:.2f}" for level, value in recovery.items()).replace("-", "−")
    return f"the true groups are found with these adjusted Rand indices ({values}), where 1 is perfect and 0 is chance"


def _ceiling(bayes_rule: Mapping[str, float]) -> str:
    shares = [in_percent(value, 1) for value in bayes_rule.values()]
    if len(set(shares)) == 1:
        return f"the Bayes rule, which no net beats on average, has an accuracy of {shares[0]}"
    values = ", ".join(f"{level}: {share}" for level, share in zip(bayes_rule, shares, strict=True))
    return f"the Bayes rule, which no net beats on average, has these accuracies ({values})"


def _most(headroom: Mapping[str, float]) -> str:
    """The bound that follows from the Bayes risk, and when it holds."""
    if not headroom:
        return ""
    values = ", ".join(f"{level}: {100 * value:.1f}" for level, value in headroom.items()).replace("-", "−")
    return (
        f"; so explanations, or whatever else a teacher says, can add to KD's accuracy at most these points ({values}), on average over "
        "test sets drawn as the training data are, and for accuracy alone"
    )


def _told(group: list[Contrast], *, brief: bool = False) -> str:
    """One comparison, at one level or at several."""
    if len(group) == 1:
        one = group[0]
        same = one.ours[0] == one.theirs[0]
        ours, theirs = (_label(side, level=not same) for side in (one.ours, one.theirs))
        size = _size(abs(one.difference.mean), one) if one.shown else _size(one.difference.mean, one, signed=True)
        verb = "are" if METHODS[one.ours[1]].plural else "is"
        return _VERDICTS[one.shown].format(
            ours=ours, verb=verb, theirs=theirs, size=size, interval=_interval(one), reason=_reason(one)
        )
    return _summed(group, brief=brief)


def _summed(group: list[Contrast], *, brief: bool) -> str:
    same = all(one.ours[0] == one.theirs[0] for one in group)
    ours, theirs = METHODS[group[0].ours[1]].label, _label(group[0].theirs, level=not same)
    parts = []
    for verdict, words in _SEVERAL.items():
        members = [one for one in group if one.shown == verdict]
        if members:
            each = "" if brief and not verdict else f" ({', '.join(one.ours[0] if brief else _of_level(one) for one in members)})"
            parts.append(f"{words} at {len(members)} of {len(group)} levels{each}")
    what = "agreement" if group[0].comparison.measure == "agreement" else "accuracy"
    return f"compared with {theirs}, the {what} of {ours} is {', '.join(parts)}"


def _of_level(one: Contrast) -> str:
    return f"{one.ours[0]}: {_number(one.difference.mean, one, signed=True)} {_interval(one)}{'' if one.shown else _reason(one)}"


def _label(side: Side, *, level: bool) -> str:
    label = METHODS[side[1]].label
    return f"{label} at “{side[0]}”" if level else label


def _reason(one: Contrast) -> str:
    """Why nothing is shown although there is no interval with zero in it: the reader would wonder."""
    if one.p >= ALPHA:
        return ""
    if one.units < CLAIMING:
        return " – too few units"
    if one.p != one.p:
        return " – which gives no interval"
    return f" – too little after Holm's correction{f' in study {one.decided_in}' * bool(one.decided_in)}"


def _size(value: float, one: Contrast, *, signed: bool = False) -> str:
    return _number(value, one, signed=signed) + _UNIT[one.comparison.measure][2]


def _number(value: float, one: Contrast, *, signed: bool = False) -> str:
    scale, form, _ = _UNIT[one.comparison.measure]
    text = format(scale * value, f"{'+' if signed else ''}{form}")
    return text.replace("-", "−") if float(text) else text.lstrip("+-")


def _interval(one: Contrast) -> str:
    low, high = one.difference.low, one.difference.high
    if low != low:
        return "without an interval" if one.units < LEAST else "at every unit"
    return f"[{_number(low, one, signed=True)}, {_number(high, one, signed=True)}]"
