"""Intervals over seeds: the seed is the unit, not the test image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import t as student_t

LEAST = 3
"""Units that can show anything: accuracies come in steps, so two differences are equal, and their spread nothing, by chance."""

_NO_SPREAD = 1e-12  # what rounding leaves of the spread of equal values


class Interval(NamedTuple):
    """Mean and 95 % interval, arrays without the seed axis; low and high are NaN where there is none: see `interval`."""

    mean: Any
    low: Any
    high: Any


def interval(values: np.ndarray | Sequence[Any]) -> Interval:
    """Mean and Student-t interval (95 %) over the last axis, the seeds.

    Fewer than `LEAST` of them give no interval, and neither do equal values: one of no width would claim that nothing is in doubt.
    """
    values = np.asarray(values, dtype=float)
    count, mean = values.shape[-1], values.mean(-1)
    if count < LEAST:
        return Interval(mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan))
    half = student_t.ppf(0.975, count - 1) * values.std(-1, ddof=1) / np.sqrt(count)
    half = np.where(np.ptp(values, axis=-1) <= _NO_SPREAD, np.nan, half)
    return Interval(mean, mean - half, mean + half)


def paired_difference(values: Sequence[float], reference: Sequence[float]) -> Interval:
    """Mean and 95 % interval of values - reference, seed by seed: the same seed means the same batches and first weights.

    Args:
        values, reference: One value a seed, in the same order.
    """
    return interval(np.asarray(values, dtype=float) - np.asarray(reference, dtype=float))


def p_value(values: Sequence[float], reference: Sequence[float]) -> float:
    """Two-sided p of a paired t-test that the differences, seed by seed, have mean 0: below 0.05 just where the 95 % interval
    leaves 0 out. NaN where there is no interval, but 1 where at least `LEAST` seeds do not differ at all."""
    difference = np.asarray(values, dtype=float) - np.asarray(reference, dtype=float)
    count, mean = len(difference), difference.mean()
    if count < LEAST:
        return float("nan")
    if np.ptp(difference) <= _NO_SPREAD:
        return 1.0 if abs(mean) <= _NO_SPREAD else float("nan")
    error = difference.std(ddof=1) / np.sqrt(count)
    return float(2 * student_t.sf(abs(mean / error), count - 1))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p values: of those below alpha, no true difference of zero is among them with probability 1 - alpha,
    however many there are. NaN stands for no test and stays."""
    values = np.asarray(p, dtype=float)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[values[tested].argsort(kind="stable")]
    adjusted = values.copy()
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * np.arange(len(order), 0, -1)))
    return [float(value) for value in adjusted]
