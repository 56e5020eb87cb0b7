"""Tables of numbers become a Dataset: split 60/20/20 with equal class shares, then standardised on the training part.

All of it is reckoned in double precision and made single at the end: the seconds of one day are some 86 400 numbers around 1.8e9, of
which single precision knows 675.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ked.data.dataset import SHARES, Dataset, stratified_split
from ked.errors import InvalidInput, quoted

_SEED = 0
_BLOCK = 1 << 24  # values that are reckoned with at a time
_WHOLE = 1 << 53  # up to here double precision knows every whole number
_CLOSE = 1e-6  # of a column's largest value: with a smaller spread, sums of the values themselves lose what tells them apart


def table(
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    classes: tuple[str, ...],
    features: tuple[str, ...],
    splits: tuple[Tensor, Tensor, Tensor] | None = None,
    notes: tuple[str, ...] = (),
) -> Dataset:
    """A data set of numbers (N, D) with labels (N,), standardised with the mean and deviation of its training part.

    x: finite, of any type that holds numbers; it is taken as it is, so that nothing is lost before the means are taken off.
    splits: rows of the three splits; 60/20/20 with equal class shares by default.  notes: as in `Dataset`.
    Raises InvalidInput where a value lies too far from the training part for single precision.
    """
    train, validation, test = splits or stratified_split(y, SHARES, _SEED)
    scaled, mean, deviation = standardised(x, train)
    _check_range(name, scaled, features)
    return Dataset(
        name=name,
        x=torch.from_numpy(scaled),
        y=torch.from_numpy(y.astype(np.int64)),
        train=train,
        validation=validation,
        test=test,
        shape=(x.shape[1],),
        classes=classes,
        features=features,
        units=(torch.from_numpy(mean), torch.from_numpy(deviation)),
        notes=notes,
    )


def standardised(x: np.ndarray, train: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x (N, D) without its mean and in units of its deviation, float32, and both of these (D,), float64.

    They are those of the rows `train` alone, so that no other split leaks into them.  The deviation of a column that is constant
    over these rows is given as 1, so that it is only shifted.  What is beyond single precision becomes infinite.
    """
    N, D = x.shape
    scaled, mean, deviation = np.empty((N, D), np.float32), np.empty(D), np.empty(D)
    width = max(1, _BLOCK // N)
    for start in range(0, D, width):
        block = slice(start, start + width)
        scaled[:, block], mean[block], deviation[block] = _standardised(x[:, block], train.numpy())
    return scaled, mean, deviation


def _standardised(x: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of a few columns."""
    values, origin = _from_origin(x, train)
    with np.errstate(over="ignore", invalid="ignore"):  # what goes beyond any precision is found in the result
        # Powers of two, by which values are divided without loss, keep squares of very large and very small ones in range.
        power = np.frexp(np.abs(values[train]).max(0))[1]
        values = np.ldexp(values, -power)
        mean, deviation = values[train].mean(0), values[train].std(0)
        deviation = np.where(deviation == 0, np.ldexp(1.0, -power), deviation)
        scaled = ((values - mean) / deviation).astype(np.float32)
    return scaled, origin + np.ldexp(mean, power), np.ldexp(deviation, power)


def _from_origin(x: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x in float64, in columns of close values measured from one of them, and that value (D,), else 0.

    Differences of close numbers are exact where their sums and, in whole numbers beyond 2^53, float64 itself are not.
    """
    if x.dtype.kind in "iu" and max(int(x.max()), -int(x.min())) > _WHOLE:
        low = x.min(0)
        return (x.astype(np.uint64) - low.astype(np.uint64)).astype(np.float64), low.astype(np.float64)
    values = x.astype(np.float64)
    rows = values[train]
    spread = rows.max(0) / 2 - rows.min(0) / 2  # halves, as the whole of the largest numbers would be infinite
    origin = np.where(spread <= _CLOSE * np.abs(rows).max(0), rows[0], 0.0)
    return values - origin if origin.any() else values, origin


def _check_range(name: str, scaled: np.ndarray, features: tuple[str, ...]) -> None:
    if np.isfinite(scaled.min()) and np.isfinite(scaled.max()):
        return
    row, column = np.argwhere(~np.isfinite(scaled))[0]
    raise InvalidInput(
        f"The data set {quoted(name)} cannot be used: the value of sample {row} in the column {quoted(features[column])} lies too far "
        f"from those of the training samples for single precision; correct it or leave it out."
    )
