"""Tables of numbers become a Dataset: split 60/20/20 with equal class shares, then standardised on the training part."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ked.data.dataset import SHARES, Dataset, stratified_split


def table(
    name: str, x: np.ndarray, y: np.ndarray, classes: tuple[str, ...], features: tuple[str, ...], seed: int = 0
) -> Dataset:
    """A data set of numbers (N, D) with labels (N,), standardised with the mean and deviation of its training part."""
    train, validation, test = stratified_split(y, SHARES, seed)
    mean, deviation = units(x, train)
    return Dataset(
        name=name,
        x=torch.from_numpy(((x - mean) / deviation).astype(np.float32)),
        y=torch.from_numpy(y.astype(np.int64)),
        train=train,
        validation=validation,
        test=test,
        shape=(x.shape[1],),
        classes=classes,
        features=features,
        units=(torch.from_numpy(mean), torch.from_numpy(deviation)),
    )


def units(x: np.ndarray, train: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation (D,) over the rows `train` alone, so that no other split leaks into them; float64.

    The deviation of a column that is constant over the training rows is given as 1, so that it is only shifted.
    """
    rows = x[train.numpy()].astype(np.float64)
    mean, deviation = rows.mean(0), rows.std(0)
    # A constant column of large values has a deviation of rounding errors, not of zero.
    constant = deviation <= 1e-12 * np.abs(rows).max(0)
    return mean, np.where(constant, 1.0, deviation)
