"""Nets that have no dependency matrix, each refused by the name of its fault; and afterwards every net is as it was."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from unusual_nets import WIDTH, C, D, Wired, backbone_in, mlp, wired, with_autocast

from ked.dependency import dependency_matrix, sample_influence
from ked.errors import InvalidInput

X = torch.randn(20, D, generator=torch.Generator().manual_seed(3))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def _quantised() -> nn.Module:
    from torch.ao.quantization import quantize_dynamic

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is about to move it elsewhere
        return quantize_dynamic(mlp(), {nn.Linear})


CUT_OFF: dict[str, Callable[[], nn.Module]] = {
    "frozen backbone": lambda: backbone_in(torch.no_grad),
    "frozen backbone, frozen head": lambda: backbone_in(torch.no_grad).requires_grad_(False),
    "inference mode within, frozen head": lambda: backbone_in(torch.inference_mode).requires_grad_(False),
    "detached": lambda: wired(lambda x, layer, head: head(layer(x.detach()))),
    "nothing but detached": lambda: Wired(lambda x: x.detach()),
    "whole numbers": lambda: Wired(lambda x, table: table(x.abs().long()).sum(1), nn.Embedding(9, C)),
    "compared": lambda: wired(lambda x, layer, head: head(layer((x > 0).float()))),
    "through numpy": lambda: wired(lambda x, layer, head: head(layer(torch.from_numpy(x.detach().numpy())))),
    "rounded": lambda: wired(lambda x, layer, head: head(layer(x.round()))),
    "signs": lambda: wired(lambda x, layer, head: head(layer(x.sign()))),
}
QUANTISED: dict[str, Callable[[], nn.Module]] = {
    "quantised": _quantised,
    "quantised, beside a linear layer": lambda: Wired(lambda x, one, other: one(x) + other(x), _quantised(), nn.Linear(D, C)),
}
MIXING: dict[str, Callable[[], nn.Module]] = {
    "batchnorm without running statistics": lambda: nn.Sequential(nn.BatchNorm1d(D, track_running_stats=False), mlp()),
    "batch statistics whatever the mode": lambda: Wired(
        lambda x, norm, net: net(functional.batch_norm(x, norm.running_mean, norm.running_var, training=True)),
        nn.BatchNorm1d(D), mlp(),
    ),
    "detached batch statistics": lambda: Wired(lambda x, net: net(x - x.detach().mean(0)), mlp()),
    "attention over the batch": lambda: Wired(
        lambda x, attention, net: net(attention(x[:, None], x[:, None], x[:, None])[0][:, 0]), nn.MultiheadAttention(D, 2), mlp()
    ),
    "an encoder that takes the batch for a sequence": lambda: nn.Sequential(nn.TransformerEncoderLayer(D, 2, 8), mlp()),
    "sums over earlier samples": lambda: Wired(lambda x, net: net(x.cumsum(0)), mlp()),
    "sums over later samples": lambda: Wired(lambda x, net: net(x.flip(0).cumsum(0).flip(0)), mlp()),
    "its neighbour's answer": lambda: Wired(lambda x, net: net(x.roll(1, 0)), mlp()),
}  # fmt: skip
RANDOM: dict[str, Callable[[], nn.Module]] = {
    "dropout that stays on": lambda: wired(lambda x, layer, head: head(functional.dropout(layer(x), 0.1))),
    "noise": lambda: wired(lambda x, layer, head: head(layer(x) + 0.01 * torch.randn(WIDTH))),
}
COARSE: dict[str, Callable[[], nn.Module]] = {
    "autocast within": with_autocast,
    "half precision within": lambda: wired(lambda x, layer, head: head(layer(x).bfloat16().float())),
}


@pytest.mark.parametrize(
    ("make", "named"),
    [
        *((make, "does not depend on its input") for make in CUT_OFF.values()),
        *((make, "does not depend on its input.*quantized::linear_dynamic") for make in QUANTISED.values()),
        *((make, "mixes the samples of a batch") for make in MIXING.values()),
        *((make, r"differently each time \(dropout") for make in RANDOM.values()),
        *((make, "bfloat16.*autocast") for make in COARSE.values()),
    ],
    ids=[*CUT_OFF, *QUANTISED, *MIXING, *RANDOM, *COARSE],
)
def test_a_net_without_a_matrix_is_refused_by_the_name_of_its_fault(make: Callable[[], nn.Module], named: str) -> None:
    net = make()
    before = _state(net)
    random = torch.get_rng_state()
    with pytest.raises(InvalidInput, match=named) as refusal:
        dependency_matrix(net, X)
    assert "\n" not in str(refusal.value)
    assert torch.equal(torch.get_rng_state(), random)
    _assert_same(_state(net), before)


@pytest.mark.filterwarnings("ignore:The net's derivative is not that of its answers")
def test_what_is_cut_off_for_some_features_alone_is_no_fault() -> None:
    net = wired(lambda x, layer, head: head(layer(torch.cat([x[:, :6], x[:, 6:].detach()], 1)).relu()))
    W = dependency_matrix(net, X)
    assert float(W[:6, :6].max()) > 0
    assert not W[6:].any()


def test_a_net_that_is_constant_has_no_dependencies() -> None:
    """Dead, not cut off: its answer is the same for all samples."""
    assert not dependency_matrix(wired(lambda x, layer, head: head(layer(0 * x))), X).any()


def test_a_net_in_training_is_asked_in_eval_mode_and_trains_on() -> None:
    """BatchNorm by its running statistics, without dropout: the same matrix, and no statistics learnt from being asked."""
    net = nn.Sequential(nn.Linear(D, WIDTH), nn.BatchNorm1d(WIDTH), nn.Dropout(0.5), nn.ReLU(), nn.Linear(WIDTH, C))
    net(X + 1)  # statistics that differ from those of X
    W, influence = dependency_matrix(net.eval(), X), sample_influence(net.eval(), X)
    before = _state(net.train())
    assert torch.equal(dependency_matrix(net, X), W)
    assert torch.equal(sample_influence(net, X), influence)
    _assert_same(_state(net), before)


def _state(net: nn.Module) -> dict[str, Any]:
    """All that asking might change."""
    return {
        "modes": [module.training for module in net.modules()],
        "values": {name: value.clone() for name, value in (*net.named_parameters(), *net.named_buffers())},
        "identities": [id(value) for value in (*net.parameters(), *net.buffers())],
        "wanted": [parameter.requires_grad for parameter in net.parameters()],
        "gradients": [None if parameter.grad is None else parameter.grad.clone() for parameter in net.parameters()],
        "hooks": [[dict(module._forward_hooks), dict(module._forward_pre_hooks)] for module in net.modules()],
        "switches": (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.backends.mha.get_fastpath_enabled()),
    }


def _assert_same(now: dict[str, Any], before: dict[str, Any]) -> None:
    torch.testing.assert_close(now.pop("values"), before.pop("values"), rtol=0, atol=0)
    torch.testing.assert_close(now.pop("gradients"), before.pop("gradients"), rtol=0, atol=0)
    assert now == before


class _Counting(nn.Module):
    """Buffers that every call changes, one in place and one by another tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(D))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
        return x


class _Stopped(Exception):
    """What a caller's progress function raises."""


@pytest.mark.parametrize("stops", [False, True])
def test_everything_is_afterwards_as_it_was(stops: bool) -> None:
    """Also where the caller's own progress function ends it."""
    net = nn.Sequential(_Counting(), nn.Linear(D, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU(), nn.Linear(WIDTH, C))
    net[1].register_forward_hook(lambda module, inputs, output: 2 * output)
    net[4].bias.requires_grad_(False)
    net(X).sum().backward()
    net[2].eval()
    before, x, random = _state(net), X.clone(), torch.get_rng_state()

    def progress(share: float) -> None:
        if stops:
            raise _Stopped

    try:
        dependency_matrix(net, x, progress=progress)
    except _Stopped:
        assert stops
    _assert_same(_state(net), before)
    assert torch.equal(torch.get_rng_state(), random)
    assert torch.equal(x, X)
    assert not x.requires_grad
