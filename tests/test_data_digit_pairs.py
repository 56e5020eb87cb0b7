"""Pairs of digits: each half is one figure of the class, parts share no digit, and curvature alone finds the halves."""

from __future__ import annotations

import torch

from ked import data, dependency_matrix, find_superfeatures
from ked.data import PARTS
from ked.nets import mlp
from ked.training.loop import fit


def halves(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The two digits of pairs (n, 128), (n, 64) each."""
    left, right = x.reshape(-1, 8, 16).split(8, dim=2)
    return left.flatten(1), right.flatten(1)


def test_each_half_is_a_digit_of_the_figure_that_the_class_names() -> None:
    pairs, digits = data.load("digit-pairs"), data.load("digits")
    known = {tuple(row.tolist()): int(label) for row, label in zip(digits.x, digits.y, strict=True)}
    for half, figures in zip(halves(pairs.x), (pairs.y // 10, pairs.y % 10), strict=True):
        assert [known[tuple(row.tolist())] for row in half] == figures.tolist()
    assert pairs.classes == tuple(f"{number:02}" for number in range(100))


def test_parts_share_no_digit_and_every_class_is_equally_frequent() -> None:
    pairs = data.load("digit-pairs")
    used = []
    for part, count in zip(PARTS, (48, 16, 16), strict=True):
        x, y = pairs.part(part)
        assert y.bincount(minlength=100).tolist() == [count] * 100
        used.append({tuple(row.tolist()) for half in halves(x) for row in half})
    assert not used[0] & used[1] | used[0] & used[2] | used[1] & used[2]


def test_no_pair_comes_twice_and_none_is_a_digit_beside_itself() -> None:
    x = data.load("digit-pairs").x
    assert len(x.unique(dim=0)) == len(x) == 8000
    left, right = halves(x)
    assert not (left == right).all(dim=1).any()


def test_the_curvature_of_a_net_that_is_told_nothing_of_halves_finds_them() -> None:
    pairs = data.load("digit-pairs")
    net = mlp(pairs.feature_count, (64, 64), pairs.class_count)
    for _ in fit(net, pairs.part("train"), pairs.part("validation"), seeds=[0], epochs=10, batch_size=240, lr=3e-3):
        pass
    found = find_superfeatures(dependency_matrix(net.sequential(), pairs.part("train")[0][:500]), 2)
    owner = found.labels().reshape(8, 16)
    inside = (owner[:, :8] == owner[:, :8].flatten().mode().values).sum() + (owner[:, 8:] == owner[:, 8:].flatten().mode().values).sum()
    assert owner[:, :8].flatten().mode().values != owner[:, 8:].flatten().mode().values
    assert inside >= 0.8 * owner.numel()
