"""What anybody's own nets pay for: the loss module, the dependency matrix of a ResNet on colour pictures, a recorded run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ked.bench.chimeras import peak_megabytes
from ked.bench.contest import alternate, fresh_home
from ked.dependency import dependency_matrix
from ked.distillation import KEDLoss
from ked.explaining import ExplainingNet, explanations, log_probabilities
from ked.library.recording import record

LOSSES = ((128, 4, 100), (128, 8, 1000))  # B, M, C
PICTURES, SAMPLES, GROUPS = 200, 10_000, tuple(tuple(range(m, 784, 4)) for m in range(4))


def own_nets() -> dict[str, Any]:
    """`KEDLoss` against its formula by hand, forward and backward; W of (200, 3, 32, 32); recording 10 000 samples, M = 4, C = 10."""
    return {
        **{f"loss_times_by_hand_M{M}_C{C}": _loss(B, M, C) for B, M, C in LOSSES},
        **_pictures(),
        **_record(),
    }


def _loss(B: int, M: int, C: int) -> float:
    base, y = torch.randn(C).log_softmax(-1), torch.randint(C, (B,))
    student, teacher = (torch.randn(B, M, C).log_softmax(-1) for _ in range(2))
    student.requires_grad_()
    module, by_hand = KEDLoss(base), _by_hand(base)
    sides = {
        "module": lambda: module(student, teacher, y).backward(),
        "by hand": lambda: by_hand(student, teacher, y).backward(),
    }
    best = alternate(sides, rounds=500, clock=time.process_time)
    return best["module"] / best["by hand"]


def _by_hand(base: Tensor, T: float = 10.0, tau: float = 10.0, lam: float = 0.7, mu: float = 0.7) -> Callable[..., Tensor]:
    """The same terms, as leanly as they can be written one after the other; nothing is checked."""

    def loss(student: Tensor, teacher: Tensor, y: Tensor) -> Tensor:
        own, its = (said.sum(1) - (said.shape[1] - 1) * base for said in (student, teacher))
        q, p = ((said / T).log_softmax(-1) for said in (own, its))
        prediction = (p.exp() * (p - q)).sum() / len(y)
        q, p = ((said / tau).log_softmax(-1) for said in (student, teacher))
        explanation = (p.exp() * (p - q)).sum((0, 2)) / len(y)
        ce = nn.functional.cross_entropy(own, y)
        return (1 - lam) * ce + T**2 * lam * (1 - mu) * prediction + tau**2 * lam * mu * explanation.mean()

    return loss


class _Residual(nn.Module):
    """Two convolutions beside a way around them."""

    def __init__(self, fan_in: int, out: int, stride: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(fan_in, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(),
            nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out),
        )  # fmt: skip
        self.around = nn.Conv2d(fan_in, out, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.relu(self.inner(x) + self.around(x))


def _pictures() -> dict[str, float]:
    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1), nn.ReLU(), _Residual(16, 16, 1), _Residual(16, 32, 2), _Residual(32, 64, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip
    x, told = torch.rand(PICTURES, 3, 32, 32), list[float]()
    found = {"resnet_megabytes": peak_megabytes(lambda: dependency_matrix(net, x, progress=told.append))}
    best = alternate({"W": lambda: dependency_matrix(net, x), "forward": lambda: net(x).sum().backward()}, rounds=2)
    return found | {
        "resnet_reports": len(told),
        "resnet_seconds_a_sample": best["W"] / PICTURES,
        "resnet_times_forward_and_backward": best["W"] / best["forward"],
    }


def _record() -> dict[str, float]:
    base = torch.full((10,), 0.1).log()
    nets = [ExplainingNet(GROUPS, base, subnet=lambda size: nn.Linear(size, 10)) for _ in range(2)]
    teacher, x, y = nn.Linear(784, 10), torch.rand(SAMPLES, 784), torch.arange(SAMPLES) % 10
    megabytes = 0.0

    def recorded() -> None:
        nonlocal megabytes
        run = record("bench", (x, y), shape=(28, 28), teacher=teacher, explaining=nets[0], students={"ked": nets[1]})
        megabytes = sum(file.stat().st_size for file in run.folder.rglob("*") if file.is_file()) / 1e6

    with fresh_home():
        best = alternate(
            {"record": recorded, "nets": lambda: (log_probabilities(teacher, x), [explanations(net, x) for net in nets])},
            rounds=2,
        )
    return {"record_seconds_beyond_the_nets": best["record"] - best["nets"], "record_megabytes": megabytes}
