"""What a teacher says of a class on average: what agrees beyond that is about the sample."""

from __future__ import annotations

import torch
from torch import Tensor


class ClassMeans:
    """Sums of a teacher's contributions, class by class, from which the mean over all *other* samples of a class is taken.

    A sample's own explanation is in no mean that it is held against. So a student that says what the teacher says of another sample of
    the class has an expected product with the teacher of exactly 0, however few samples a class has: with a mean over all of them, or
    over other data, it would not.

    Args:
        classes: How many there are.
    """

    def __init__(self, classes: int) -> None:
        self._classes, self._sums, self._counts = classes, torch.empty(0), torch.empty(0)

    def add(self, phi: Tensor, y: Tensor) -> None:
        """Take in contributions phi (M, N, C), centred over the classes, of samples with labels y (N,)."""
        members = torch.eye(self._classes, dtype=torch.float64, device=phi.device)[y]
        sums, counts = torch.einsum("mnc,nk->mkc", phi.double(), members), members.sum(dim=0)
        first = not self._counts.numel()
        self._sums, self._counts = (sums, counts) if first else (self._sums + sums, self._counts + counts)

    def of_others(self, phi: Tensor, y: Tensor) -> Tensor:
        """(M, N, C) the mean over the other samples of the class of each of these, which were taken in; NaN for one that is alone."""
        others = (self._counts[y] - 1)[:, None]
        return ((self._sums[:, y] - phi.double()) / others.where(others > 0, torch.nan)).to(phi.dtype)
