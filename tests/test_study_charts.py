"""The figures of studies: every dot and interval is a number of the report, and what is not shown does not look as if it were."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from study_samples import ONE_TEACHER, TINY, TWO_SEEDS, keep, record_of

from explorer.pictures import study_figures, theme
from explorer.pictures.levels import Scale
from explorer.pictures.study_charts import Line, along, in_rows
from explorer.pictures.study_differences import Difference, differences
from explorer.study_results import outcome
from explorer.words import studies
from ked.statistics import interval
from ked.studies import STUDIES, ledger, study_named
from ked.studies.authors import AUTHORS
from ked.studies.cells import Settings, cells_of
from ked.studies.report import Report, report

PERCENT = Scale("test accuracy, %", 100.0, 1)


def _of(name: str, settings: Settings = ONE_TEACHER) -> Report:
    study = study_named(name)
    keep(study, settings)
    return report(study, settings)


def _named(figure: go.Figure, name: str) -> Any:
    (trace,) = [trace for trace in figure.data if trace.name == name]
    return trace


def _difference(mean: float, half: float, shown: int, heading: str = "KED − KD", level: str = "M = 2") -> Difference:
    return Difference(heading, level, "ked", mean, mean - half, mean + half, f"{mean:+.1f}", "told", shown, level)


def test_a_forest_has_a_dot_and_an_interval_for_each_contrast() -> None:
    study = study_named("m-sweep")
    for number, cell in enumerate(cells_of(study, ONE_TEACHER)):
        record = record_of(cell)
        shift = (-0.05, 0, 0.05)[number % 3]
        record.nets["ked"]["accuracy"] = [value + shift + 0.001 * (-1) ** k for k, value in enumerate(record.nets["mu0"]["accuracy"])]
        ledger.write(study.name, record)
    about = report(study, ONE_TEACHER)
    forests = study_figures.forests(about)
    for measure, factor in (("accuracy", 100), ("agreement", 1)):
        found = [one for one in about.contrasts if one.comparison.measure == measure]
        dots = [trace for trace in forests[measure].data if trace.mode == "markers"]  # type: ignore[index]
        ends = [trace for trace in forests[measure].data if trace.mode == "lines"]  # type: ignore[index]
        there = [one for one in found if one.difference.low == one.difference.low]
        assert (len(found), len(there)) == (len(dots), len(ends))
        for one, line in zip(there, ends, strict=True):
            assert list(line.x) == pytest.approx([factor * one.difference.low, factor * one.difference.high])
        for one, dot in zip(found, dots, strict=True):
            assert dot.x[0] == pytest.approx(factor * one.difference.mean)
            assert dot.name == ("shown" if one.shown else "not shown")
            assert dot.customdata[0] == one.ours[0]
    assert {one.shown for one in about.contrasts} == {0, 1, -1}, "the sample has to have all kinds"


def test_what_is_not_shown_is_hollow_thin_and_pale() -> None:
    figure = differences([_difference(1, 0.5, 1), _difference(1, 2, 0, level="M = 3")], "points")
    shown, hidden = (trace for trace in figure.data if trace.mode == "markers")
    assert (shown.marker.color, hidden.marker.color) == (theme.method_colour("ked"), theme.PAPER)
    first, second = (trace for trace in figure.data if trace.mode == "lines")
    assert first.line.width > 2 * second.line.width
    assert first.line.dash != second.line.dash
    texts = [note.text for note in figure.layout.annotations]
    assert "<b>+1.0</b>" in texts
    assert "KED − KD" in texts, "a heading stands once over its levels"
    assert texts.count("KED − KD") == 1


def test_zero_is_always_in_view_and_an_interval_that_is_none_is_not_drawn() -> None:
    nothing = float("nan")
    figure = differences([Difference("KED − KD", "", "ked", 3.0, nothing, nothing, "+3.0", "told", 0, "M = 2")], "points")
    low, high = figure.layout.xaxis.range
    assert low < 0 < 3 < high
    assert [trace.mode for trace in figure.data] == ["markers"]
    assert any(shape.x0 == shape.x1 == 0 for shape in figure.layout.shapes)


def test_lines_go_through_the_means_with_seeds_beside_them() -> None:
    values = {1.0: np.array([0.8, 0.9, 0.85]), 4.0: np.array([0.7, 0.8, 0.75])}
    lines = [Line("ked", "KED", values, ["M = 1", "M = 4"], legend="KED"), Line("kd", "KD", values, ["M = 1", "M = 4"], legend="KD")]
    figure = along(lines, {1.0: "1", 4.0: "4"}, "M", PERCENT, log=True, marks={"ked": {4.0: 0.75}})
    line, seeds = _named(figure, "KED"), _named(figure, "KED, seeds")
    assert list(line.y) == pytest.approx([85, 75])
    assert list(line.error_y.array) == pytest.approx([100 * (found.high - found.mean) for found in map(interval, values.values())])
    assert sorted(seeds.y) == pytest.approx([70, 75, 80, 80, 85, 90])
    assert line.x[1] != _named(figure, "KD").x[1], "intervals of two methods stand side by side"
    (cross,) = [trace for trace in figure.data if "authors" in trace.name]
    assert (list(cross.x), list(cross.y)) == ([4.0], [75.0])
    assert figure.layout.xaxis.type == "log"


def test_two_levels_of_spread_are_drawn_and_teachers_are_the_unit() -> None:
    values = np.array([[0.8, 0.9], [0.7, 0.8], [0.6, 0.9]])  # a row a teacher
    teachers = values.mean(axis=1)
    row = in_rows({"A": {"ked": values}}, PERCENT, labels={})
    assert sorted(_named(row, "ked, students").x) == pytest.approx(sorted(100 * values.ravel()))
    assert list(_named(row, "ked, teachers").x) == pytest.approx(100 * teachers)
    assert list(_named(row, "ked, interval").x)[:2] == pytest.approx([100 * end for end in interval(teachers)[1:]])
    line = along([Line("ked", "KED", {1.0: values}, ["M = 1"], legend="KED")], {1.0: "1"}, "M", PERCENT)
    assert list(_named(line, "KED, teachers").y) == pytest.approx(100 * teachers)
    assert _named(line, "KED").error_y.array[0] == pytest.approx(100 * (interval(teachers).high - teachers.mean()))
    assert len(_named(line, "KED, students").y) == values.size


def test_an_interval_is_told_only_where_there_is_one() -> None:
    for values, told in (([0.8, 0.9], ""), ([0.8] * 5, ""), ([0.8, 0.9, 0.85], " ± 12.4")):
        figure = in_rows({"A": {"ked": np.array(values)}}, PERCENT, labels={})
        assert figure.layout.annotations[-1].text == f"<b>{100 * np.mean(values):.1f}</b>{told}"
        assert _named(figure, "ked").text[0] == told.replace("12.4", "12.42")


def test_rows_are_told_by_sign_or_named_by_their_net() -> None:
    one = np.array([0.8, 0.9, 0.85])
    groups = {"A": {"teacher": np.array([0.95]), "ked": one, "mu0": one}, "B": {"kd": one, "kd+at": one}}
    figure = in_rows(groups, PERCENT, labels={"kd+at": "KD + AT"}, quiet=("teacher",))
    ticks = list(figure.layout.yaxis.ticktext)
    assert ticks[0] == "A"
    assert ticks[1:] == ["B, kd", "B, KD + AT"], "nets of one sign are named"
    assert {trace.name for trace in figure.data if trace.showlegend} == {"teacher", "ked", "mu0"}
    alone = in_rows({"A": groups["A"]}, PERCENT, labels={}, quiet=("teacher",), marks={("A", "ked"): 0.7})
    assert list(alone.layout.yaxis.ticktext) == ["teacher", "ked", "mu0"]
    (cross,) = [trace for trace in alone.data if "authors" in trace.name]
    assert list(cross.x) == [pytest.approx(70)]
    assert list(cross.y) == list(_named(alone, "ked").y)
    assert list(_named(alone, "ked, interval").x)[:2] == pytest.approx([100 * end for end in interval(one)[1:]])


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_has_figures_of_all_its_accuracies(name: str) -> None:
    about = _of(name)
    figure = study_figures.by_level(about, "accuracy")
    assert figure is not None
    students = about.cells[~about.cells["net"].isin(study_figures.QUIET)]
    along = name in ("m-sweep", "chimera")
    shown = np.concatenate([trace.y if along else trace.x for trace in figure.data if trace.name.endswith(", seeds")])
    assert sorted(shown) == pytest.approx(sorted(100 * students["accuracy"]))
    assert (study_figures.by_level(about, "agreement") is None) == students["agreement"].isna().all()
    assert set(study_figures.forests(about)) == {one.comparison.measure for one in about.contrasts}
    assert len(studies.contrast_table(about.contrasts)) == len(about.contrasts)
    assert len(studies.net_table(about)) == len(about.table)


def test_levels_lie_where_their_numbers_are() -> None:
    sweep = study_figures.by_level(_of("m-sweep"), "accuracy")
    assert list(sweep.layout.xaxis.tickvals) == [1, 2, 3, 4, 6, 8, 12, 16]  # type: ignore[union-attr]
    few = study_figures.by_level(_of("chimera"), "accuracy")
    assert list(few.layout.xaxis.ticktext) == ["50", "100", "200", "500", "all"]  # type: ignore[union-attr]
    planted = study_figures.of_groups(_of("correlation"), "recovery", "found")
    assert list(_named(planted, "found, within groups, seeds").x) == pytest.approx([0, 0.3, 0.6, 0.8, 0.9, 0.95], abs=0.02)
    assert list(_named(planted, "found, across groups, seeds").x) == pytest.approx([0.6, 0.95], abs=0.02)


def test_modularity_and_recovery_have_figures_where_they_are_asked_about() -> None:
    def shown(name: str) -> tuple[bool, bool]:
        study = study_named(name)
        keep(study, Settings())
        found = outcome(study, Settings())
        assert found.report.missing == ()
        return found.modularity is not None, found.recovery is not None

    assert [shown(name) for name in ("m-sweep", "correlation", "noise")] == [(True, False), (False, True), (False, False)]


def test_the_authors_numbers_are_crosses_beside_ours() -> None:
    figure = study_figures.by_level(_of("architecture", Settings("paper")), "accuracy")
    crosses = {trace.name.split(",")[0]: trace.x[0] for trace in figure.data if "authors" in trace.name}  # type: ignore[union-attr]
    theirs = {study_figures.LABELS[net]: pytest.approx(100 * value) for net, value in AUTHORS.accuracy.items()}
    assert crosses == {name.split(",")[0]: value for name, value in theirs.items()}
    small = study_figures.by_level(_of("architecture"), "accuracy")
    assert not [trace for trace in small.data if "authors" in trace.name]  # type: ignore[union-attr]


def test_an_outcome_is_made_once_until_a_cell_comes() -> None:
    study = study_named("noise")
    keep(study, Settings())
    first = outcome(study, Settings())
    assert outcome(study, Settings()) is first
    keep(study, Settings(), shift=0.01)
    assert outcome(study, Settings()) is not first


def test_a_difference_of_nothing_has_no_sign_and_the_interval_of_one_unit_is_none() -> None:
    assert studies.signed(-0.00001, "accuracy") == "0.0"
    assert studies.signed(-0.0123, "accuracy") == "−1.2"
    assert studies.between(interval([0.5]), "accuracy") == ""


def test_every_study_is_asked_once_in_the_menu_also_one_without_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sorted(studies.titles()) == sorted(STUDIES)
    monkeypatch.setitem(STUDIES, "tiny", TINY)
    assert studies.topics()[studies.OTHERS]["tiny"] == "tiny"
    keep(TINY, TWO_SEEDS)
    assert studies.command_line(report(TINY, TWO_SEEDS)) == "python -m ked study tiny --seeds 2 --teachers 1"
