"""Batches: which samples come when, and what teachers are asked about pictures that are moved."""

from __future__ import annotations

import torch
from torch import Tensor

from ked.losses import LABELS_ONLY, Objective
from ked.nets.subnets import mlp
from ked.training.augmentation import AUGMENTATIONS, Augmenter
from ked.training.batches import ViewBatches, batch_order

SHAPE, K, N = (5, 5), 2, 12
X, Y = torch.rand(N, 25), torch.arange(N) % 3


Told = tuple[list[Tensor], list[Tensor], list[Tensor]]


def views(epoch: int, *, offset: int = 0, samples: int | None = None, moved: bool = True) -> Told:
    """Of an epoch's batches: what the net sees, and the views and samples' numbers that its teachers are asked about."""
    asked: list[tuple[Tensor, Tensor]] = []

    def teach(x: Tensor, rows: Tensor) -> Objective:
        asked.append((x, rows))
        return Objective(LABELS_ONLY)

    augmenter = Augmenter(AUGMENTATIONS["crop+flip"], SHAPE, range(K)) if moved else None
    stack = mlp(25, (4,), 3, replicas=K)
    seen = [batch.x for batch in ViewBatches(stack, (X, Y), range(K), 5, teach, augmenter, samples=samples, offset=offset)(epoch)]
    return seen, [x for x, _ in asked], [rows for _, rows in asked]


def test_teachers_are_asked_about_the_very_picture_that_the_student_sees() -> None:
    stack = mlp(25, (4,), 3, replicas=K)
    seen, asked, rows = views(1)
    assert any(not torch.equal(x, X[numbers]) for x, numbers in zip(asked, rows, strict=True))
    for mine, theirs in zip(seen, asked, strict=True):
        assert torch.equal(mine, stack.arrange(theirs))


def test_a_student_that_goes_on_takes_its_samples_in_orders_that_it_has_not_had() -> None:
    first = [torch.cat(views(epoch, moved=False)[2], dim=1) for epoch in (1, 2, 3)]
    further = torch.cat(views(1, offset=3, moved=False)[2], dim=1)
    assert torch.equal(further, batch_order(range(K), 4, N))
    assert not any(torch.equal(further, order) for order in first)
    moved = [torch.cat(views(1, offset=offset)[1], dim=1) for offset in (0, 3)]
    assert not torch.equal(*moved)


def test_more_samples_than_there_are_start_another_pass_in_another_order() -> None:
    order = torch.cat(views(2, samples=N + 4, moved=False)[2], dim=1)
    assert torch.equal(order, torch.cat([batch_order(range(K), 3, N), batch_order(range(K), 4, N)], dim=1)[:, : N + 4])
