"""Studies: the grids have the cells that they promise, contrasts are what a hand computes, sentences follow the numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd
import pytest
from study_samples import TINY

from ked.data import load
from ked.errors import InvalidInput
from ked.groupings import GROUPINGS
from ked.library import NAME_LENGTH, clean_name, clean_tags
from ked.methods import METHODS
from ked.runs.build_nets import check
from ked.statistics import holm, paired_difference
from ked.studies import BEST, STUDIES, Comparison, Study, study_named
from ked.studies.cells import APART, Cell, Settings, cells_of
from ked.studies.ledger import Record
from ked.studies.outcome import Contrast, best_level, cell_table, contrasts, net_table
from ked.studies.words import answer, note

PROMISED = {
    "kd-vs-ked": 1,
    "m-sweep": 8,
    "noise": 1,
    "grouping": len(GROUPINGS),
    "architecture": 1,
    "terms": 6,
    "temperatures": 3 * 3 * 3 * 2,
    "chimera": 5,
    "attribution": 2,
    "correlation": 13,
    "bound": 4,
    "mismatch": 9,
}


def _record(cell: Cell, nets: dict[str, list[float]], **more: list[float]) -> Record:
    """A cell's outcome with these accuracies, a value a seed."""
    values = {net: {"accuracy": accuracy, "seconds": 1.0, **more} for net, accuracy in nets.items()}
    return Record(cell.key, "a-run", 1.0, values, {"modularity": 0.2, "adjusted": "", "sizes": [1]})


def _contrast(difference: list[float], adjusted: float, p: float = 0.01, measure: str = "accuracy", level: str = "M = 2") -> Contrast:
    found = paired_difference(difference, [0.0] * len(difference))
    comparison = Comparison("ked", "kd", measure=measure)  # type: ignore[arg-type]
    return Contrast(comparison, (level, "ked"), (level, "kd"), found, len(difference), p, adjusted)


def test_every_promised_study_is_there() -> None:
    assert PROMISED.items() <= {name: len(study.axis) for name, study in STUDIES.items()}.items()


@pytest.mark.parametrize(
    ("study", "scale"), [(study, scale) for study in STUDIES.values() for scale in study.scales], ids=lambda one: getattr(one, "name", one)
)
def test_a_grid_has_a_valid_cell_for_each_level_and_teacher_all_different(study: Study, scale: str) -> None:
    cells = cells_of(study, Settings(scale, seeds=5, teachers=2))
    assert len(cells) == 2 * len(study.levels(scale)) == len({cell.key for cell in cells})
    assert {cell.recipe.seed for cell in cells} == {0, APART}
    assert {cell.recipe.seeds for cell in cells} == {5}
    for cell in cells:
        assert clean_name(cell.name[:NAME_LENGTH])
        assert clean_tags([cell.study]) == [study.name]


@pytest.mark.parametrize("study", STUDIES.values(), ids=lambda study: study.name)
def test_every_comparison_names_levels_and_methods_that_its_study_has(study: Study) -> None:
    for scale in study.scales:
        cells = {cell.level: cell.recipe.methods for cell in cells_of(study, Settings(scale))}
        for comparison in study.comparisons:
            assert {comparison.method, comparison.against} <= set(METHODS)
            assert set(comparison.levels) <= {*study.axis, BEST}
            there = [level for level in comparison.levels or cells if level in cells]
            for level in there:
                assert comparison.method in cells[level] or not comparison.levels
                assert comparison.against in cells[comparison.against_level or level] or not comparison.levels
            assert not there or any(comparison.method in methods for methods in cells.values())


def test_small_cells_fit_their_data() -> None:
    recipes = [cell.recipe for study in STUDIES.values() for cell in cells_of(study, Settings())]
    for name in {recipe.dataset for recipe in recipes}:
        dataset = load(name)
        for recipe in (recipe for recipe in recipes if recipe.dataset == name):
            check(recipe, dataset.few(recipe.train_size, 0) if recipe.train_size else dataset)


def test_the_papers_scale_is_the_papers_recipe() -> None:
    (cell,) = cells_of(study_named("architecture"), Settings("paper", seeds=5, teachers=1))
    recipe = cell.recipe
    assert (recipe.dataset, recipe.teacher_hidden, recipe.student_hidden) == ("fashion-mnist", (500, 500), (60, 60))
    assert (recipe.teacher_epochs, recipe.epochs, recipe.superfeatures, recipe.seeds) == (100, 100, 4, 5)
    assert (recipe.batch_for("teacher", 48_000), recipe.batch_for("student", 48_000)) == (500, 100)
    assert (recipe.temperature, recipe.tau, recipe.lam, recipe.mu) == (10, 10, 0.7, 0.7)


@pytest.mark.parametrize(
    ("study", "settings", "words"),
    [
        ("noise", Settings("large"), "'large'"),
        ("grouping", Settings("emoji"), "'emoji' is not one of study 'grouping'; use one of small, pairs"),
        ("noise", Settings(teachers=0), "teachers = 0"),
        ("noise", Settings(seeds=1, teachers=1), "seeds"),
        ("noise", Settings(dataset="imagenet"), "'imagenet'"),
        ("correlation", Settings(dataset="digits"), "'digits'"),
        ("m-sweep", Settings(fields={"superfeatures": 4}), "superfeatures"),
    ],
)
def test_a_wrong_setting_is_refused(study: str, settings: Settings, words: str, one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        cells_of(study_named(study), settings)
    one_sentence(str(caught.value))


def test_contrasts_are_the_paired_differences_that_a_hand_computes() -> None:
    first, second = cells_of(TINY, Settings(teachers=1))
    records = {
        first.key: _record(first, {"kd": [0.80, 0.82, 0.81], "ked": [0.84, 0.84, 0.84]}),
        second.key: _record(second, {"kd": [0.70, 0.70, 0.70], "ked": [0.85, 0.89, 0.87]}),
    }
    found = contrasts(TINY, cell_table((first, second), records), list(TINY.axis))
    assert [(one.ours, one.theirs) for one in found] == [
        (("M = 2", "ked"), ("M = 2", "kd")),
        (("M = 3", "ked"), ("M = 3", "kd")),
        (("M = 3", "ked"), ("M = 2", "ked")),
    ]
    assert [float(one.difference.mean) for one in found] == pytest.approx([0.03, 0.17, 0.03])
    half = 4.30265273 * 0.01 / math.sqrt(3)  # t(0.975, 2) s / sqrt(3), with differences 0.04, 0.02 and 0.03
    assert (found[0].difference.low, found[0].difference.high) == pytest.approx((0.03 - half, 0.03 + half))
    assert [one.adjusted for one in found] == holm([one.p for one in found])


def test_students_of_one_teacher_count_as_one_where_there_are_several_teachers() -> None:
    settings = Settings(seeds=2, teachers=3)
    cells = [cell for cell in cells_of(TINY, settings) if cell.level == "M = 2"]
    records = {cell.key: _record(cell, {"kd": [0.5, 0.7], "ked": [0.6 + t / 10, 0.8 + t / 10]}) for t, cell in enumerate(cells)}
    (one,) = contrasts(TINY, cell_table(cells, records), list(TINY.axis))
    assert one.units == 3
    expected = paired_difference([0.7, 0.8, 0.9], [0.6, 0.6, 0.6])
    assert [float(value) for value in one.difference] == pytest.approx([float(value) for value in expected])


def test_a_teacher_that_is_finished_alone_is_never_paired_as_if_its_seeds_were_teachers() -> None:
    cells = [cell for cell in cells_of(TINY, Settings(seeds=2, teachers=2)) if cell.level == "M = 2"]
    records = {cells[0].key: _record(cells[0], {"kd": [0.5, 0.7], "ked": [0.6, 0.8]})}
    (one,) = contrasts(TINY, cell_table(cells, records), list(TINY.axis))
    assert one.units == 1
    assert one.shown == 0
    assert "without an interval" in answer([one])


def test_the_table_has_mean_and_interval_of_every_net_and_nothing_where_nothing_was_measured() -> None:
    first, _ = cells_of(TINY, Settings(teachers=1))
    records = {first.key: _record(first, {"teacher": [0.9], "kd": [0.80, 0.82, 0.81]})}
    table = net_table(cell_table((first,), records)).set_index("net")
    assert table.loc["kd", "accuracy"] == pytest.approx(0.81)
    assert table.loc["kd", "accuracy_high"] - 0.81 == pytest.approx(4.30265273 * 0.01 / math.sqrt(3))
    assert table["units"].to_dict() == {"teacher": 1, "kd": 3}
    assert math.isnan(table.loc["teacher", "accuracy_low"])
    assert table["agreement"].isna().all()


def test_validation_picks_the_best_level_and_test_data_do_not() -> None:
    rows = [("a", 0.7, 0.99), ("a", 0.8, 0.99), ("b", 0.9, 0.1), ("b", 0.9, 0.1), ("c", math.nan, 1.0)]
    cells = pd.DataFrame([{"level": level, "net": "ked", "validation": value, "accuracy": test} for level, value, test in rows])
    assert best_level(cells, "ked") == "b"
    assert best_level(cells, "kd") is None


def test_the_sentence_says_above_and_below_only_of_what_is_shown() -> None:
    assert answer([_contrast([0.02, 0.021, 0.019, 0.02], 0.01)]).startswith("KED is 2.0 points of accuracy above KD [")
    assert answer([_contrast([-0.02, -0.021, -0.019, -0.02], 0.01)]).startswith("KED is 2.0 points of accuracy below KD [")
    assert answer([_contrast([0.2, 0.21, 0.22, 0.21], 0.01, measure="agreement")]).startswith("KED is 0.210 of agreement (cosine) above")


def test_the_sentence_has_the_verb_of_its_label() -> None:
    found = paired_difference([0.02, 0.021, 0.019, 0.02], [0.0] * 4)
    sides = {name: Contrast(Comparison(name, "kd"), ("M", name), ("M", "kd"), found, 4, 0.01, 0.01) for name in ("noise", "mu0")}
    assert answer([sides["noise"]]).startswith("Noise explanations are 2.0 points")
    assert answer([sides["mu0"]]).startswith("KED without explanations is 2.0 points")


def test_the_sentence_begins_with_what_no_net_can_beat(one_sentence: Callable[[str], str]) -> None:
    one = _contrast([0.02, 0.021, 0.019, 0.02], 0.01)
    same, apart = answer([one], bayes_rule={"a": 0.7772, "b": 0.7773}), answer([one], bayes_rule={"a": 0.7772, "b": 0.5})
    assert same.startswith("The Bayes rule, which no net beats on average, has an accuracy of 77.7 %; KED is")
    assert "has these accuracies (a: 77.7 %, b: 50.0 %); KED is" in apart
    one_sentence(apart)
    bound = answer([one], bayes_rule={"a": 0.7772}, headroom={"a": 0.0423})
    assert "can add to KD's accuracy at most these points (a: 4.2), on average over test sets drawn as the training data are" in bound
    one_sentence(bound)


def test_the_sentence_says_not_shown_where_an_interval_holds_zero() -> None:
    doubtful = _contrast([0.02, -0.01, 0.005], 0.6, p=0.6)
    assert doubtful.difference.low < 0 < doubtful.difference.high
    assert answer([doubtful]).startswith("A difference between KED and KD is not shown (+0.5 points of accuracy [−")
    assert "above" not in answer([doubtful])


def test_the_sentence_says_why_an_interval_without_zero_may_not_be_enough() -> None:
    text = answer([_contrast([0.02, 0.03, 0.04, 0.03], adjusted=0.2, p=0.04)])
    assert "not shown" in text
    assert "too little after Holm's correction" in text


def test_two_seeds_that_happen_to_differ_by_the_same_show_nothing() -> None:
    one = _contrast([0.014, 0.014], adjusted=math.nan, p=math.nan)
    assert one.shown == 0
    assert answer([one]) == "A difference between KED and KD is not shown (+1.4 points of accuracy without an interval – too few units)."


def test_units_that_all_differ_by_the_same_have_no_interval_of_no_width() -> None:
    one, none = _contrast([0.014] * 5, adjusted=math.nan, p=math.nan), _contrast([0.0] * 5, adjusted=1.0, p=1.0)
    said = "A difference between KED and KD is not shown (+1.4 points of accuracy at every unit – which gives no interval)."
    assert answer([one]) == said
    assert answer([none]) == "A difference between KED and KD is not shown (0.0 points of accuracy at every unit)."


def test_several_levels_are_counted_in_one_clause(one_sentence: Callable[[str], str]) -> None:
    shown, doubtful = _contrast([0.02, 0.021, 0.022, 0.021], 0.01, level="M = 2"), _contrast([0.02, 0.0, -0.02], 0.9, p=0.9, level="M = 4")
    text = answer([shown, doubtful])
    assert "higher at 1 of 2 levels (M = 2: +2.1" in text
    assert "not shown to differ at 1 of 2 levels (M = 4: 0.0" in text
    one_sentence(text)
    assert text.count("KED") == 1


def test_planted_groups_are_told_how_well_they_were_found() -> None:
    text = answer([_contrast([0.02, 0.021, 0.019, 0.02], 0.01)], {"correlation 0": 1.0, "correlation 0.9": -0.02})
    assert text.startswith("The true groups are found")
    assert "(correlation 0: 1.00, correlation 0.9: −0.02), where 1 is perfect and 0 is chance; KED is 2.0" in text


def test_nothing_finished_is_no_answer(one_sentence: Callable[[str], str]) -> None:
    one_sentence(answer([]))
    assert note([], 1) == ""


def test_the_note_names_units_and_the_number_of_comparisons() -> None:
    both = [_contrast([0.02, 0.021, 0.022, 0.021], 0.01), _contrast([0.02, 0.03, 0.04, 0.03], 0.01)]
    assert "4 student seeds of one teacher, so all of this speaks for one teacher only" in note(both, 1)
    assert "all 2 comparisons" in note(both, 1)
    assert "Paired over 4 teachers, each trained and grouped by itself; the students of one teacher count as one" in note(both, 5)
