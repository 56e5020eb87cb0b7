"""How each cost grows: seconds at growing sizes, and the exponent of the power law that fits them best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from ked.agreements import survey
from ked.bench.contest import alternate
from ked.bench.pixels import BATCH
from ked.communities.superfeatures import find_superfeatures
from ked.dependency import dependency_matrix
from ked.matching import match
from ked.nets.subnets import SubnetStack, explaining_net, mlp
from ked.training.loop import fit

ROUNDS = 3
USUAL = {"D": 784, "N": 4000, "C": 10, "M": 4, "K": 4}
SIZES: dict[str, Sequence[int]] = {"D": (196, 784, 3136), "N": (1000, 4000, 16_000), "C": (5, 20, 80), "M": (2, 4, 8, 16), "K": (1, 4, 16)}
TEACHER, STUDENT, TAU = (500, 500), (20, 20), 10.0

Task = Callable[[], object]


def growth() -> dict[str, Any]:
    """Seconds where D, N, C, M or K alone changes, the others being 784, 4000, 10, 4 and 4, and the fitted exponents.

    0 is a cost that does not grow, 1 one in proportion, 2 one that grows fourfold when the size doubles. Random nets and samples:
    what they say does not change how long it takes.
    """
    found: dict[str, Any] = {"usual": USUAL}
    for name, (prepare, letters) in _TASKS.items():
        for letter in letters:
            tasks = {size: prepare(**{**USUAL, letter: size}) for size in SIZES[letter]}
            seconds = alternate({str(size): task for size, task in tasks.items()}, ROUNDS)
            found[f"{name}_seconds_by_{letter}"] = {int(size): value for size, value in seconds.items()}
            found[f"{name}_exponent_{letter}"] = exponent(list(tasks), list(seconds.values()))
    return found


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """p of the power law seconds = c sizes^p that fits best (least squares of the logarithms)."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def _dependency(D: int, N: int, C: int, M: int, K: int) -> Task:
    net, x = mlp(D, TEACHER, C).sequential().requires_grad_(False), _samples(N, D)
    return lambda: dependency_matrix(net, x)


def _communities(D: int, N: int, C: int, M: int, K: int) -> Task:
    planted = torch.arange(D) % M
    generator = torch.Generator().manual_seed(0)
    W = torch.rand(D, D, generator=generator) + 2.0 * (planted[:, None] == planted)
    W = (W + W.T).fill_diagonal_(0)
    return lambda: find_superfeatures(W, M)


def _epoch(D: int, N: int, C: int, M: int, K: int) -> Task:
    stack = _student(D, C, M, K)
    data = _samples(N, D), torch.randint(C, (N,), generator=torch.Generator().manual_seed(1))
    few = data[0][:BATCH], data[1][:BATCH]
    return lambda: [None for _ in fit(stack, data, few, seeds=range(K), epochs=1, batch_size=BATCH, lr=1e-3)]


def _agreement(D: int, N: int, C: int, M: int, K: int) -> Task:
    students, x = _student(D, C, M, K), _samples(N, D)
    teacher = explaining_net(students.groups, mlp(D, TEACHER, C), students.base)
    y, pairs = torch.zeros(N, dtype=torch.int64), match(students.groups, students.groups)
    return lambda: survey(students, teacher, x, y, pairs=pairs, tau=TAU)


def _student(D: int, C: int, M: int, K: int) -> SubnetStack:
    groups = [part.tolist() for part in torch.arange(D).chunk(M)]
    return explaining_net(groups, mlp(D, STUDENT, C), torch.full((C,), 1 / C).log(), replicas=K)


def _samples(N: int, D: int) -> torch.Tensor:
    return torch.rand(N, D, generator=torch.Generator().manual_seed(0))


_TASKS: dict[str, tuple[Callable[..., Task], str]] = {
    "dependency": (_dependency, "DNC"),
    "communities": (_communities, "DM"),
    "training": (_epoch, "DNCMK"),
    "agreement": (_agreement, "NCMK"),
}
