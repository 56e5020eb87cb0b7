"""What learning from explanations buys: KED students against students that lack something, paired by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ked.agreements.map_measures import ALL
from ked.agreements.survey import Survey
from ked.statistics import Interval, paired_difference

TAUGHT = "ked"
"""The students that learn from explanations."""

REFERENCES = ("mu0", "shuffled", "noise", "architecture", "kd-explaining", "kd", "plain")
"""Whom they are compared with: the fewer things differ, the earlier. The first four have explanations of their own."""


@dataclass(frozen=True)
class Contrast:
    """KED students minus others, mean and 95 % interval over the seeds; every gain is above zero if KED is better.

    Attributes:
        reference: The others' method.
        agreement: Gain in the chosen measure; None where the others have no explanations.
        answer: Gain in the share of samples on which student and teacher name the same class.
        accuracy: Gain in accuracy.
    """

    reference: str
    agreement: Interval | None
    answer: Interval
    accuracy: Interval


def contrasts(surveys: Mapping[str, Survey], measure: str, references: Sequence[str] = REFERENCES) -> list[Contrast]:
    """KED against every other student of the run that it can be compared with; none where the run has no KED students.

    Args:
        surveys: Method -> survey, all of the same seeds and samples.
        measure: A key of `ALL`.
        references: Whom to compare with, in this order, of those that there are.
    """
    if TAUGHT not in surveys:
        return []
    taught = surveys[TAUGHT]
    return [_contrast(name, taught, surveys[name], measure) for name in references if name in surveys]


def _contrast(reference: str, taught: Survey, other: Survey, measure: str) -> Contrast:
    accuracy = paired_difference(taught.correct.mean(axis=1).tolist(), other.correct.mean(axis=1).tolist())
    agreement = _gain(taught, other, measure) if measure in other.samples else None
    return Contrast(reference, agreement, _gain(taught, other, "answer"), accuracy)


def _gain(taught: Survey, other: Survey, name: str) -> Interval:
    pair = taught, other
    mine, theirs = (list(survey.mean(name)) for survey in (pair if ALL[name].more_is_better else pair[::-1]))
    return paired_difference(mine, theirs)


def shown(gain: Interval) -> int:
    """1 if the interval lies above zero, -1 if below, 0 if it holds zero or there is none (too few seeds)."""
    return int(np.nan_to_num(gain.low) > 0) - int(np.nan_to_num(gain.high) < 0)
