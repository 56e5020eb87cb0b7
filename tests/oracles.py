"""Slow second definitions, written from the formulas and not from the code under test."""

from __future__ import annotations

import gzip
import itertools
import math
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import networkx as nx
import numpy as np
import torch
from torch import Tensor, nn

from ked.nets.subnets import SubnetStack


def hessians(net: nn.Module, x: Tensor, temperature: float = 1.0) -> Tensor:
    """H(x) = sum_c d2 log p_c / dx dx' of each sample, (N, D, D), by double backward, one sample at a time."""

    def summed(sample: Tensor) -> Tensor:
        z = net(sample.clone()[None])[0] / temperature  # a copy: the net may work in place
        return (z - z.exp().sum().log()).sum()

    return torch.stack([torch.autograd.functional.hessian(summed, sample) for sample in x])


def dependency(H: Tensor, reduce: str, spread: Tensor | None = None) -> Tensor:
    """W (D, D) from the per-sample Hessians (N, D, D), entry by entry as METHOD 1.1 says it."""
    mean = H.mean(0).abs() if reduce == "abs_mean" else H.abs().mean(0)
    W = torch.zeros_like(mean)
    for i in range(len(W)):
        for j in range(len(W)):
            scale = 1.0 if spread is None else spread[i] * spread[j]
            W[i, j] = (mean[i, j] + mean[j, i]) * scale if i != j else 0.0
    return W


def modularity(W: np.ndarray, labels: Sequence[int], resolution: float = 1.0) -> float:
    """Modularity by networkx."""
    graph = nx.from_numpy_array(np.asarray(W, dtype=float))
    groups = [{i for i, label in enumerate(labels) if label == one} for one in set(labels)]
    return float(nx.community.modularity(graph, groups, resolution=resolution))


def write_idx(path: Path, values: np.ndarray) -> None:
    """A gzipped IDX file of unsigned bytes, as the format's description has it: magic, sides, values, big-endian."""
    header = struct.pack(">BBBB", 0, 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
    path.write_bytes(gzip.compress(header + values.astype(np.uint8).tobytes()))


_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}


def subnets(stack: SubnetStack, k: int = 0) -> list[nn.Sequential]:
    """The M subnets of replica k as the nets that anybody would write, with copies of the same weights."""
    nets = []
    for m in range(len(stack.groups)):
        weights = [stack.first[m][k], *(weight[k, m] for weight in stack.deeper)]
        layers: list[nn.Module] = []
        for weight, bias in zip(weights, stack.biases, strict=True):
            linear = nn.Linear(weight.shape[1], weight.shape[0]).to(weight)
            linear.load_state_dict({"weight": weight.detach().clone(), "bias": bias[k, m, :, 0].detach().clone()})
            layers += [linear, _ACTIVATIONS[stack.activation]()]
        nets.append(nn.Sequential(*layers[:-1]))
    return nets


def explanations(nets: Sequence[nn.Module], groups: Sequence[Sequence[int]], x: Tensor) -> Tensor:
    """log y_m (M, B, C): each subnet on the features of its own superfeature."""
    return torch.stack([torch.log_softmax(net(x[:, list(group)]), 1) for net, group in zip(nets, groups, strict=True)])


def coalition_logits(log_y: Tensor, base: Tensor, members: Sequence[bool]) -> Tensor:
    """Total logits (B, C) when only some subnets take part: the sum of their log y_m, less base for all but one of them."""
    present = [log_y[m] for m, member in enumerate(members) if member]
    total = torch.zeros_like(log_y[0])
    for one in present:
        total = total + one
    return total - (len(present) - 1) * base


def shapley_values(worth: Callable[[tuple[bool, ...]], Tensor], players: int) -> list[Tensor]:
    """Each player's Shapley value by enumeration of all coalitions: |S|! (M - |S| - 1)! / M! times what it adds to S."""
    values = []
    for player in range(players):
        value = torch.zeros_like(worth((False,) * players))
        for members in itertools.product((False, True), repeat=players):
            if not members[player]:
                joined = (*members[:player], True, *members[player + 1 :])
                size = sum(members)
                share = math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)
                value += share * (worth(joined) - worth(members))
        values.append(value)
    return values


def widest(features: int, classes: int, subnets: int, layers: int, budget: int) -> int:
    """Hidden width by counting up: one more unit as long as M fully connected nets stay within the budget."""

    def parameters(width: int) -> int:
        inner = (layers - 1) * (width * width + width) + width * classes + classes + width
        return features * width + subnets * inner

    width = 0
    while parameters(width + 1) <= budget:
        width += 1
    return width


def divergence(p_logits: Tensor, q_logits: Tensor, temperature: float) -> float:
    """KL(p || q) of two vectors of logits softened by the temperature, term by term."""
    p, q = (torch.softmax(logits / temperature, 0) for logits in (p_logits, q_logits))
    return sum(float(a) * (math.log(float(a)) - math.log(float(b))) for a, b in zip(p, q, strict=True))
