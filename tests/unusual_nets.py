"""Nets whose modules are not what their types and attributes say, from (N, D) to (N, C)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, parametrize
from torch.utils.checkpoint import checkpoint

D, C, WIDTH = 8, 3, 5


class Wired(nn.Module):
    """A forward written as a function of the samples and some modules."""

    def __init__(self, forward: Callable[..., Any], *parts: nn.Module) -> None:
        super().__init__()
        self.wiring, self.parts = forward, nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Any:
        return self.wiring(x, *self.parts)


class MaskedLinear(nn.Linear):
    """Half of its weights never count."""

    def forward(self, x: Tensor) -> Tensor:
        mask = torch.arange(self.weight.numel(), device=x.device).view_as(self.weight) % 2
        return functional.linear(x, self.weight * mask, self.bias)


class LowRankLinear(nn.Linear):
    """Its weights and a product of two narrow matrices besides, as in LoRA (arXiv 2106.09685)."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__(fan_in, fan_out)
        self.down, self.up = nn.Linear(fan_in, 2, bias=False), nn.Linear(2, fan_out, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + 3 * self.up(self.down(x))


class CurvedLinear(nn.Linear):
    """A linear layer by its type alone."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).square()


class LowerTriangle(nn.Module):
    """A parametrisation: what the weight is made of it."""

    def forward(self, weight: Tensor) -> Tensor:
        return weight.tril()


def _parametrised(layer: nn.Linear) -> nn.Linear:
    parametrize.register_parametrization(layer, "weight", LowerTriangle())
    return layer


def _patched(layer: nn.Linear) -> nn.Linear:
    layer.forward = lambda x: functional.linear(x, 2 * layer.weight, layer.bias)  # type: ignore[method-assign]
    return layer


def _hooked(layer: nn.Linear, hook: Callable[..., Any], *, before: bool = False) -> nn.Linear:
    (layer.register_forward_pre_hook if before else layer.register_forward_hook)(hook)
    return layer


def _only_where_positive(_: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
    return torch.where(inputs[0][:, :1] > 0, 2 * output, output)


def _curved_where_positive(_: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
    return output + inputs[0][:, :1].relu().square()


# First layers: what each makes of x is linear in these, ...
LINEAR_FIRST: dict[str, Callable[[int, int], nn.Module]] = {
    "plain": nn.Linear,
    "masked": MaskedLinear,
    "low-rank": LowRankLinear,
    "doubled-by-a-hook": lambda i, o: _hooked(nn.Linear(i, o), lambda module, inputs, output: 2 * output),
    "tripled-before-it": lambda i, o: _hooked(nn.Linear(i, o), lambda module, inputs: (3 * inputs[0],), before=True),
    "weight-norm": lambda i, o: parametrizations.weight_norm(nn.Linear(i, o)),
    "spectral-norm": lambda i, o: parametrizations.spectral_norm(nn.Linear(i, o)),
    "lower-triangle": lambda i, o: _parametrised(nn.Linear(i, o)),
    "patched": lambda i, o: _patched(nn.Linear(i, o)),
    "half-cut-off": lambda i, o: Wired(
        lambda x, layer: layer(torch.cat([x[:, : i // 2], x[:, i // 2 :].detach()], 1)), nn.Linear(i, o)
    ),
    "recomputed": lambda i, o: Wired(lambda x, layer: checkpoint(layer, x, use_reentrant=False), nn.Linear(i, o)),
}
# ... linear in pieces in these, ...
PIECEWISE_FIRST: dict[str, Callable[[int, int], nn.Module]] = {
    "doubled-in-places": lambda i, o: _hooked(nn.Linear(i, o), _only_where_positive),
    "called-twice": lambda i, o: Wired(lambda x, layer: layer(x).relu() - layer(-x).relu(), nn.Linear(i, o)),
    "beside-itself": lambda i, o: Wired(lambda x, layer: layer(x) + x[:, :1].abs(), nn.Linear(i, o)),
}
# ... and curved in these.
CURVED_FIRST: dict[str, Callable[[int, int], nn.Module]] = {
    "squared": CurvedLinear,
    "curved-in-places": lambda i, o: _hooked(nn.Linear(i, o), _curved_where_positive),
    "squared-before-it": lambda i, o: _hooked(nn.Linear(i, o), lambda module, inputs: (inputs[0].square(),), before=True),
    "gated": lambda i, o: Wired(lambda x, layer: layer(x) * x[:, :1].sigmoid(), nn.Linear(i, o)),
    "product-of-two": lambda i, o: Wired(lambda x, layer: layer(x) + x[:, :1] * x[:, 1:2], nn.Linear(i, o)),
    "nearly-linear": lambda i, o: Wired(lambda x, layer: (1e-3 * layer(x)).tanh(), nn.Linear(i, o)),
}
FIRST = LINEAR_FIRST | PIECEWISE_FIRST | CURVED_FIRST
FLAT: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "relu-in-place": lambda: nn.ReLU(inplace=True), "none": nn.Identity}
BENT: dict[str, Callable[[], nn.Module]] = {"gelu": nn.GELU, "tanh": nn.Tanh}


def starting_with(first: nn.Module, activation: nn.Module | None = None, width: int = WIDTH, classes: int = C) -> nn.Module:
    """That first layer, an activation and a last layer, in double precision."""
    return nn.Sequential(first, activation or nn.ReLU(), nn.Linear(width, classes)).double()


class Transformer(nn.Module):
    """A token for each feature, as anybody would write it from torch's own layers; in the fast path, if it is let."""

    def __init__(self, features: int = D, width: int = 8) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(width, 2, 16, batch_first=True)
        self.embed, self.place = nn.Linear(1, width), nn.Parameter(torch.randn(features, width))
        self.encoder, self.out = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Linear(width, C)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.encoder(self.embed(x[..., None]) + self.place).mean(1))


def mlp() -> nn.Sequential:
    """The usual net."""
    return nn.Sequential(nn.Linear(D, WIDTH), nn.ReLU(), nn.Linear(WIDTH, C))


def wired(forward: Callable[..., Any]) -> nn.Module:
    """A first and a last layer, and how they are used."""
    return Wired(forward, nn.Linear(D, WIDTH), nn.Linear(WIDTH, C))


def backbone_in(context: Callable[[], Any]) -> nn.Module:
    """The first layer is asked in a context, such as torch.no_grad."""

    def forward(x: Tensor, backbone: nn.Module, head: nn.Module) -> Tensor:
        with context():
            h = backbone(x).relu()
        return head(h)

    return wired(forward)


def with_autocast() -> nn.Module:
    """It computes in bfloat16, unless it is given doubles."""

    def forward(x: Tensor, layer: nn.Module, head: nn.Module) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return head(layer(x).relu()).float()

    return wired(forward)
