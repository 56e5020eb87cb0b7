"""The figures of a report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
import torch

from explorer import cache
from explorer.pictures import charts, graphs, overlays
from explorer.replay.figures import Figures, Replay
from explorer.report.tables import plain
from explorer.words import explain
from explorer.words.results import LABELS
from ked.explanation import centre, coalition, contributions
from ked.methods import METHODS
from ked.store import Run

_SAMPLES = 6  # test samples that are explained one by one
_LINKS = 300  # of the dependency graph


class Figure(NamedTuple):
    """A figure in its place: what it is called, what it shows in words, and a sentence to read below it."""

    figure: go.Figure
    heading: str
    alt: str
    below: str = ""
    moves: bool = False  # with the slider through time


def results(summary: dict[str, Any]) -> Figure:
    """Test accuracy of each method, a dot a seed."""
    students = {name: np.array(values) for name, values in summary["accuracy"].items() if isinstance(values, list)}
    teachers = {name: value for name, value in summary["accuracy"].items() if not isinstance(value, list)}
    alt = "Test accuracy of each method: one dot per seed, the mean and its 95 % interval; dotted lines are the teachers."
    return Figure(charts.results(students, labels=LABELS, references=teachers), "Test accuracy", alt, alt)


def film(replay: Replay, made: Figures) -> Iterator[Figure]:
    """What changes while the nets learn."""
    told = {
        "accuracy": ("Validation accuracy", "Means over the seeds with their 95 % intervals; dotted: the teachers."),
        "forming": ("Superfeatures as they form", "The strongest links and their communities; groups keep their colours."),
        "modularity": ("Modularity", "How much of the link strength lies inside the communities, beyond chance."),
        "teacher-overlay": (_about(replay, "explaining"), "Contributions of the superfeatures in nats: for the class, or against it."),
        "student-overlay": (_about(replay, replay.student), "On the scale of its teacher's."),
        "answers": ("What they answer", "Class probabilities of the nets."),
        "losses": ("What each student minimises", "Each term times its weight, in nats."),
        "agreement": ("Do students explain as their teacher does?", "Cosine of their contributions: 1 is full agreement."),
    }
    for key, (heading, below) in told.items():
        if key in made:
            yield Figure(made[key], heading, f"{heading}. {below}", below, moves=True)


def _about(replay: Replay, net: str) -> str:
    return f"{explain.sentence(LABELS[net])} on test sample {replay.sample}: {replay.dataset.classes[replay.label]}"


def superfeatures(replay: Replay) -> Iterator[Figure]:
    """The dependency graph, the matrix in order and the mask."""
    run, dataset = replay.run, replay.dataset
    if not (run.has("dependency") and run.has("superfeatures")):
        return
    how = (replay.recipe.reduce, replay.recipe.scale)
    W, groups = cache.dependency(run, *how), run.superfeatures().groups
    mean, spread = cache.mean_image(run)
    graph = graphs.dependency_graph(
        W, groups, dataset.shape, edges=_LINKS, positions=cache.positions(run, *how),
        background=mean, spread=spread, names=dataset.features,
    )  # fmt: skip
    yield Figure(graph, "The dependency graph", f"Graph of {len(W)} features in {len(groups)} communities.")
    blocks = graphs.dependency_blocks(W, groups, names=dataset.features)
    yield Figure(blocks, "Dependency matrix, ordered", "Dependency matrix with its blocks along the diagonal, sorted by superfeature.")
    shown = mean if dataset.is_image else W.sum(1)
    mask = overlays.superfeature_mask(groups, dataset.shape, image=shown, names=dataset.features, height=330)
    against = explain.for_nothing(cache.modularity_for_nothing(W, groups))
    below = f"Modularity {run.superfeatures().modularity:.3f} {against}."
    yield Figure(mask, "Superfeature mask", f"The features in the colours of {len(groups)} superfeatures.", below)


def explained(replay: Replay) -> Iterator[Figure]:
    """Teacher beside student, sample by sample, on one scale a sample."""
    run, dataset = replay.run, replay.dataset
    nets = [net for net in ("explaining", replay.student) if run.has(net if net == "explaining" else f"student-{net}")]
    nets = [net for net in nets if net == "explaining" or METHODS[net].net == "ked"]
    if replay.convolutional or not nets:
        return
    for sample in np.linspace(0, len(dataset.test) - 1, _SAMPLES).astype(int).tolist():
        image, truth = dataset.x[dataset.test[sample]].numpy(), int(dataset.y[dataset.test[sample]])
        heard = {net: _voice(run, net, sample) for net in nets}
        label = int(heard["explaining"][1].argmax()) if "explaining" in heard else truth
        limit = overlays.shared_limit(*[phi[:, label] for phi, _ in heard.values()])
        for net, (phi, log_p) in heard.items():
            groups = run.superfeatures("teacher" if net == "explaining" else "student").groups
            look: dict[str, Any] = {"limit": limit, "names": dataset.features, "height": 300}
            picture = overlays.contributions(groups, phi[:, label], dataset.shape, image, **look)
            heading = f"{explain.sentence(LABELS[net])} on {dataset.classes[label]}, sample {sample}"
            yield Figure(picture, heading, f"{heading}.", plain(explain.verdict(_named(net), log_p, truth, dataset.classes)))


def _voice(run: Run, net: str, sample: int) -> tuple[np.ndarray, np.ndarray]:
    """Centred contributions (M, C) and class log-probabilities (C,) of a net's first replica."""
    log_y, base = map(torch.from_numpy, cache.explanation(run, net, 0, sample))
    everyone = [True] * len(log_y)
    return centre(contributions(log_y, base)).numpy(), coalition(log_y[:, None], base, everyone)[0].numpy()


def _named(net: str) -> str:
    return LABELS[net] if net == "explaining" else f"{LABELS[net]} student"
