"""Derivatives that a net gives beside those of what it computes: by finite differences, which no hook and no backward of its own fools."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from unusual_nets import WIDTH, C, D, Wired

from ked.dependency import dependency_matrix
from ked.errors import InvalidInput

X = torch.randn(12, D, generator=torch.Generator().manual_seed(3)).double()


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def _by_differences(net: nn.Module, x: Tensor, step: float = 1e-4) -> Tensor:
    """W from values alone: the mean mixed difference of each pair of features, taken twice as H is symmetric."""
    W, steps = torch.zeros(D, D).to(x), step * torch.eye(D).to(x)

    @torch.no_grad()
    def summed(at: Tensor) -> Tensor:
        return net(at).log_softmax(1).sum(1)

    for i in range(D):
        for j in range(i):
            corners = [a * b * summed(x + a * steps[i] + b * steps[j]) for a in (1, -1) for b in (1, -1)]
            W[i, j] = W[j, i] = 2 * (sum(corners) / (4 * step**2)).mean().abs()
    return W


def _net(middle: Callable[[Tensor], Tensor]) -> nn.Module:
    return Wired(lambda x, first, last: last(middle(first(x))), nn.Linear(D, WIDTH), nn.Linear(WIDTH, C)).double()


def _tanh(backward: Callable[[Any, Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """tanh with a backward of its own."""

    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        ctx.detached = x.detach()
        return x.tanh()

    return type("Own", (torch.autograd.Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}).apply


def _differentiable(ctx: Any, slope: Tensor) -> Tensor:
    return slope * (1 - ctx.saved_tensors[0].tanh() ** 2)


def _of_detached(ctx: Any, slope: Tensor) -> Tensor:
    return slope * (1 - ctx.detached.tanh() ** 2)


def test_a_backward_of_ones_own_that_can_be_differentiated_is_right() -> None:
    net = _net(_tanh(_differentiable))
    torch.testing.assert_close(dependency_matrix(net, X), _by_differences(net, X), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("backward", [_of_detached, once_differentiable(_differentiable)], ids=["detached", "once"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_backward_of_ones_own_that_cannot_is_refused(
    backward: Callable[[Any, Tensor], Tensor], dtype: torch.dtype, one_sentence: Callable[[str], str]
) -> None:
    with pytest.raises(InvalidInput, match="cannot be differentiated twice") as refusal:
        dependency_matrix(_net(_tanh(backward)).to(dtype), X.to(dtype))
    assert "torch.autograd.Function" in one_sentence(str(refusal.value))


def test_backward_hooks_change_nothing_and_stay() -> None:
    net = nn.Sequential(nn.Linear(D, WIDTH), nn.Tanh(), nn.Linear(WIDTH, C)).double()
    hooks = [
        net[0].register_full_backward_hook(lambda module, inputs, outputs: (inputs[0] * 2,)),
        net[1].register_full_backward_pre_hook(lambda module, outputs: (outputs[0] * 3,)),
    ]
    torch.testing.assert_close(dependency_matrix(net, X), _by_differences(net, X), rtol=1e-4, atol=1e-6)
    x = X.clone().requires_grad_()
    net(x).sum().backward()
    hooked = x.grad
    for hook in hooks:
        hook.remove()
    x.grad = None
    net(x).sum().backward()
    torch.testing.assert_close(hooked, 6 * x.grad)


def _partly_cut(h: Tensor) -> Tensor:
    return torch.cat([h[:, :2].tanh().detach(), h[:, 2:].tanh()], 1)


def _clipped(h: Tensor) -> Tensor:
    z = h.tanh()
    if z.requires_grad:
        z.register_hook(lambda slope: slope.clamp(-0.01, 0.01))
    return z


@pytest.mark.parametrize("middle", [_partly_cut, _clipped])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_derivative_that_is_not_that_of_the_answers_is_said(middle: Callable[[Tensor], Tensor], dtype: torch.dtype) -> None:
    with pytest.warns(UserWarning, match="derivative is not that of its answers"):
        dependency_matrix(_net(middle).to(dtype), X.to(dtype))


@pytest.mark.parametrize(
    "middle",
    [
        lambda h: (20 * h).sin(),
        lambda h: (h - h.amax(1, keepdim=True).detach()).exp() / (h - h.amax(1, keepdim=True).detach()).exp().sum(1, keepdim=True),
        lambda h: h.clamp(0, 0.2),
        lambda h: h + (3 * h).round(),
    ],
    ids=["fast", "a stable softmax", "kinks", "jumps"],
)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_nothing_is_said_of_other_nets(middle: Callable[[Tensor], Tensor], scale: float) -> None:
    """Whatever the features' scale, at values that all samples share (ties), and of one sample too."""
    net, x = _net(lambda h: middle(h)).float(), X.float().round(decimals=0)
    scaled = Wired(lambda one, net: net(one / scale), net)
    for samples in (x, x[:1]):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dependency_matrix(scaled, scale * samples)


@pytest.mark.parametrize("way", ["in place", "a part", "a function"])
def test_nets_compiled_in_any_way_can_be_differentiated_twice(way: str) -> None:
    net = nn.Sequential(nn.Linear(D, WIDTH), nn.Tanh(), nn.Linear(WIDTH, C)).double()
    W, asked = dependency_matrix(net, X), net
    if way == "in place":
        net.compile(backend="aot_eager")
    elif way == "a part":
        net[1] = torch.compile(net[1], backend="aot_eager")
    else:
        asked = torch.compile(lambda x: net(x), backend="aot_eager")
    torch.testing.assert_close(dependency_matrix(asked, X), W)


def test_a_net_that_differentiates_in_its_own_forward() -> None:
    inner = nn.Sequential(nn.Linear(D, WIDTH), nn.Tanh(), nn.Linear(WIDTH, C)).double()
    net = Wired(lambda x, net: torch.func.vmap(torch.func.jacrev(net))(x)[..., 0], inner)
    torch.testing.assert_close(dependency_matrix(net, X), _by_differences(net, X), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "middle", [nn.functional.hardsigmoid, nn.Hardsigmoid(), nn.Hardsigmoid(inplace=True), lambda h: nn.functional.hardsigmoid(input=h)]
)
def test_hardsigmoid_has_a_second_derivative_here_though_not_in_torch(middle: Callable[[Tensor], Tensor]) -> None:
    net = _net(lambda h: middle(4 * h) * h)
    torch.testing.assert_close(dependency_matrix(net, X), _by_differences(net, X), rtol=1e-4, atol=1e-6)
    with pytest.raises(RuntimeError, match="hardsigmoid"):
        torch.autograd.functional.hessian(lambda x: net(x[None]).sum(), X[0])
