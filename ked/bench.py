"""Speed against the obvious ways of doing the same, side by side in one process: `python -m ked bench NAME`.

The contestants of a comparison take turns and the best of their times counts, so that whatever else the machine does
meanwhile matters less. Ratios travel between machines; seconds do not.
"""

from __future__ import annotations

import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any, NamedTuple

import psutil
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from ked import data, jobs, workers
from ked.communities import find_superfeatures
from ked.data import fashion_mnist
from ked.dependency import dependency_matrix
from ked.errors import InvalidInput, Unavailable
from ked.nets import SubnetStack, mlp
from ked.recipe import Recipe, run
from ked.training import fit

D, C = 784, 10
TEACHER, STUDENT = (500, 500), (20, 20)
SAMPLES = 1000  # N of the dependency matrix
CHECKED = 10  # samples on which both ways to W are compared
HESSIAN_BYTES = 15e6  # that vmap(hessian) takes for each sample of this net, measured
SEEDS = 8
BATCH = 100


Contestants = dict[str, Callable[[], object]]


class Pixels(NamedTuple):
    """Samples x (N, 784) in [0, 1], labels y (N,), and where they come from."""

    x: Tensor
    y: Tensor
    source: str


def measure(name: str) -> dict[str, Any]:
    """The figures of one benchmark: seconds, ratios of seconds, and what they were measured on.

    Raises:
        InvalidInput: There is no such benchmark.
    """
    if name not in BENCHMARKS:
        raise InvalidInput(f"benchmark {name!r} is unknown; use one of {', '.join(BENCHMARKS)}.")
    return {"benchmark": name, "threads": torch.get_num_threads(), **BENCHMARKS[name]()}


def dependency() -> dict[str, Any]:
    """The dependency matrix of a 784-500-500-10 teacher at 1000 samples, against `vmap(hessian)` and its own products."""
    pixels = _pixels()
    stack = _trained_teacher(pixels)
    net, x = stack.sequential().requires_grad_(False), pixels.x[:SAMPLES]
    hessian = torch.func.vmap(torch.func.hessian(lambda sample: net(sample).log_softmax(-1).sum()))
    with warnings.catch_warnings():  # torch compiles its own decompositions with what it calls deprecated
        warnings.simplefilter("ignore", FutureWarning)
        H = hessian(x[:CHECKED]).mean(0).abs()
    exact = (H + H.T).fill_diagonal_(0)
    fit_into_memory = min(SAMPLES, max(CHECKED, int(0.8 * psutil.virtual_memory().available / HESSIAN_BYTES)))
    fast: Contestants = {"closed_form": lambda: dependency_matrix(net, x), "products": lambda: _matrix_products(stack, x)}
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
        "small_batch_samples": CHECKED,
        "times_its_matrix_products": best["closed_form"] / best["products"],
        "relative_error": float((dependency_matrix(net, x[:CHECKED]) - exact).norm() / exact.norm()),
    }


def communities() -> dict[str, Any]:
    """The search for exactly four communities on the dense dependency graph of the same teacher."""
    pixels = _pixels()
    W = dependency_matrix(_trained_teacher(pixels).sequential(), pixels.x[:SAMPLES])
    found = find_superfeatures(W, 4)
    best = alternate({"search": lambda: find_superfeatures(W, 4)}, rounds=5)
    return {
        "pixels": pixels.source,
        "links": int((W > 0).sum()) // 2,
        "superfeatures": len(found.groups),
        "sizes": list(found.sizes),
        "modularity": found.modularity,
        "engine": found.engine,
        "seconds": best["search"],
    }


def training() -> dict[str, Any]:
    """One epoch of 8 seeds of a 784-20-20-10 student, against one seed and against 8 plain loops; a whole digits run."""
    pixels = _pixels()
    best = alternate(
        {
            "together": lambda: _replicas(pixels, SEEDS),
            "one": lambda: _replicas(pixels, 1),
            "plain": lambda: _plain_loops(pixels),
        },
        rounds=5,
    )
    return {
        "pixels": pixels.source,
        "samples": len(pixels.x),
        "batch_size": BATCH,
        "seeds": SEEDS,
        "together_seconds": best["together"],
        "one_seed_seconds": best["one"],
        "plain_loops_seconds": best["plain"],
        "faster_than_plain_loops": best["plain"] / best["together"],
        "times_one_seed": best["together"] / best["one"],
        "digits_run_seconds": alternate({"digits": _digits_run}, rounds=1)["digits"],
    }


def waiting_for_jobs() -> dict[str, Any]:
    """From submitting a digits run (500-500 teacher, nothing cached) to its first words, without and with a warm worker."""
    with _fresh_home():
        cold = _first_words(seed=0)
        warm = [_first_words(seed=seed) for seed in range(1, 6)]
        workers.keep_warm()
        memory = workers.process().memory_full_info()
    return {
        "cold_training_seconds": cold["training"],
        "cold_epoch_seconds": cold["epoch"],
        "warm_training_seconds": median(words["training"] for words in warm),
        "warm_epoch_seconds": median(words["epoch"] for words in warm),
        "slowest_warm_epoch_seconds": max(words["epoch"] for words in warm),
        "worker_resident_megabytes": memory.rss / 1e6,
        "worker_own_megabytes": memory.uss / 1e6,  # what is no file of torch's that others map too
    }


def _first_words(seed: int) -> dict[str, float]:
    """Kind of event -> seconds from the click until it stands in events.jsonl; the job is then cancelled."""
    began, found = time.perf_counter(), dict[str, float]()
    job = jobs.submit(Recipe(dataset="digits", seed=seed))
    while "epoch" not in found:
        if jobs.status(job) not in ("queued", "running"):
            raise Unavailable(f"the run that was to be measured is {job.status}: {job.info['message']}")
        for event in job.events()[0]:
            found.setdefault(event["kind"], time.perf_counter() - began)
        time.sleep(0.005)
    jobs.cancel(job)
    while jobs.status(job) == "running":
        time.sleep(0.05)
    return found


BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "dependency": dependency,
    "communities": communities,
    "training": training,
    "jobs": waiting_for_jobs,
}


def alternate(contestants: Contestants, rounds: int) -> dict[str, float]:
    """The least seconds of each contestant over some rounds, in each of which every one has its turn."""
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(rounds):
        for name, contestant in contestants.items():
            began = time.perf_counter()
            contestant()
            best[name] = min(best[name], time.perf_counter() - began)
    return best


def _pixels() -> Pixels:
    """Fashion-MNIST's training pictures where they are on this machine, else random pixels; never a download."""
    if fashion_mnist.find() is not None:
        return Pixels(*data.load("fashion-mnist").part("train"), "fashion-mnist")
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(55_000, D, generator=generator)
    return Pixels(x, (x @ torch.randn(D, C, generator=generator)).argmax(dim=1), "random")


def _trained_teacher(pixels: Pixels) -> SubnetStack:
    """A teacher of two epochs: enough for W to have structure."""
    stack, held_out = mlp(D, TEACHER, C), (pixels.x[:BATCH], pixels.y[:BATCH])
    for _ in fit(stack, pixels[:2], held_out, seeds=[0], epochs=2, batch_size=500, lr=1e-3):
        pass
    return stack


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


def _replicas(pixels: Pixels, count: int) -> None:
    stack, held_out = mlp(D, STUDENT, C, replicas=count), (pixels.x[:BATCH], pixels.y[:BATCH])
    for _ in fit(stack, pixels[:2], held_out, seeds=range(count), epochs=1, batch_size=BATCH, lr=1e-3):
        pass


def _plain_loops(pixels: Pixels) -> None:
    for seed in range(SEEDS):
        _plain_loop(pixels, seed)


def _plain_loop(pixels: Pixels, seed: int) -> None:
    """An epoch as most people would write it."""
    generator = torch.Generator().manual_seed(seed)
    loader = DataLoader(TensorDataset(pixels.x, pixels.y), batch_size=BATCH, shuffle=True, generator=generator)
    net = mlp(D, STUDENT, C).sequential()
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for x, y in loader:
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()


def _digits_run() -> None:
    """Teacher, superfeatures, explaining teacher, plain, KD and KED with 5 seeds, 20 epochs each, nothing cached."""
    recipe = Recipe(dataset="digits", methods=("plain", "kd", "ked"), seeds=5, epochs=20, teacher_epochs=20)
    with _fresh_home():
        for _ in run(recipe):
            pass


@contextmanager
def _fresh_home() -> Iterator[None]:
    before = os.environ.get("KED_HOME")
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["KED_HOME"] = scratch
        try:
            yield
        finally:
            os.environ.pop("KED_HOME") if before is None else os.environ.update(KED_HOME=before)
