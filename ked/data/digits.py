"""scikit-learn's handwritten digits: 1797 pictures of 8 x 8 pixels, inside the package, so they work offline at once."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from ked.data.dataset import SHARES, Dataset, pixel_names, stratified_split

_SHAPE = (8, 8)
_LARGEST = 16.0  # a pixel counts the dark points in a block of 4 x 4
_SEED = 0


def load(name: str) -> Dataset:
    """The digits with x in [0, 1], split about 60/20/20 with equal class shares.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI repository, 1998.
    """
    pixels, y = _table()
    train, validation, test = stratified_split(y, SHARES, _SEED)
    return Dataset(
        name=name,
        x=torch.from_numpy(pixels).float() / _LARGEST,
        y=torch.from_numpy(y).long(),
        train=train,
        validation=validation,
        test=test,
        shape=_SHAPE,
        classes=tuple(str(digit) for digit in range(10)),
        features=pixel_names(_SHAPE),
    )


def _table() -> tuple[np.ndarray, np.ndarray]:
    """Pixels (1797, 64) and labels (1797,): from the package's file, as importing scikit-learn takes as long as a short training."""
    if (file := _file()).is_file():
        table = np.loadtxt(file, delimiter=",")
        return table[:, :-1], table[:, -1].astype(int)
    from sklearn.datasets import load_digits

    found = load_digits()
    return found.data, found.target


def _file() -> Path:
    """Where scikit-learn keeps the digits, if it does so as it always has."""
    spec = find_spec("sklearn")
    folders = (spec.submodule_search_locations if spec else None) or [""]
    return Path(folders[0], "datasets", "data", "digits.csv.gz")
