"""The emoji inside the package: as many, in colour, on white, and credited."""

from __future__ import annotations

import torch

from ked import data
from ked.data import SOURCES
from ked.data.emoji import CREDIT


def test_every_emoji_is_there_in_colour_on_white() -> None:
    found = data.load("emoji")
    assert found.x.shape == (1906, 3 * 32 * 32)
    assert found.shape == (3, 32, 32)
    assert len(found.classes) == 9
    assert sorted(torch.cat([found.train, found.validation, found.test]).tolist()) == list(range(1906))
    corners = found.x.reshape(-1, 3, 32, 32)[:, :, 0, 0]
    assert (corners == 1).all(dim=1).float().mean() > 0.8
    assert (found.x.reshape(-1, 3, 32, 32).std(1).amax((1, 2)) > 0.1).float().mean() > 0.8, "most are not grey"


def test_whoever_sees_them_reads_whose_they_are() -> None:
    assert CREDIT in SOURCES["emoji"].description
