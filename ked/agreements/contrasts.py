"""What learning from explanations buys: KED students against students that lack something, paired by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ked.agreements.map_measures import ALL
from ked.agreements.survey import Survey
from ked.statistics import Difference, Interval, family, paired_difference

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
        accuracy: Gain in accuracy; what is shown of it does not depend on the measure.
    """

    reference: str
    agreement: Difference | None
    answer: Interval
    accuracy: Difference


def contrasts(surveys: Mapping[str, Survey], measure: str, references: Sequence[str] = REFERENCES) -> list[Contrast]:
    """KED against every other student of the run that it can be compared with; none where the run has no KED students.

    Args:
        surveys: Method -> survey, all of the same seeds and samples. Of those in `REFERENCES` the accuracies are one family of
            comparisons and the agreements another, whichever are asked for; anybody else is compared alone.
        measure: A key of `ALL`.
        references: Whom to compare with, in this order, of those that there are.
    """
    if TAUGHT not in surveys:
        return []
    taught = surveys[TAUGHT]
    accuracy: dict[str, Difference] = {}
    agreement: dict[str, Difference] = {}
    for names in (REFERENCES, *([name] for name in references if name not in REFERENCES)):
        those = {name: surveys[name] for name in names if name in surveys}
        accuracy |= accuracy_gains({name: one.correct.mean(axis=1) for name, one in surveys.items()}, len(taught.labels), [*those])
        agreement |= family({name: _pair(taught, one, measure) for name, one in those.items() if measure in one.samples})
    return [
        Contrast(name, agreement.get(name), paired_difference(*_pair(taught, surveys[name], "answer")), accuracy[name])
        for name in references
        if name in surveys
    ]


def accuracy_gains(
    accuracies: Mapping[str, Sequence[float] | np.ndarray], samples: int, references: Sequence[str] = REFERENCES
) -> dict[str, Difference]:
    """The accuracies of KED students minus those of each other student of a run, as one family of comparisons.

    Args:
        accuracies: Method -> test accuracy, one a seed.
        samples: On how many test samples.
        references: Whom to compare with, of those that there are.
    """
    taught = accuracies[TAUGHT]
    return family({name: (taught, accuracies[name]) for name in references if name in accuracies}, resolution=1 / samples)


def _pair(taught: Survey, other: Survey, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Both sides of a difference that is above zero where the first one agrees more."""
    mine, theirs = taught.mean(name), other.mean(name)
    return (mine, theirs) if ALL[name].more_is_better else (theirs, mine)
