"""The training loop of small nets: what other ways of moving weights, compiling the net or sharing the cores would change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any
from unittest.mock import patch

import torch

from ked.bench.contest import Contestants, alternate
from ked.bench.pixels import BATCH, C, D, Pixels, find_pixels
from ked.nets.subnets import SubnetStack, explaining_net, mlp
from ked.training import optimisers
from ked.training.loop import fit

SAMPLES, SEEDS, SUPERFEATURES, STUDENT = 10_000, 5, 4, (20, 20)
ROUNDS = 5


def loop() -> dict[str, Any]:
    """An epoch of 10 000 samples, 5 students of the KED form, M = 4, as large as 784-20-20-10: as it is, and otherwise.

    All train to the same numbers. "products" is the floor: forward and backward alone, no loss of ours, no optimiser.
    """
    pixels = find_pixels()
    stacks = {name: _students() for name in ("plain", "compiled")}
    compiled = torch.compile(stacks["compiled"].subnet_log_probabilities, dynamic=False)
    object.__setattr__(stacks["compiled"], "subnet_log_probabilities", compiled)
    ways: dict[str, tuple[SubnetStack, Callable[[], AbstractContextManager[object]]]] = {
        "as_it_is": (stacks["plain"], nullcontext),
        "adam_foreach": (stacks["plain"], partial(_adam, foreach=True)),
        "adam_one_by_one": (stacks["plain"], partial(_adam, foreach=False)),
        "compiled": (stacks["compiled"], nullcontext),
        "one_thread": (stacks["plain"], partial(_threads, 1)),
    }
    tasks: Contestants = {name: partial(_epoch, stack, pixels, way) for name, (stack, way) in ways.items()}
    tasks["products"] = partial(_products, stacks["plain"], pixels)
    for task in tasks.values():
        task()  # compiles
    best = alternate(tasks, ROUNDS)
    ratios = {f"{name}_times_as_it_is": best[name] / best["as_it_is"] for name in best if name not in ("as_it_is", "products")}
    return {
        "pixels": pixels.source, "samples": SAMPLES, "batch_size": BATCH, "seeds": SEEDS, "superfeatures": SUPERFEATURES,
        "epoch_seconds": best["as_it_is"], "times_its_products": best["as_it_is"] / best["products"], **ratios,
    }  # fmt: skip


def _students() -> SubnetStack:
    groups = [part.tolist() for part in torch.arange(D).chunk(SUPERFEATURES)]
    return explaining_net(groups, mlp(D, STUDENT, C), torch.full((C,), 1 / C).log(), replicas=SEEDS)


def _epoch(stack: SubnetStack, pixels: Pixels, way: Callable[[], AbstractContextManager[object]]) -> None:
    data, few = (pixels.x[:SAMPLES], pixels.y[:SAMPLES]), (pixels.x[:BATCH], pixels.y[:BATCH])
    with way():
        for _ in fit(stack, data, few, seeds=range(SEEDS), epochs=1, batch_size=BATCH, lr=1e-3):
            pass


def _products(stack: SubnetStack, pixels: Pixels) -> None:
    for x in stack.arrange(pixels.x[:SAMPLES]).split(BATCH):
        stack.zero_grad()
        stack.subnet_log_probabilities(x.expand(SEEDS, -1, -1)).sum().backward()


@contextmanager
def _adam(**settings: Any) -> Iterator[None]:
    """Adam in another form than the fused one."""

    def make(groups: list[dict[str, Any]], *, lr: float, fused: bool) -> torch.optim.Optimizer:
        return torch.optim.Adam(groups, lr=lr, **settings)

    with patch.dict(optimisers.OPTIMISERS, {"adam": make}):
        yield


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    with ExitStack() as after:
        after.callback(torch.set_num_threads, before)
        torch.set_num_threads(count)
        yield
