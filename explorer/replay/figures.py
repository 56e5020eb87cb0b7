"""A run as a film: every figure of it at all its moments, for the Train page and for reports. No streamlit here.

A figure shows the end and has a frame for each moment before (`pictures/frames.py`); one slider moves them together.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from explorer import cache
from explorer.pictures import graphs, links, overlays
from explorer.pictures.forming import moving_forming
from explorer.replay import over_time
from explorer.timeline.history import History
from explorer.timeline.moments import Moment, at_moments, moments
from explorer.words import explain
from ked.data import Dataset
from ked.errors import Unavailable
from ked.explanation import centre
from ked.methods import METHODS
from ked.recipe import Recipe
from ked.runs.forming import EDGES
from ked.runs.trajectory import Trajectory
from ked.store import Run

Figures = dict[str, go.Figure]


@dataclass(frozen=True)
class Replay:
    """What is looked at: a run, what it has told, its data, the moments so far, whether it goes on; and who is asked of what.

    `sample`: place of the pinned sample in the test split. `chosen`: the class that contributions speak about, -1 for the sample's
    own. `student` and `replica`: whose contributions stand beside the teacher's.
    """

    run: Run
    history: History
    recipe: Recipe
    dataset: Dataset
    found: list[Moment]
    active: bool
    sample: int
    chosen: int
    student: str
    replica: int

    @property
    def convolutional(self) -> bool:
        """Whether superfeatures are groups of channels."""
        return cache.convolutional(self.run)

    @property
    def truth(self) -> int:
        """Its class."""
        return int(self.dataset.y[self.dataset.test[self.sample]])

    @property
    def label(self) -> int:
        """The class that contributions speak about: the chosen one, else the sample's own."""
        return self.chosen if 0 <= self.chosen < self.dataset.class_count else self.truth

    def reached(self, stage: str) -> int:
        """Epochs that a stage has finished."""
        return int(self.history.stages.get(stage, {}).get("epoch", 0))

    def moments_of(self, phase: str) -> list[Moment]:
        """The moments of a phase."""
        return [moment for moment in self.found if moment.phase == phase]


def enter(
    run: Run, recipe: Recipe, history: History, *, active: bool, sample: int = 0, chosen: int = -1, student: str = "", replica: int = 0
) -> Replay:
    """The laboratory of a run; a sample or student that it does not have becomes the last that it has."""
    dataset = cache.dataset_of(run)
    sample = min(sample, len(dataset.test) - 1)
    student = student if student in recipe.methods else recipe.methods[-1]
    replica = min(replica, recipe.seeds - 1)
    return Replay(run, history, recipe, dataset, moments(history), active, sample, chosen, student, replica)


class Made(NamedTuple):
    """All figures with their frames, the moments that these are of, whether nets were kept as they were in the end only, and what
    the figures of forming superfeatures are made of."""

    figures: Figures
    moments: list[Moment]
    ends_only: bool
    formed: tuple[Any, ...] = ()


def make(replay: Replay, before: Made | None = None) -> Made:
    """The figures, as far as the run has told something to show; those of `before`, made of the same run, where they are about the same."""
    if not replay.found:
        return Made({}, replay.found, False)
    told = _told(replay)
    made = {
        "accuracy": over_time.accuracy(replay.history, replay.found, replay.recipe),
        "losses": over_time.losses(replay.history, replay.found, replay.recipe),
    }
    formed = _formed(replay)
    for part in (partial(_forming, before=before, formed=formed), partial(_sample, told=told), _agreement):
        with contextlib.suppress(Unavailable):  # a damaged file takes away what is drawn from it, and no more
            made |= part(replay)
    longer = [net for net, stage in _stages(replay).items() if replay.reached(stage) > 1]
    ends_only = not replay.active and all(net in told and len(told[net].epochs) == 1 for net in longer)
    return Made(made, replay.found, ends_only, formed)


def _formed(replay: Replay) -> tuple[Any, ...]:
    """What `_forming` draws changes with these alone, while the run is the same."""
    later = next((moment.name for moment in replay.found if moment.phase != "teacher"), None)
    there = replay.run.has("superfeatures"), replay.run.has("dependency")
    return len(replay.history.forming), tuple(replay.moments_of("teacher")), later, *there


def _stages(replay: Replay) -> dict[str, str]:
    """Net -> stage, of the nets that are asked about the pinned sample."""
    return {"teacher": "teacher", "explaining": "explaining", replay.student: f"student-{replay.student}"}


def _told(replay: Replay) -> dict[str, Trajectory]:
    """Net -> what it says of the pinned sample over its epochs; nothing of nets that have no epoch yet, or of which none was kept."""
    told: dict[str, Trajectory] = {}
    for net, stage in _stages(replay).items():
        with contextlib.suppress(Unavailable):
            told[net] = cache.trajectories(replay.run, stage, replay.sample).now()
    return told


def _forming(replay: Replay, before: Made | None, formed: tuple[Any, ...]) -> Figures:
    """The teacher's superfeatures at its epochs, and those that came out; nothing for channels, which do not form."""
    if before and before.formed == formed:
        return {name: before.figures[name] for name in ("forming", "modularity") if name in before.figures}
    told = cache.forming(replay.run, len(replay.history.forming)) if replay.history.forming else {}
    if not told:
        return {}
    places = at_moments(list(told), replay.moments_of("teacher"))
    values = list(told.values())
    states = {
        name: (np.array(values[place]["labels"]), np.array(values[place]["edges"]).reshape(-1, 3)[:, :2])
        for name, place in places.items()
    }
    later = next((moment.name for moment in replay.found if moment.phase != "teacher"), None)
    if later and replay.run.has("superfeatures") and replay.run.has("dependency"):
        W = cache.dependency(replay.run, replay.recipe.reduce, replay.recipe.scale)
        states[later] = replay.run.superfeatures().labels().numpy(), links.strongest_edges(W, EDGES)
    background, names = cache.mean_image(replay.run)[0], replay.dataset.features
    picture = moving_forming(states, replay.dataset.shape, places=_places(replay), background=background, names=names)
    final = (later, replay.run.superfeatures()) if later and later in states else None
    return {"forming": picture, "modularity": over_time.modularity(told, replay.found, final)}


def _places(replay: Replay) -> np.ndarray:
    """Pixels stand at their places; the features of a table in a circle, as nothing is known of W yet when they first appear."""
    if replay.dataset.is_image:
        return graphs.node_positions(np.zeros((replay.dataset.feature_count, 0)), replay.dataset.shape)
    angles = np.linspace(0, 2 * np.pi, replay.dataset.feature_count, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _sample(replay: Replay, told: dict[str, Trajectory]) -> Figures:
    """What teacher and student make of the pinned sample, on one scale, and what the nets answer."""
    if not told:
        return {}
    rows = {net: _replica(replay, net) for net in told}
    at = {net: _at(replay, net, trajectory) for net, trajectory in told.items()}
    answers = {
        net: {name: told[net].log_p[place, rows[net]].exp().numpy() for name, place in at[net].items()} for net in told
    }
    blank: dict[str, dict[str, np.ndarray]] = {net: {} for net in _stages(replay)}
    made = {"answers": over_time.answers(blank | answers, replay.found, replay.dataset.classes, replay.truth)}
    phis = {
        net: centre(told[net].phi[:, rows[net]])[:, :, replay.label].numpy()
        for net in told
        if net == "explaining" or (net in METHODS and METHODS[net].net == "ked")
    }
    limit = overlays.shared_limit(*phis.values())
    for net, phi in phis.items():
        moving = {name: phi[place] for name, place in at[net].items()}
        if not moving:  # a net was kept of an epoch whose event is still to be read
            continue
        groups, shape, image = _layout(replay, net)
        key = "teacher-overlay" if net == "explaining" else "student-overlay"
        titles = [explain.channels(group) for group in groups] if replay.convolutional else None
        look: dict[str, Any] = {"limit": limit, "names": replay.dataset.features, "titles": titles, "height": 300}
        made[key] = overlays.moving_contributions(groups, moving, shape, image, **look)
    return made


def _replica(replay: Replay, net: str) -> int:
    return 0 if net in ("teacher", "explaining") else replay.replica


def _at(replay: Replay, net: str, told: Trajectory) -> dict[str, int]:
    """Moment -> which of the nets that were kept it shows."""
    if net in ("teacher", "explaining"):
        return at_moments(told.epochs, replay.moments_of(net))
    return at_moments(told.epochs, replay.moments_of("students"), replay.history.epochs_before(net))


def _layout(replay: Replay, net: str) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...], np.ndarray]:
    """Groups, shape and picture of an overlay; channels are no pixels, and become bars."""
    found = replay.run.superfeatures("teacher" if net == "explaining" else "student")
    if replay.convolutional:
        groups = replay.run.student(net).groups if net != "explaining" and replay.run.has(f"student-{net}") else found.groups
        return groups, (sum(map(len, groups)),), np.zeros(0)
    return found.groups, replay.dataset.shape, replay.dataset.x[replay.dataset.test[replay.sample]].numpy()


def _agreement(replay: Replay) -> Figures:
    """How far students of the KED form explain as their teacher does, over their epochs."""
    cosines: dict[str, np.ndarray] = {}
    for method in replay.recipe.methods:
        epochs = replay.reached(f"student-{method}")
        if METHODS[method].net == "ked" and epochs:
            try:
                found = cache.agreements(replay.run, method).now()
            except Unavailable:
                continue
            # An epoch may have ended since the events were read, and only its net may be there.
            known = {epoch: row for epoch, row in zip(found.epochs, found.cosine.numpy(), strict=True) if epoch <= epochs}
            before = replay.history.epochs_before(method)
            for epoch, row in known.items():
                line = cosines.setdefault(method, np.full((before + epochs, len(row)), np.nan))
                line[before + epoch - 1] = row
    return {"agreement": over_time.agreement(cosines, replay.found)} if cosines else {}
