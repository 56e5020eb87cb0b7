"""Intervals over seeds: the seed is the unit, not the test image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import t as student_t


class Interval(NamedTuple):
    """Mean and 95 % interval, arrays without the seed axis; low and high are NaN with fewer than two seeds."""

    mean: Any
    low: Any
    high: Any


def interval(values: np.ndarray | Sequence[Any]) -> Interval:
    """Mean and Student-t interval (95 %) over the last axis, the seeds."""
    values = np.asarray(values, dtype=float)
    count, mean = values.shape[-1], values.mean(-1)
    if count < 2:
        return Interval(mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan))
    half = student_t.ppf(0.975, count - 1) * values.std(-1, ddof=1) / np.sqrt(count)
    return Interval(mean, mean - half, mean + half)


def paired_difference(values: Sequence[float], reference: Sequence[float]) -> Interval:
    """Mean and 95 % interval of values - reference, seed by seed: the same seed means the same batches and first weights.

    Args:
        values, reference: One value a seed, in the same order.
    """
    return interval(np.asarray(values, dtype=float) - np.asarray(reference, dtype=float))
