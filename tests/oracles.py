"""Slow second definitions, written from the formulas and not from the code under test."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from pathlib import Path

import networkx as nx
import numpy as np
import torch
from torch import Tensor, nn


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
