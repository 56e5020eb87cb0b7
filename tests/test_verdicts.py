"""One comparison has one verdict, however many studies it stands in; and what is done about it is said in place."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from study_samples import TINY, record_of

from explorer.words.studies import contrast_table
from ked.studies import STUDIES, Comparison, Study, ledger
from ked.studies.cells import Settings, cells_of
from ked.studies.report import Report, report, shipped_report
from ked.studies.shipped import RESULTS
from ked.studies.study import SCALES

FIVE = Settings(seeds=5, teachers=1)
SMALL = replace(TINY, name="small-family", axis={"M = 2": {"superfeatures": 2}}, comparisons=(Comparison("ked", "kd"),))
LARGE = replace(
    TINY,
    name="large-family",
    axis={f"{M} groups": {"superfeatures": M} for M in (2, 3, 4, 5, 6)},
    comparisons=(Comparison("kd", "ked"), Comparison("ked", "kd", measure="accuracy", levels=("3 groups",))),
)


def keep(study: Study, gain: dict[str, list[float]]) -> None:
    """Let its cells be finished, with these gains of KED over KD; other levels have none."""
    for cell in cells_of(study, FIVE):
        record = record_of(cell)
        more = gain.get(cell.level, [0.0, 0.001, -0.001, 0.002, -0.002])
        record.nets["ked"]["accuracy"] = [value + one for value, one in zip(record.nets["kd"]["accuracy"], more, strict=True)]
        ledger.write(study.name, record)


GAIN = [0.014, 0.002, 0.010, 0.005, 0.009]  # p = 0.02: enough for one comparison, too little for six


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> tuple[Report, Report]:
    for study, level in ((SMALL, "M = 2"), (LARGE, "2 groups")):
        monkeypatch.setitem(STUDIES, study.name, study)
        keep(study, {level: GAIN})
    return report(SMALL, FIVE), report(LARGE, FIVE)


def test_the_same_nets_have_the_verdict_of_the_strictest_study(two: tuple[Report, Report]) -> None:
    small, large = two
    (one,), other = small.contrasts, large.contrasts[0]
    assert one.p == pytest.approx(other.p)
    assert 0.05 / 6 < one.p < 0.05 < one.adjusted
    assert one.adjusted == other.adjusted == pytest.approx(6 * one.p)
    assert (one.shown, other.shown) == (0, 0)
    assert (one.also, one.decided_in) == (("large-family",), "large-family")
    assert (other.also, other.decided_in) == (("small-family",), "")
    assert all(not rest.also for rest in large.contrasts[1:]), "no other study compares these nets"


def test_why_is_said_where_the_verdict_stands(two: tuple[Report, Report]) -> None:
    small, _ = two
    assert small.answer.endswith("– too little after Holm's correction in study large-family).")
    assert small.note.endswith(
        "for the one comparison of this study, of at least 4 units. One of them also stands in study large-family, and counts as shown "
        "only if shown under each study's correction."
    )
    assert contrast_table(small.contrasts)["also in study"].tolist() == ["large-family"]
    assert small.contrast_table["also_in"].tolist() == ["large-family"]


def test_a_study_with_fewer_teachers_finished_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It speaks of fewer teachers, so it is another comparison until it is complete."""
    teachers, (whole, part) = Settings(seeds=2, teachers=5), (SMALL, replace(SMALL, name="unfinished"))
    for study in (whole, part):
        monkeypatch.setitem(STUDIES, study.name, study)
    for gain, cell, other in zip(GAIN, cells_of(whole, teachers), cells_of(part, teachers), strict=True):
        record = record_of(cell)
        record.nets["ked"]["accuracy"] = [value + gain for value in record.nets["kd"]["accuracy"]]
        ledger.write(whole.name, record)
        if cell.teacher < 4:
            ledger.write(part.name, replace(record, key=other.key))
    (one,), (other_one,) = report(whole, teachers).contrasts, report(part, teachers).contrasts
    assert (one.units, one.shown, one.also) == (5, 1, ())
    assert (other_one.units, other_one.also) == (4, ())


def test_alone_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STUDIES, SMALL.name, SMALL)
    keep(SMALL, {"M = 2": GAIN})
    (one,) = report(SMALL, FIVE).contrasts
    assert (one.shown, one.also, one.decided_in) == (1, (), "")


def test_agreement_with_another_teacher_is_another_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    """A student of labels alone does not depend on its explaining teacher, but its agreement does."""
    agree = (Comparison("ked", "architecture", measure="agreement"),)
    plain = replace(SMALL, methods=("ked", "architecture"), comparisons=agree)
    other = replace(plain, name="other", axis={"M = 2, other teacher": {"superfeatures": 2, "teacher_epochs": 2}})
    for study in (plain, other):
        monkeypatch.setitem(STUDIES, study.name, study)
        for cell in cells_of(study, FIVE):
            ledger.write(study.name, record_of(cell))
    assert all(not one.also for one in report(plain, FIVE).contrasts)


@pytest.mark.parametrize("scale", [scale for scale in SCALES if (RESULTS / scale).is_dir()])
def test_no_shipped_comparison_has_two_verdicts(scale: str) -> None:
    verdicts: dict[tuple[object, ...], set[tuple[float, int]]] = defaultdict(set)
    for name, study in STUDIES.items():
        if not (RESULTS / scale / name / "cells.csv").is_file():
            continue
        found = shipped_report(study, scale)
        values = found.cells.set_index(["level", "net", "unit"]).sort_index()
        for one in found.contrasts:
            sides = tuple(tuple(values.loc[side, one.comparison.measure]) for side in (one.ours, one.theirs))
            verdicts[one.comparison.measure, one.ours[1], one.theirs[1], *sides].add((round(one.adjusted, 12), one.shown))
    assert verdicts
    assert {key[:3]: found for key, found in verdicts.items() if len(found) > 1} == {}
    assert np.mean([len(found) for found in verdicts.values()]) == 1
