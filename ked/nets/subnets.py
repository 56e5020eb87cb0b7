"""Nets: K replicas of M subnets, each seeing one superfeature, trained as batched matrix products.

An MLP is the stack whose single group holds every feature, so the black-box teacher, the plain student, the explaining
teacher and the KED student are all a `SubnetStack` (METHOD 1.3; arXiv 2310.02572, section 3).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Self

import torch
from torch import Tensor, nn

from ked.errors import InvalidInput
from ked.nets.stack import Stack

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "gelu": nn.functional.gelu,
    "silu": nn.functional.silu,
    "tanh": torch.tanh,
}


_ACTIVATION_LAYERS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}


class SubnetStack(Stack):
    """K replicas of M subnets; subnet m maps the features of superfeature m to class probabilities y_m.

    Total logit = sum_m log y_m - (M - 1) base, so that every superfeature adds phi_m = log y_m - base, and phi_m is its Shapley
    value (METHOD 1.3).

    Inside, activations are (K, M, units, B), batch last: the gradient of a weight is then one product of two operands
    that lie in memory as the matrix library wants them. Outside, classes come last as everywhere in torch.

    Args:
        groups: M tuples of feature indices, a disjoint cover of range(D); or D, for one subnet that sees every feature.
        hidden: Width of each of the L hidden layers of every subnet.
        classes: C.
        replicas: K independent nets (one a seed).
        base: (C,) log of the teacher's mean predicted probabilities; a stack of one subnet has no use for it.
        activation: A key of `ACTIVATIONS`.

    >>> net = SubnetStack([(0, 2), (1, 3)], hidden=[8], classes=3, replicas=5)
    >>> x = torch.randn(7, 4)
    >>> net(x).shape, net.explanations(x).shape  # (K, B, C) total logits, (K, M, B, C) log y_m
    (torch.Size([5, 7, 3]), torch.Size([5, 2, 7, 3]))
    """

    order: Tensor

    def __init__(
        self,
        groups: Sequence[Sequence[int]] | int,
        hidden: Sequence[int],
        classes: int,
        *,
        replicas: int = 1,
        base: Tensor | None = None,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        groups = [range(groups)] if isinstance(groups, int) else groups
        if activation not in ACTIVATIONS:
            raise InvalidInput(f"activation {activation!r} is unknown; use one of {', '.join(ACTIVATIONS)}.")
        if not hidden or min(hidden) < 1:
            raise InvalidInput(f"hidden widths {tuple(hidden)} need at least one layer of at least one unit.")
        self.groups = tuple(tuple(int(i) for i in group) for group in groups)
        self.hidden, self.classes, self.replicas, self.activation = tuple(hidden), classes, replicas, activation
        if not all(self.groups):
            raise InvalidInput(f"superfeature {self.groups.index(())} is empty; each needs at least one feature.")
        members = [i for group in self.groups for i in group]
        if not members or sorted(members) != list(range(len(members))):
            raise InvalidInput("superfeatures must cover every feature exactly once.")
        order = torch.tensor(members, dtype=torch.int64)
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("base", torch.zeros(classes) if base is None else base.detach().clone())
        self._build()
        self.reset(range(replicas))

    def _build(self) -> None:
        K, M, widths = self.replicas, len(self.groups), (*self.hidden, self.classes)
        self.first = nn.ParameterList(torch.empty(K, widths[0], len(group)) for group in self.groups)
        self.deeper = nn.ParameterList(torch.empty(K, M, fan_out, fan_in) for fan_in, fan_out in pairwise(widths))
        self.biases = nn.ParameterList(torch.empty(K, M, width, 1) for width in widths)

    @torch.no_grad()
    def reset(self, seeds: Sequence[int]) -> None:
        """Draw fresh weights: replica k from seeds[k] alone, uniform within 1/sqrt(fan in) as `torch.nn.Linear` does."""
        if len(seeds) != self.replicas:
            raise InvalidInput(f"{self.replicas} replicas need as many seeds, not {len(seeds)}.")
        for k, seed in enumerate(seeds):
            generator = torch.Generator().manual_seed(seed)
            for weight in (*self.first, *self.deeper):
                _uniform(weight[k], weight.shape[-1], generator)
            for m, group in enumerate(self.groups):
                _uniform(self.biases[0][k, m], len(group), generator)
            for bias, fan_in in zip(list(self.biases)[1:], self.hidden, strict=True):
                _uniform(bias[k], fan_in, generator)

    def arrange(self, x: Tensor) -> Tensor:
        """Order the features (..., D) group by group, so that a superfeature is a slice: done once, not at every step."""
        if x.shape[-1] != len(self.order):
            raise InvalidInput(f"the samples have {x.shape[-1]} features, but the net was built for {len(self.order)}.")
        return x if len(self.groups) == 1 and _is_range(self.groups[0]) else x.index_select(-1, self.order)

    def subnet_log_probabilities(self, arranged: Tensor) -> Tensor:
        """log y_m with the batch last, (K, M, C, B), of arranged inputs (B, D) shared or (K, B, D) one batch a replica."""
        h = self._first_layer(arranged)
        activate = ACTIVATIONS[self.activation]
        K, M = h.shape[:2]
        for weight, bias in zip(self.deeper, list(self.biases)[1:], strict=True):
            h = torch.baddbmm(bias.flatten(0, 1), weight.flatten(0, 1), activate(h).flatten(0, 1)).unflatten(0, (K, M))
        return h.log_softmax(dim=-2)

    def _first_layer(self, arranged: Tensor) -> Tensor:
        outputs, start = [], 0
        for m, weight in enumerate(self.first):
            stop = start + weight.shape[-1]
            x, bias = arranged[..., start:stop].transpose(-1, -2), self.biases[0][:, m]
            if arranged.dim() == 2:  # one batch for all replicas: a single product, no copy of x for each
                outputs.append((weight.flatten(0, 1) @ x).unflatten(0, weight.shape[:2]) + bias)
            else:
                outputs.append(torch.baddbmm(bias, weight, x))
            start = stop
        return torch.stack(outputs, dim=1)

    def replica(self, k: int) -> Self:
        """A copy that holds replica k alone (K = 1), on the same device and in the same dtype."""
        one = type(self)(self.groups, self.hidden, self.classes, base=self.base, activation=self.activation).to(self.base)
        with torch.no_grad():
            for mine, theirs in zip(one.parameters(), self.parameters(), strict=True):
                mine.copy_(theirs[k : k + 1])
        return one.train(self.training)

    def sequential(self, k: int = 0) -> nn.Sequential:
        """Replica k of a stack of one subnet as ordinary layers from (B, D) to logits (B, C)."""
        if len(self.groups) != 1:
            raise InvalidInput(f"only a stack of one subnet is a sequence of layers; this one has {len(self.groups)}.")
        return self.subnet(0, k)

    def subnet(self, m: int, k: int = 0) -> nn.Sequential:
        """Subnet m of replica k as ordinary layers from its own features (B, |S_m|) to logits (B, C); a copy."""
        layers: list[nn.Module] = []
        weights = [self.first[m][k], *(weight[k, m] for weight in self.deeper)]
        for weight, bias in zip(weights, self.biases, strict=True):
            linear = nn.Linear(weight.shape[1], weight.shape[0]).to(weight)
            linear.load_state_dict({"weight": weight.detach(), "bias": bias[k, m, :, 0].detach()})
            layers += [_ACTIVATION_LAYERS[self.activation](), linear] if layers else [linear]
        return nn.Sequential(*layers).train(self.training)

    @property
    def config(self) -> dict[str, Any]:
        """What builds the same net again, `SubnetStack(**config)`, but for weights and base; plain JSON types."""
        plain = len(self.groups) == 1 and _is_range(self.groups[0])
        return {
            "groups": len(self.order) if plain else [list(group) for group in self.groups],
            "hidden": list(self.hidden),
            "classes": self.classes,
            "replicas": self.replicas,
            "activation": self.activation,
        }

    def kernels(self) -> list[nn.Parameter]:
        """The weight matrices: what weight decay is for."""
        return [*self.first, *self.deeper]

    @property
    def parameter_count(self) -> int:
        """Trainable parameters of one replica."""
        return sum(parameter[0].numel() for parameter in self.parameters())


class Predictor(nn.Module):
    """One replica as an ordinary net from (B, D) to total logits (B, C), for tools that expect such."""

    def __init__(self, stack: SubnetStack, k: int = 0) -> None:
        super().__init__()
        self.stack = stack.replica(k)

    def forward(self, x: Tensor) -> Tensor:
        """Total logits (B, C) of x (B, D)."""
        logits: Tensor = self.stack(x)[0]
        return logits


def mlp(features: int, hidden: Sequence[int], classes: int, *, replicas: int = 1, activation: str = "relu") -> SubnetStack:
    """A black box: the stack whose one subnet sees all D features.

    >>> net = mlp(64, [20, 20], 10, replicas=2)
    >>> net(torch.randn(5, 64)).shape, net.parameter_count
    (torch.Size([2, 5, 10]), 1930)
    """
    return SubnetStack(features, hidden, classes, replicas=replicas, activation=activation)


def stack_parameters(features: int, classes: int, subnets: int, layers: int, width: int) -> int:
    """Parameters of one replica with M subnets of L hidden layers of equal width: M(L-1)h^2 + (M(L+C)+D)h + MC.

    >>> stack_parameters(features=64, classes=10, subnets=1, layers=2, width=20)
    1930
    """
    return subnets * (layers - 1) * width**2 + (subnets * (layers + classes) + features) * width + subnets * classes


def matched_width(features: int, classes: int, subnets: int, layers: int, budget: int) -> int:
    """Largest hidden width whose parameter count does not exceed the budget (METHOD 1.3); an error if even one unit does.

    The positive root of the quadratic, corrected by at most a unit for rounding.

    >>> black_box = stack_parameters(784, 10, subnets=1, layers=2, width=500)
    >>> matched_width(784, 10, subnets=4, layers=2, budget=black_box)  # of the paper's explaining teacher
    311
    """
    a, b, c = subnets * (layers - 1), subnets * (layers + classes) + features, subnets * classes - budget
    if stack_parameters(features, classes, subnets, layers, 1) > budget:
        raise InvalidInput(
            f"{subnets} superfeatures do not fit into {budget} parameters even with one hidden unit each; "
            "use fewer superfeatures or a wider net."
        )
    width = int(-c / b if a == 0 else (math.sqrt(b * b - 4 * a * c) - b) / (2 * a))
    while stack_parameters(features, classes, subnets, layers, width) > budget:
        width -= 1
    while stack_parameters(features, classes, subnets, layers, width + 1) <= budget:
        width += 1
    return width


def explaining_net(
    groups: Sequence[Sequence[int]], counterpart: SubnetStack, base: Tensor, *, replicas: int = 1
) -> SubnetStack:
    """A stack over the superfeatures that has no more parameters than its black-box counterpart and as many layers.

    base: (C,) log of the black box's mean predicted probabilities (METHOD 1.3).

    >>> net = explaining_net([range(32), range(32, 64)], mlp(64, [20, 20], 10), torch.zeros(10))
    >>> net.hidden, net.parameter_count
    ((15, 15), 1790)
    """
    features, layers = len(counterpart.order), len(counterpart.hidden)
    width = matched_width(features, counterpart.classes, len(groups), layers, counterpart.parameter_count)
    return SubnetStack(
        groups, [width] * layers, counterpart.classes, replicas=replicas, base=base, activation=counterpart.activation
    )


def _uniform(weight: Tensor, fan_in: int, generator: torch.Generator) -> None:
    bound = 1 / math.sqrt(fan_in)
    weight.copy_(torch.empty(weight.shape, dtype=torch.float32).uniform_(-bound, bound, generator=generator))


def _is_range(group: Sequence[int]) -> bool:
    return all(i == j for j, i in enumerate(group))
