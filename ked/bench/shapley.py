"""What an explaining net says of itself, against Captum's exact Shapley values of the same game."""

from __future__ import annotations

from typing import Any

import torch

from ked.attribution import Question, Reference
from ked.attribution.shapley import exact_shapley
from ked.bench.pixels import TEACHER, C, D, find_pixels
from ked.nets.subnets import explaining_net, mlp

COUNTS = (2, 4, 6)


def shapley() -> dict[str, Any]:
    """One sample, an explaining teacher as large as 784-500-500-10 with M = 2, 4 and 6: Captum goes through all M! orders."""
    pixels = find_pixels()
    base = torch.full((C,), 1 / C).log()
    found: dict[str, Any] = {"pixels": pixels.source}
    for M in COUNTS:
        groups = [part.tolist() for part in torch.arange(D).chunk(M)]
        net = explaining_net(groups, mlp(D, TEACHER, C), base)
        x, reference = pixels.x[:1], Reference(pixels.x.mean(dim=0), float(pixels.x.std(dim=0).mean()))
        told = exact_shapley(Question(net, 0, x, torch.tensor([0]), reference, groups, (28, 28)))
        found |= {f"faster_than_captum_M{M}": told.speed_up, f"error_nats_M{M}": told.error, f"orders_M{M}": told.orders}
    return found
