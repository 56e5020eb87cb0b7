"""Official parts of a user's own data: what is there is kept, what is missing is cut off the training part.

A published test accuracy is of the official test samples, so these are never mixed with others.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ked.data.dataset import PARTS, SHARES, stratified_split
from ked.data.limits import refuse
from ked.data.pixels import VALIDATION
from ked.errors import quoted

_SHARE = 0.2  # of an official training part that is cut off, at most; of large ones as many samples as of MNIST
_LEAST = 3  # training samples of a class of which one can be cut off
_SEED = 0

Splits = tuple[Tensor, Tensor, Tensor]
"""Sorted row numbers of the train, validation and test samples."""


def splits(path: Path, y: np.ndarray, classes: Sequence[str], parts: Sequence[str]) -> tuple[Splits, str]:
    """The three splits and, in a sentence, where they come from.

    y: (N,) class numbers.  parts: (N,) names of PARTS; all "" where there are no official parts: 60/20/20 with equal class shares.
    Raises InvalidInput where a class has too few training samples.

    >>> y, parts = np.arange(12) % 2, ["train"] * 8 + ["test"] * 4
    >>> [len(part) for part in splits(Path("pets.zip"), y, ("cat", "dog"), parts)[0]]
    [6, 2, 4]
    """
    of = np.asarray(parts)
    if not (of == "train").any():
        train, validation, test = stratified_split(y, SHARES, _SEED)
        return (train, validation, test), ""
    found = {part: np.flatnonzero(of == part) for part in PARTS}
    counts = np.bincount(y[found["train"]], minlength=len(classes))
    least = 1 if len(found["validation"]) and len(found["test"]) else _LEAST
    if counts.min() < least:
        few = f"the class {quoted(classes[int(counts.argmin())])} has {counts.min()} samples in its training part"
        raise refuse(path, few, f"every class needs at least {least} there")
    said = f"Its official parts are kept: {', '.join(f'{len(rows)} {part}' for part, rows in found.items() if len(rows))}"
    if not len(found["test"]):  # as published numbers of such data are those of the only part that was held out
        found["test"], found["validation"] = found["validation"], found["test"]
        said += "; the validation part is the test split, as there is no other"
    if not len(found["validation"]):
        rows = found["train"]
        share = min(VALIDATION / len(rows), _SHARE)
        kept, cut = (rows[part.numpy()] for part in stratified_split(y[rows], (1 - share, share), _SEED))
        found["train"], found["validation"] = kept, cut
        said += f"; {len(cut)} training samples are cut off for validation"
    train, validation, test = (torch.from_numpy(found[part].astype(np.int64)) for part in PARTS)
    return (train, validation, test), f"{said}."
