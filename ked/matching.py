"""Superfeatures of two nets that were grouped differently: which one of the student's answers to which one of the teacher's.

The explanation loss compares subnet with subnet. Where the groups differ, in number or in content, subnets are paired by the
overlap of what they see, one to one; what finds no partner is left out of the loss, and the result says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ked.errors import InvalidInput
from ked.losses import SoftTarget


@dataclass(frozen=True)
class Matching:
    """Pairs of superfeatures, in the order of the student's.

    Attributes:
        pairs: (the student's number, the teacher's number), each number at most once.
        overlaps: Jaccard overlap of each pair, above 0 and at most 1; empty where pairs were made by number.
        note: One sentence about what does not fit; empty if each superfeature has an equal partner.
        whole: Whether pair m is (m, m) for all superfeatures of both, so that nothing has to be selected.
    """

    pairs: tuple[tuple[int, int], ...]
    overlaps: tuple[float, ...]
    note: str
    whole: bool

    @property
    def students(self) -> tuple[int, ...]:
        """The student's superfeatures that have a partner."""
        return tuple(mine for mine, _ in self.pairs)

    @property
    def teachers(self) -> tuple[int, ...]:
        """Their partners."""
        return tuple(theirs for _, theirs in self.pairs)

    def teacher_columns(self, target: SoftTarget) -> SoftTarget:
        """The matched explanations (N, pairs, C) of a teacher's (N, M', C), so that the mean over them is over the pairs."""
        if self.whole:
            return target
        columns = list(self.teachers)
        return SoftTarget(target.probabilities[:, columns], target.negentropy[:, columns], target.temperature)


class Grouped(Protocol):
    """Whatever has superfeatures: a net, or what was heard of one."""

    @property
    def groups(self) -> Sequence[Sequence[int]]: ...


def matching(student: Grouped, teacher: Grouped) -> Matching:
    """Which superfeature of a student answers to which one of its explaining teacher's: by overlap, and channels by number."""
    if any(getattr(net, "of_channels", False) for net in (student, teacher)):
        return match_by_number(len(student.groups), len(teacher.groups))
    return match(student.groups, teacher.groups)


def match(student: Sequence[Iterable[int]], teacher: Sequence[Iterable[int]]) -> Matching:
    """Pair the student's superfeatures with the teacher's, one to one, so that the sum of Jaccard overlaps is largest.

    Args:
        student, teacher: Their groups of feature indices, of the same features, M and M' of them.

    Raises:
        InvalidInput: The two speak of different features.
    """
    from scipy.optimize import linear_sum_assignment

    mine, theirs = [frozenset(group) for group in student], [frozenset(group) for group in teacher]
    if frozenset().union(*mine) != frozenset().union(*theirs):
        counts = [len(frozenset().union(*groups)) for groups in (mine, theirs)]
        raise InvalidInput(
            f"the student's superfeatures ({counts[0]} features) and the teacher's ({counts[1]}) must be of the same features."
        )
    overlap = np.array([[len(one & other) / len(one | other) for other in theirs] for one in mine])
    chosen = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
    # A pair without a common feature is an artefact of one-to-one: nothing ties the two subnets together.
    pairs = tuple((int(i), int(j)) for i, j in chosen if overlap[i, j] > 0)
    overlaps = tuple(float(overlap[i, j]) for i, j in pairs)
    whole = pairs == tuple((m, m) for m in range(max(len(mine), len(theirs))))
    return Matching(pairs, overlaps, _note(pairs, overlaps, len(mine), len(theirs)), whole)


def match_by_number(student: int, teacher: int) -> Matching:
    """Pair branch m with branch m, for groups of channels, which two nets do not share; what is over is left out.

    Args:
        student, teacher: How many branches each has.
    """
    pairs = tuple((m, m) for m in range(min(student, teacher)))
    whole = student == teacher
    note = (
        ""
        if whole
        else f"The student's {student} branches were matched with the teacher's {teacher} by number; the last "
        f"{abs(student - teacher)} of the {'student' if student > teacher else 'teacher'} took no part in the explanation loss."
    )
    return Matching(pairs, (), note, whole)


def _note(pairs: Sequence[tuple[int, int]], overlaps: Sequence[float], student: int, teacher: int) -> str:
    if len(pairs) == student == teacher and min(overlaps) == 1:
        return ""
    missing = [
        f"superfeature{'s' * (len(numbers) > 1)} {', '.join(str(m + 1) for m in numbers)} of the {who}"
        for who, numbers in (
            ("student", sorted({*range(student)} - {i for i, _ in pairs})),
            ("teacher", sorted({*range(teacher)} - {j for _, j in pairs})),
        )
        if numbers
    ]
    left_out = f"; {' and '.join(missing)} found no partner and took no part in the explanation loss" if missing else ""
    return (
        f"The student's {student} superfeatures were matched with the teacher's {teacher} by overlap, which gave "
        f"{len(pairs)} pair{'s' * (len(pairs) != 1)} with a mean Jaccard overlap of {sum(overlaps) / len(pairs):.2f}{left_out}."
    )
