"""p values that go with the intervals, and Holm's correction, against second definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ked.statistics import holm, interval, p_value, paired_difference, step_of

VALUES = st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=3, max_size=8)


def test_the_p_value_is_that_of_scipys_paired_t_test() -> None:
    ours, theirs = [0.91, 0.95, 0.93, 0.97], [0.90, 0.91, 0.94, 0.90]
    assert p_value(ours, theirs) == pytest.approx(stats.ttest_rel(ours, theirs).pvalue)


@settings(max_examples=20)
@given(VALUES)
def test_p_is_below_five_percent_just_where_the_interval_leaves_zero_out(pairs: list[tuple[float, float]]) -> None:
    ours, theirs = zip(*pairs, strict=True)
    difference, p = paired_difference(ours, theirs), p_value(ours, theirs)
    if difference.low == difference.low and abs(p - 0.05) > 1e-9:
        assert (p < 0.05) == (not difference.low <= 0 <= difference.high)


@pytest.mark.parametrize("unit", [3, 4, 5, 10])
def test_nets_that_are_alike_are_rarely_told_apart_and_never_with_certainty(unit: int) -> None:
    """Nulls simulated as they are: two nets with the same chance to be right, alike on most of 359 samples."""
    random, n = np.random.default_rng(0), 359
    gained, lost = random.binomial(n, 0.004, (2, 4000, unit)) / n
    p = np.array([p_value(ours, theirs, 1 / n) for ours, theirs in zip(gained, lost, strict=True)])
    without = np.array([p_value(ours, theirs) for ours, theirs in zip(gained, lost, strict=True)])
    assert np.nanmin(p) > 0
    assert not np.isnan(p).any()
    assert np.mean(p < 0.05) < 0.055
    assert np.isnan(without).any() or unit > 5, "the sample has to have equal differences"
    assert np.all(p >= np.nan_to_num(without) - 1e-12)


def test_the_least_error_is_that_of_one_sample() -> None:
    step = 1 / 359
    same = interval([2 * step] * 4, step)
    assert (same.low, same.high) == pytest.approx((2 * step - 1.5912232 * step, 2 * step + 1.5912232 * step))
    assert p_value([2 * step] * 4, [0.0] * 4, step) == pytest.approx(2 * stats.t.sf(4, 3))
    wide = [0.1, 0.2, 0.4]
    assert interval(wide, step) == pytest.approx(interval(wide))


@pytest.mark.parametrize("n", [359, 1600, 10_000])
def test_the_size_of_a_test_set_is_found_from_its_accuracies(n: int) -> None:
    right = np.random.default_rng(n).integers(n // 2, n, 20)
    assert step_of(right / n) == pytest.approx(1 / n)
    assert step_of((right / n).astype(np.float32)) == pytest.approx(1 / n)


def test_numbers_that_are_no_shares_have_no_step() -> None:
    assert step_of(np.random.default_rng(0).random(20)) == 0
    assert step_of([0.0, 1.0]) == step_of([]) == 0


@pytest.mark.parametrize("values", [[0.953], [0.953, 0.953], [0.9, 0.95], [0.95] * 5, [0.95 - 0.93, 0.97 - 0.95, 0.99 - 0.97]])
def test_few_seeds_and_seeds_without_a_spread_have_no_interval(values: list[float]) -> None:
    found = interval(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert np.isnan([found.low, found.high]).all()
    assert math.isnan(p_value(values, [0.0] * len(values)))


def test_each_row_has_its_own_interval_or_none() -> None:
    found = interval([[0.9, 0.9, 0.9], [0.8, 0.9, 1.0]])
    assert np.isnan(found.low).tolist() == [True, False]
    assert found.high[1] - 0.9 == pytest.approx(4.30265273 * 0.1 / math.sqrt(3))


def test_seeds_that_do_not_differ_at_all_are_no_evidence_of_a_difference() -> None:
    assert p_value([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) == 1


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_leaves_out_what_was_not_tested() -> None:
    assert holm([0.01, math.nan, 0.04]) == pytest.approx([0.02, math.nan, 0.04], nan_ok=True)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10), st.floats(0.001, 0.999))
def test_holm_rejects_what_its_step_down_procedure_rejects(p: list[float], alpha: float) -> None:
    rejected = set()
    for step, index in enumerate(np.argsort(p, kind="stable")):
        if p[index] * (len(p) - step) > alpha:
            break
        rejected.add(int(index))
    assert {index for index, value in enumerate(holm(p)) if value <= alpha} == rejected
