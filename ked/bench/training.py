"""Seeds that train together, against one and against loops one after another; a whole run."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from ked.bench.contest import alternate, fresh_home
from ked.bench.pixels import BATCH, C, D, Pixels, find_pixels
from ked.nets.subnets import mlp
from ked.recipe import Recipe
from ked.runs.pipeline import run
from ked.training.loop import fit

STUDENT = (20, 20)
SEEDS = 8


def training() -> dict[str, Any]:
    """One epoch of 8 seeds of a 784-20-20-10 student, against one seed and against 8 plain loops; a whole digits run."""
    pixels = find_pixels()
    best = alternate(
        {
            "together": lambda: _replicas(pixels, SEEDS),
            "one": lambda: _replicas(pixels, 1),
            "plain": lambda: _plain_loops(pixels),
        },
        rounds=5,
    )
    return {
        "pixels": pixels.source,
        "samples": len(pixels.x),
        "batch_size": BATCH,
        "seeds": SEEDS,
        "together_seconds": best["together"],
        "one_seed_seconds": best["one"],
        "plain_loops_seconds": best["plain"],
        "faster_than_plain_loops": best["plain"] / best["together"],
        "times_one_seed": best["together"] / best["one"],
        "digits_run_seconds": alternate({"digits": digits_run}, rounds=1)["digits"],
    }


def _replicas(pixels: Pixels, count: int) -> None:
    stack, held_out = mlp(D, STUDENT, C, replicas=count), (pixels.x[:BATCH], pixels.y[:BATCH])
    for _ in fit(stack, pixels[:2], held_out, seeds=range(count), epochs=1, batch_size=BATCH, lr=1e-3):
        pass


def _plain_loops(pixels: Pixels) -> None:
    for seed in range(SEEDS):
        _plain_loop(pixels, seed)


def _plain_loop(pixels: Pixels, seed: int) -> None:
    """An epoch as most people would write it."""
    generator = torch.Generator().manual_seed(seed)
    loader = DataLoader(TensorDataset(pixels.x, pixels.y), batch_size=BATCH, shuffle=True, generator=generator)
    net = mlp(D, STUDENT, C).sequential()
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for x, y in loader:
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()


def digits_run() -> None:
    """Teacher, superfeatures, explaining teacher, plain, KD and KED with 5 seeds, 20 epochs each, nothing cached."""
    recipe = Recipe(dataset="digits", methods=("plain", "kd", "ked"), seeds=5, epochs=20, teacher_epochs=20)
    with fresh_home():
        for _ in run(recipe):
            pass
