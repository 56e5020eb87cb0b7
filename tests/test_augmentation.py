"""Pictures that are moved and mirrored: against moving each by hand, and the laws of what is drawn."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ked.errors import InvalidInput
from ked.training.augmentation import AUGMENTATIONS, Augmenter

SHAPE, K, B = (3, 9, 8), 2, 5
PAD = 1  # a seventh of the shorter side


def _pictures() -> Tensor:
    return torch.rand(K, B, 3 * 9 * 8)


def _by_hand(picture: Tensor, row: int, column: int, mirrored: bool) -> Tensor:
    """A picture (channels, H, W) moved so that its pixel (row - PAD, column - PAD) comes first; zeros where there is none."""
    _, height, width = picture.shape
    moved = torch.zeros_like(picture)
    for i in range(height):
        for j in range(width):
            y, x = i + row - PAD, (width - 1 - j if mirrored else j) + column - PAD
            if 0 <= y < height and 0 <= x < width:
                moved[:, i, j] = picture[:, y, x]
    return moved


@pytest.mark.parametrize("name", ["crop", "crop+flip"])
def test_each_picture_is_moved_and_mirrored_by_itself(name: str) -> None:
    augmenter, x = Augmenter(AUGMENTATIONS[name], SHAPE, [3, 4]), _pictures()
    draws = augmenter.draws(1, B)
    seen = augmenter(x, draws).unflatten(2, SHAPE)
    for k in range(K):
        for b in range(B):
            row, column, mirrored = draws[k, b].tolist()
            expected = _by_hand(x[k, b].view(SHAPE), row, column, bool(mirrored) and name == "crop+flip")
            assert torch.equal(seen[k, b], expected)


def test_grey_pictures_have_no_channel() -> None:
    augmenter = Augmenter(AUGMENTATIONS["crop"], (28, 28), [0])
    assert augmenter(torch.rand(1, B, 784), augmenter.draws(1, B)).shape == (1, B, 784)


def test_draws_depend_on_seed_and_epoch_alone_and_reach_every_place() -> None:
    draws = Augmenter(AUGMENTATIONS["crop+flip"], (28, 28), [3, 4]).draws(2, 2000)
    again = Augmenter(AUGMENTATIONS["crop+flip"], (28, 28), [4]).draws(2, 2000)
    assert torch.equal(draws[1], again[0])
    assert not torch.equal(draws[0], draws[1])
    assert not torch.equal(again, Augmenter(AUGMENTATIONS["crop+flip"], (28, 28), [4]).draws(3, 2000))
    for place in (0, 1):
        counts = torch.bincount(draws[0, :, place], minlength=9)
        assert len(counts) == 9
        assert bool((counts > 2000 / 9 * 0.7).all())
    assert 0.4 < draws[..., 2].double().mean() < 0.6


def test_tables_cannot_be_moved(one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        Augmenter(AUGMENTATIONS["crop"], (13,), [0])
    assert "'crop'" in one_sentence(str(caught.value))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_a_table_row_says_what_it_is(name: str, one_sentence: Callable[[str], str]) -> None:
    assert AUGMENTATIONS[name].name == name
    one_sentence(AUGMENTATIONS[name].description)
