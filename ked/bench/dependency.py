"""The dependency matrix and its communities, against the obvious ways to them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import community
import networkx as nx
import psutil
import torch
from torch import Tensor

from ked.bench.contest import Contestants, alternate
from ked.bench.pixels import C, find_pixels, trained_teacher
from ked.communities.superfeatures import find_superfeatures
from ked.dependency import dependency_matrix
from ked.nets.subnets import SubnetStack

SAMPLES = 1000  # N of the dependency matrix
CHECKED = 10  # samples on which both ways to W are compared
ONE_BY_ONE = 2  # samples of the slowest way, scaled to all
STRIDE, MOST_CALLS = 0.1, 20  # of the resolution in the obvious search for M communities, which ends at 2
HESSIAN_BYTES = 15e6  # that vmap(hessian) takes for each sample of this net, measured


def dependency() -> dict[str, Any]:
    """The dependency matrix of a 784-500-500-10 teacher at 1000 samples, against `vmap(hessian)` and its own products."""
    pixels = find_pixels()
    stack = trained_teacher(pixels)
    net, x = stack.sequential().requires_grad_(False), pixels.x[:SAMPLES]
    hessian = torch.func.vmap(torch.func.hessian(lambda sample: net(sample).log_softmax(-1).sum()))
    with warnings.catch_warnings():  # torch compiles its own decompositions with what it calls deprecated
        warnings.simplefilter("ignore", FutureWarning)
        H = hessian(x[:CHECKED]).mean(0).abs()
    exact = (H + H.T).fill_diagonal_(0)
    fit_into_memory = min(SAMPLES, max(CHECKED, int(0.8 * psutil.virtual_memory().available / HESSIAN_BYTES)))
    fast: Contestants = {"closed_form": lambda: dependency_matrix(net, x), "products": lambda: _matrix_products(stack, x)}
    fast["autograd"] = lambda: _one_by_one(net, x[:ONE_BY_ONE])
    fast["small_batch"] = lambda: hessian(x[:CHECKED])  # far cheaper a sample than all at once, as it fits the caches
    before = alternate(fast, rounds=5)
    slow = alternate({"hessian": lambda: hessian(x[:fit_into_memory])}, rounds=1)["hessian"]
    best = {name: min(seconds, before[name]) for name, seconds in alternate(fast, rounds=5).items()}
    vmap_seconds = slow * SAMPLES / fit_into_memory
    return {
        "pixels": pixels.source,
        "samples": SAMPLES,
        "closed_form_seconds": best["closed_form"],
        "matrix_products_seconds": best["products"],
        "vmap_hessian_seconds": vmap_seconds,
        "vmap_hessian_samples_measured": fit_into_memory,
        "faster_than_vmap_hessian": vmap_seconds / best["closed_form"],
        "faster_than_vmap_hessian_in_small_batches": best["small_batch"] * SAMPLES / CHECKED / best["closed_form"],
        "faster_than_autograd_one_by_one": best["autograd"] * SAMPLES / ONE_BY_ONE / best["closed_form"],
        "small_batch_samples": CHECKED,
        "times_its_matrix_products": best["closed_form"] / best["products"],
        "relative_error": float((dependency_matrix(net, x[:CHECKED]) - exact).norm() / exact.norm()),
    }


def communities() -> dict[str, Any]:
    """The search for exactly four communities on the dense dependency graph of the same teacher."""
    pixels = find_pixels()
    W = dependency_matrix(trained_teacher(pixels).sequential(), pixels.x[:SAMPLES])
    found = find_superfeatures(W, 4)
    best = alternate({"search": lambda: find_superfeatures(W, 4)}, rounds=5)
    searches = {name: _linear_search(at, 4) for name, at in (("python_louvain", _python_louvain(W)), ("networkx", _networkx(W)))}
    return {
        "pixels": pixels.source,
        "links": int((W > 0).sum()) // 2,
        "superfeatures": len(found.groups),
        "sizes": list(found.sizes),
        "modularity": found.modularity,
        "engine": found.engine,
        "seconds": best["search"],
        **{f"{name}_{what}": value for name, told in searches.items() for what, value in told.items()},
        **{f"faster_than_{name}": told["seconds"] / best["search"] for name, told in searches.items()},
    }


def _linear_search(communities_at: Callable[[float], int], M: int) -> dict[str, float]:
    """The obvious search: a resolution after the other until there are M communities. Seconds, calls, and how many there were last."""
    began, count, calls = time.perf_counter(), 0, 0
    while count != M and calls < MOST_CALLS:
        calls += 1
        count = communities_at(calls * STRIDE)
    return {"seconds": time.perf_counter() - began, "calls": calls, "superfeatures": count}


def _python_louvain(W: Tensor) -> Callable[[float], int]:
    graph = nx.from_numpy_array(W.numpy())
    return lambda resolution: len(set(community.best_partition(graph, resolution=resolution, random_state=0).values()))


def _networkx(W: Tensor) -> Callable[[float], int]:
    graph = nx.from_numpy_array(W.numpy())
    return lambda resolution: len(nx.community.louvain_communities(graph, resolution=resolution, seed=0))


def _one_by_one(net: torch.nn.Sequential, x: Tensor) -> None:
    """The Hessian of each sample by two backward passes, row after row."""
    for sample in x:
        torch.autograd.functional.hessian(lambda one: net(one).log_softmax(-1).sum(), sample)


@torch.inference_mode()
def _matrix_products(stack: SubnetStack, x: Tensor) -> None:
    """The products that the closed form cannot do without: forward, C - 1 times backward to the first layer, and G'G there."""
    first, second, third = (weight[0].squeeze(0) for weight in (*stack.first, *stack.deeper))
    slopes = ((x @ first.T) @ second.T) @ third.T
    H = x.new_zeros(len(first), len(first))
    for _ in range(C - 1):
        rows = (slopes @ third) @ second
        H.addmm_(rows.T, rows)
    _ = first.T @ H @ first
