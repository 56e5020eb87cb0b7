"""Pictures moved and mirrored at random, a batch at a time, on the device (METHOD 1.5).

`torchvision.transforms.v2` draws once for a whole batch, and takes two seconds to import; here every picture is moved by itself, and
what happens to it in an epoch depends on seed and epoch alone, so that a training can go on after a break.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ked.errors import InvalidInput

PADDING = 4  # pixels on each side, for pictures of 28 pixels and more; smaller ones get a seventh of their size


@dataclass(frozen=True)
class Augmentation:
    """A row of `AUGMENTATIONS`: whether pictures are moved (padded, then cropped somewhere) and mirrored."""

    name: str
    description: str
    crop: bool
    flip: bool


AUGMENTATIONS: dict[str, Augmentation] = {
    augmentation.name: augmentation
    for augmentation in (
        Augmentation("none", "Pictures as they are.", False, False),
        Augmentation("crop", "Each picture is moved by up to 4 pixels, other ones each time.", True, False),
        Augmentation("crop+flip", "Each picture is moved by up to 4 pixels and mirrored half of the time.", True, True),
    )
}


class Augmenter:
    """Moves and mirrors the pictures of K replicas.

    Args:
        augmentation: A row of `AUGMENTATIONS`.
        shape: (H, W) or (channels, H, W).
        seeds: K seeds.

    Raises:
        InvalidInput: The samples are no pictures.
    """

    def __init__(self, augmentation: Augmentation, shape: Sequence[int], seeds: Sequence[int]) -> None:
        if len(shape) < 2:
            raise InvalidInput(f"augment = {augmentation.name!r} is not allowed: only pictures can be moved, not tables.")
        self._what, self._seeds = augmentation, tuple(seeds)
        self._shape = tuple(shape) if len(shape) == 3 else (1, *shape)
        self._pad = min(PADDING, max(1, min(self._shape[1:]) // 7))

    def draws(self, epoch: int, count: int) -> Tensor:
        """(K, count, 3) what happens to the pictures of an epoch, in the order in which they come: row, column, mirrored."""
        generators = (torch.Generator().manual_seed(7_368_787 * (seed + 1) + epoch) for seed in self._seeds)
        high = torch.tensor([2 * self._pad + 1, 2 * self._pad + 1, 2])
        draws = torch.stack([torch.rand(count, 3, generator=generator, dtype=torch.float64) for generator in generators])
        return (draws * high).long()

    def __call__(self, x: Tensor, draws: Tensor) -> Tensor:
        """The pictures x (K, B, D) after what was drawn for them (K, B, 3)."""
        pictures, draws = x.reshape(-1, *self._shape), draws.reshape(-1, 3).to(x.device)
        if self._what.crop:
            pictures = self._cropped(pictures, draws)
        if self._what.flip:
            mirrored = draws[:, 2, None, None, None] == 1
            pictures = torch.where(mirrored, pictures.flip(-1), pictures)
        return pictures.reshape(x.shape)

    def _cropped(self, pictures: Tensor, draws: Tensor) -> Tensor:
        height, width = self._shape[1:]
        padded = functional.pad(pictures, [self._pad] * 4)
        rows = draws[:, 0, None] + torch.arange(height, device=draws.device)
        columns = draws[:, 1, None] + torch.arange(width, device=draws.device)
        each = torch.arange(len(pictures), device=draws.device)[:, None, None, None]
        channels = torch.arange(self._shape[0], device=draws.device)[None, :, None, None]
        moved: Tensor = padded[each, channels, rows[:, None, :, None], columns[:, None, None, :]]
        return moved
