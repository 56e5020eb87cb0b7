"""The M branches of a convolutional net as grouped convolutions, against a loop over M nets of one branch each."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ked.bench.contest import alternate
from ked.nets.cnn.architectures import architecture_named
from ked.nets.cnn.blocks import Dense, join, separate
from ked.nets.cnn.branches import BranchedNet, Branches, matched_width

M, C, BATCH = 4, 10, 100
NETS = {"small-cnn": (1, 28, 28), "resnet8": (3, 32, 32)}  # architecture -> picture
ROUNDS = 15
TOLERANCE = 1e-3  # of outputs and gradients, relative


def branches() -> dict[str, Any]:
    """Forward and backward through all that comes after the split, 100 pictures, M = 4; both ways give the same."""
    found: dict[str, Any] = {"superfeatures": M, "batch_size": BATCH}
    for name, picture in NETS.items():
        found |= {f"{name}_{key}": value for key, value in _compared(name, picture).items()}
    return found


def _compared(name: str, picture: tuple[int, int, int]) -> dict[str, float]:
    form = architecture_named(name)
    width = matched_width(form, picture[1:], C, M)
    net = BranchedNet(form, picture, C, M, width)
    net.reset(0)
    generator = torch.Generator().manual_seed(0)
    x, wanted = torch.randn(BATCH, *picture, generator=generator).flatten(1), torch.randn(M, C, BATCH, generator=generator)
    divided = join(net.split(x).detach()).requires_grad_()
    singles = [_single(net, name, width, m) for m in range(M)]

    def grouped() -> tuple[Tensor, Tensor]:
        return _step(divided, wanted, net.branches(divided)[0])

    def looped() -> tuple[Tensor, Tensor]:
        return _step(divided, wanted, _looped(singles, divided))

    error = max(float((a - b).norm() / a.norm()) for a, b in zip(grouped(), looped(), strict=True))
    assert error < TOLERANCE, f"grouped and looped branches of {name} differ by {error}"
    best = alternate({"grouped": grouped, "looped": looped}, ROUNDS)
    return {
        "grouped_seconds": best["grouped"],
        "looped_seconds": best["looped"],
        "faster_than_a_loop": best["looped"] / best["grouped"],
        "relative_error": error,
    }


def _single(net: BranchedNet, name: str, width: int, m: int) -> Branches:
    """Branch m by itself, without the split."""
    form = architecture_named(name)
    one = Branches(form, net.picture[1:], C, 1, width)
    one.stage = form.last(1, width, width, net.picture[1:])
    one.head = Dense(1, one.stage.features, C)
    own = {key: value for key, value in net.branches.state_dict().items() if not key.startswith("divide")}
    one.load_state_dict({key: value[m : m + 1] if value.dim() else value for key, value in own.items()})
    return one


def _looped(singles: list[Branches], divided: Tensor) -> Tensor:
    parts = separate(divided, M)
    return torch.cat([one(part.contiguous(memory_format=torch.channels_last))[0] for one, part in zip(singles, parts, strict=True)])


def _step(divided: Tensor, wanted: Tensor, log_y: Tensor) -> tuple[Tensor, Tensor]:
    """What was said (M, C, B), and the gradient at the split of its product with something fixed."""
    divided.grad = None
    (log_y * wanted).sum().backward()
    assert divided.grad is not None
    return log_y.detach(), divided.grad
