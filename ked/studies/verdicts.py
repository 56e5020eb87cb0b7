"""One comparison has one verdict: what stands in several studies is shown only if it is shown under each one's correction.

Holm's correction is for the family of a study's comparisons, so that the same two nets would count as apart in a study that asks little
and not in one that asks much.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from ked.errors import InvalidInput
from ked.studies import catalogue
from ked.studies.cells import Cell, Settings, cells_of
from ked.studies.outcome import Contrast, Side, contrasts
from ked.studies.study import BEST, Comparison, Study

Rows = Callable[[Study, tuple[Cell, ...]], pd.DataFrame]
"""A study and its cells -> those that are finished, as `ked.studies.outcome.cell_table` has them."""

Identity = tuple[str, tuple[tuple[str, ...], ...]]
"""What is measured, and the keys of the nets of both sides: equal in two studies where these compare the same nets."""


def unified(study: Study, settings: Settings, found: Sequence[Contrast], rows: Rows) -> list[Contrast]:
    """A study's contrasts, each with the largest of the adjusted p values that it has in the studies in which it stands.

    Args:
        study, settings: Whose contrasts, and for what settings; the other studies are taken with the same.
        found: Of `ked.studies.outcome.contrasts`, adjusted for this study alone.
        rows: Where the cells of another study come from.
    """
    own = _Nets(study, settings)
    mine = [own.identity(one.comparison.measure, one.ours, one.theirs) for one in found]
    elsewhere: dict[Identity, dict[str, Contrast]] = {identity: {} for identity in mine}
    for other in catalogue.STUDIES.values():
        nets = _nets_of(other, settings) if other.name != study.name else None
        if nets is None or not nets.may_hold(elsewhere):
            continue
        for one in contrasts(other, rows(other, nets.cells), list(other.levels(settings.scale))):
            identity = nets.identity(one.comparison.measure, one.ours, one.theirs)
            if identity in elsewhere:
                elsewhere[identity][other.name] = one
    return [_strictest(one, elsewhere[identity]) for one, identity in zip(found, mine, strict=True)]


def _strictest(one: Contrast, others: Mapping[str, Contrast]) -> Contrast:
    """A contrast with the largest adjusted p value, of its own study and of the others (by name) that have as many units finished."""
    elsewhere = {study: other.adjusted for study, other in others.items() if other.units == one.units}
    name = max(elsewhere, key=lambda study: elsewhere[study], default="")
    if not name or not elsewhere[name] > one.adjusted:
        return replace(one, also=tuple(elsewhere))
    return replace(one, also=tuple(elsewhere), adjusted=elsewhere[name], decided_in=name)


def _nets_of(study: Study, settings: Settings) -> _Nets | None:
    """None where a study cannot have these settings."""
    try:
        return _Nets(study, settings)
    except InvalidInput:
        return None


class _Nets:
    """Which nets a study compares, by the keys of their stages."""

    def __init__(self, study: Study, settings: Settings) -> None:
        self.study, self.cells = study, cells_of(study, settings)
        self._levels: dict[str, list[Cell]] = {}
        for cell in self.cells:
            self._levels.setdefault(cell.level, []).append(cell)

    def identity(self, measure: str, ours: Side, theirs: Side) -> Identity:
        """Equal for the same nets, whichever is taken from the other."""
        return measure, tuple(sorted((self._keys(measure, ours), self._keys(measure, theirs))))

    def may_hold(self, wanted: Container[Identity]) -> bool:
        """Whether one of these may be among the study's comparisons, finished or not."""
        return any(identity in wanted for comparison in self.study.comparisons for identity in self._possible(comparison))

    def _possible(self, comparison: Comparison) -> list[Identity]:
        named = [level for level in comparison.levels if level in self._levels]
        if not comparison.levels or BEST in comparison.levels:
            named = list(self._levels)
        sides = [((level, comparison.method), (comparison.against_level or level, comparison.against)) for level in named]
        return [self.identity(comparison.measure, *pair) for pair in sides]

    def _keys(self, measure: str, side: Side) -> tuple[str, ...]:
        """Of each teacher's students; agreement is with the explaining teacher, so that it counts too."""
        level, method = side
        wanted = (f"student-{method}", "explaining") if measure == "agreement" else (f"student-{method}",)
        return tuple(cell.stages.get(stage, "") for cell in self._levels[level] for stage in wanted)
