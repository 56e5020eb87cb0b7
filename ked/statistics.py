"""Intervals over units, seeds or teachers: the unit is what was trained anew, not the test image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from scipy.special import stdtr, stdtrit  # scipy.stats would take as long to import as all the rest

LEAST = 3
"""Units that have an interval: two are too few to tell their spread."""

CLAIMING = 4
"""Units that can show anything: accuracies come in steps, so a few differences lie close together by chance."""

ALPHA = 0.05

Values = Sequence[float] | np.ndarray
K = TypeVar("K")

_NO_SPREAD = 1e-12  # what rounding leaves of the spread of equal values
_MOST_SAMPLES, _ROUNDING = 10**5, 1.2e-7  # of shares in single precision


class Interval(NamedTuple):
    """Mean and 95 % interval, arrays without the seed axis; low and high are NaN where there is none: see `interval`."""

    mean: Any
    low: Any
    high: Any


def interval(values: np.ndarray | Sequence[Any], resolution: float = 0.0) -> Interval:
    """Mean and Student-t interval (95 %) over the last axis, the units.

    Fewer than `LEAST` of them give no interval, and neither do equal values where nothing is known of their steps: an interval of no
    width would claim that nothing is in doubt.

    Args:
        values: One value a unit.
        resolution: The steps in which values come, such as 1 / n for accuracies on n samples: no unit is known better than that, so it
            is the least standard deviation that the units are taken to have.

    >>> found = interval([0.02, 0.02, 0.02], resolution=0.01)
    >>> round(float(found.low), 4), round(float(found.high), 4)
    (-0.0048, 0.0448)
    """
    values = np.asarray(values, dtype=float)
    count, mean = values.shape[-1], values.mean(-1)
    if count < LEAST:
        return Interval(mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan))
    half = stdtrit(count - 1, 0.975) * _error(values, resolution)
    return Interval(mean, mean - half, mean + half)


def paired_difference(values: Values, reference: Values, resolution: float = 0.0) -> Interval:
    """Mean and 95 % interval of values - reference, unit by unit: the same unit means the same teacher, or the same first weights.

    Args:
        values, reference: One value a unit, in the same order.
        resolution: As `interval` has it.
    """
    return interval(np.asarray(values, dtype=float) - np.asarray(reference, dtype=float), resolution)


def p_value(values: Values, reference: Values, resolution: float = 0.0) -> float:
    """Two-sided p of a paired t-test that the differences, unit by unit, have mean 0: below 0.05 just where the 95 % interval
    leaves 0 out, and never 0. NaN where there is no interval, but 1 where at least `LEAST` units do not differ at all."""
    difference = np.asarray(values, dtype=float) - np.asarray(reference, dtype=float)
    count, mean = len(difference), difference.mean()
    if count < LEAST:
        return float("nan")
    error = float(_error(difference, resolution))
    if np.isnan(error):
        return 1.0 if abs(mean) <= _NO_SPREAD else float("nan")
    return float(2 * stdtr(count - 1, -abs(mean / error)))


class Difference(NamedTuple):
    """A paired difference, one of a family of comparisons.

    Attributes:
        mean, low, high: As of an `Interval`, not corrected.
        adjusted: p after Holm's correction for the family.
        units: How many pairs; fewer than `CLAIMING` show nothing.
    """

    mean: float
    low: float
    high: float
    adjusted: float
    units: int

    @property
    def shown(self) -> int:
        """1 or -1 where a difference above or below zero is shown after the correction, 0 where none is."""
        return int(np.sign(self.mean)) if self.adjusted < ALPHA and self.units >= CLAIMING else 0


def family(pairs: Mapping[K, tuple[Values, Values]], resolution: float = 0.0) -> dict[K, Difference]:
    """Paired differences that are asked for together, each with its p after Holm's correction for all of them.

    Args:
        pairs: Name -> values and reference, one a unit.
        resolution: As `interval` has it.
    """
    adjusted = holm([p_value(*pair, resolution) for pair in pairs.values()])
    found = [paired_difference(*pair, resolution) for pair in pairs.values()]
    return {
        name: Difference(float(one.mean), float(one.low), float(one.high), p, len(pair[0]))
        for (name, pair), one, p in zip(pairs.items(), found, adjusted, strict=True)
    }


def test_set_half(accuracy: float, samples: int) -> float:
    """Half the width of the 95 % interval (Wilson 1927) of an accuracy that was measured on so many samples: the chance of the test set,
    which no number of seeds takes away.

    >>> round(test_set_half(0.94, 359), 3)
    0.025
    """
    z = 1.959964
    return z / (1 + z**2 / samples) * math.sqrt(accuracy * (1 - accuracy) / samples + (z / (2 * samples)) ** 2)


def step_of(shares: Values) -> float:
    """The steps 1 / n in which shares of the same n samples come, from the shares alone: the smallest n of which all are whole parts.

    0 where there is no such n up to 100 000, or nothing to find it from. Few shares may have a larger step in common than that of
    their samples, never a smaller one, which makes intervals wider and never narrower.

    >>> round(1 / step_of([340 / 359, 351 / 359]))
    359
    """
    found = np.unique(np.asarray(shares, dtype=float))
    found = found[(found > 0) & (found < 1)]
    start, block = 2, 4096
    while len(found) and start <= _MOST_SAMPLES:
        n = np.arange(start, start + block)
        parts = n[:, None] * found
        off = np.abs(parts - parts.round()).max(axis=1)
        if (whole := np.flatnonzero(off <= n * _ROUNDING)).size:
            return 1 / float(n[whole[0]])
        start += block
    return 0.0


def _error(values: np.ndarray, resolution: float) -> Any:
    """Standard error of the mean over the last axis; NaN where equal values say nothing of it."""
    spread = np.maximum(values.std(-1, ddof=1), resolution)
    return np.where(np.ptp(values, axis=-1) + resolution <= _NO_SPREAD, np.nan, spread) / np.sqrt(values.shape[-1])


def holm(p: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p values: of those below alpha, no true difference of zero is among them with probability 1 - alpha,
    however many there are. NaN stands for no test and stays."""
    values = np.asarray(p, dtype=float)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[values[tested].argsort(kind="stable")]
    adjusted = values.copy()
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * np.arange(len(order), 0, -1)))
    return [float(value) for value in adjusted]
