"""A run as a film: every figure of it at all its moments, for the Train page and for reports. No streamlit here.

A figure shows the end and has a frame for each moment before (`pictures/frames.py`); one slider moves them together.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer import cache, words
from explorer.history import History
from explorer.moments import Moment, at_moments, first_epoch, moments
from explorer.pictures import graphs, links, overlays, past
from explorer.pictures.forming import moving_forming
from ked.data import Dataset
from ked.errors import Unavailable
from ked.explanation import centre
from ked.learning.forming import EDGES
from ked.learning.trajectory import Trajectory
from ked.methods import METHODS
from ked.store import Run

Figures = dict[str, go.Figure]


@dataclass(frozen=True)
class Lab:
    """What is looked at: a run, what it has told, its data, the moments so far, whether it goes on; and who is asked of what.

    `sample`: place of the pinned sample in the test split. `chosen`: the class that contributions speak about, -1 for the sample's
    own. `student` and `replica`: whose contributions stand beside the teacher's.
    """

    run: Run
    history: History
    recipe: dict[str, Any]
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
    run: Run, history: History, *, active: bool, sample: int = 0, chosen: int = -1, student: str = "", replica: int = 0
) -> Lab:
    """The laboratory of a run; a sample or student that it does not have becomes the last that it has."""
    recipe = cache.facts(run)["recipe"]
    dataset, methods = cache.dataset(recipe["dataset"]), recipe["methods"]
    sample = min(sample, len(dataset.test) - 1)
    student = student if student in methods else str(methods[-1])
    replica = min(replica, int(recipe["seeds"]) - 1)
    return Lab(run, history, recipe, dataset, moments(history), active, sample, chosen, student, replica)


def figures(lab: Lab) -> Figures:
    """All figures with their frames, as far as the run has told something to show."""
    if not lab.found:
        return {}
    made = {
        "accuracy": past.accuracy(lab.history, lab.found, lab.recipe),
        "losses": past.losses(lab.history, lab.found, lab.recipe),
    }
    for part in (_forming, _sample, _agreement):
        with contextlib.suppress(Unavailable):  # a damaged file takes away what is drawn from it, and no more
            made |= part(lab)
    return made


def _forming(lab: Lab) -> Figures:
    """The teacher's superfeatures at its epochs, and those that came out; nothing for channels, which do not form."""
    told = cache.forming(lab.run.id, cache.stamp(lab.run), len(lab.history.forming)) if lab.history.forming else {}
    if not told:
        return {}
    places = at_moments(list(told), lab.moments_of("teacher"))
    values = list(told.values())
    states = {
        name: (np.array(values[place]["labels"]), np.array(values[place]["edges"]).reshape(-1, 3)[:, :2])
        for name, place in places.items()
    }
    later = next((moment.name for moment in lab.found if moment.phase != "teacher"), None)
    if later and lab.run.has("superfeatures") and lab.run.has("dependency"):
        stamp, recipe = cache.stamp(lab.run), lab.recipe
        W = cache.dependency(lab.run.id, stamp, recipe["reduce"], recipe["scale"])
        states[later] = lab.run.superfeatures().labels().numpy(), links.strongest_edges(W, EDGES)
    background, names = cache.mean_image(lab.dataset.name)[0], lab.dataset.features
    picture = moving_forming(states, lab.dataset.shape, places=_places(lab), background=background, names=names)
    final = (later, lab.run.superfeatures()) if later and later in states else None
    return {"forming": picture, "modularity": past.modularity(told, lab.found, final)}


def _places(lab: Lab) -> np.ndarray:
    """Pixels stand at their places; the features of a table in a circle, as nothing is known of W yet when they first appear."""
    if lab.dataset.is_image:
        return graphs.node_positions(np.zeros((lab.dataset.feature_count, 0)), lab.dataset.shape)
    angles = np.linspace(0, 2 * np.pi, lab.dataset.feature_count, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _sample(lab: Lab) -> Figures:
    """What teacher and student make of the pinned sample, on one scale, and what the nets answer."""
    stages = {"teacher": "teacher", "explaining": "explaining", lab.student: f"student-{lab.student}"}
    told: dict[str, Trajectory] = {}
    for net, stage in stages.items():
        with contextlib.suppress(Unavailable):  # no epoch yet, or no net of it that was kept
            told[net] = cache.trajectories(lab.run.id, stage, lab.sample).now()
    if not told:
        return {}
    rows = {net: _replica(lab, net) for net in told}
    at = {net: _at(lab, net, trajectory) for net, trajectory in told.items()}
    answers = {
        net: {name: told[net].log_p[place, rows[net]].exp().numpy() for name, place in at[net].items()} for net in told
    }
    blank: dict[str, dict[str, np.ndarray]] = {net: {} for net in stages}
    made = {"answers": past.answers(blank | answers, lab.found, lab.dataset.classes, lab.truth)}
    phis = {
        net: centre(told[net].phi[:, rows[net]])[:, :, lab.label].numpy()
        for net in told
        if net == "explaining" or (net in METHODS and METHODS[net].net == "ked")
    }
    limit = overlays.shared_limit(*phis.values())
    for net, phi in phis.items():
        moving = {name: phi[place] for name, place in at[net].items()}
        if not moving:  # a net was kept of an epoch whose event is still to be read
            continue
        groups, shape, image = _layout(lab, net)
        key = "teacher-overlay" if net == "explaining" else "student-overlay"
        titles = [words.channels(group) for group in groups] if lab.convolutional else None
        look: dict[str, Any] = {"limit": limit, "names": lab.dataset.features, "titles": titles, "height": 300}
        made[key] = overlays.moving_contributions(groups, moving, shape, image, **look)
    return made


def _replica(lab: Lab, net: str) -> int:
    return 0 if net in ("teacher", "explaining") else lab.replica


def _at(lab: Lab, net: str, told: Trajectory) -> dict[str, int]:
    """Moment -> which of the nets that were kept it shows."""
    if net in ("teacher", "explaining"):
        return at_moments(told.epochs, lab.moments_of(net))
    return at_moments(told.epochs, lab.moments_of("students"), first_epoch(lab.history, net))


def _layout(lab: Lab, net: str) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...], np.ndarray]:
    """Groups, shape and picture of an overlay; channels are no pixels, and become bars."""
    found = lab.run.superfeatures("teacher" if net == "explaining" else "student")
    if lab.convolutional:
        groups = lab.run.student(net).groups if net != "explaining" and lab.run.has(f"student-{net}") else found.groups
        return groups, (sum(map(len, groups)),), np.zeros(0)
    return found.groups, lab.dataset.shape, lab.dataset.x[lab.dataset.test[lab.sample]].numpy()


def _agreement(lab: Lab) -> Figures:
    """How far students of the KED form explain as their teacher does, over their epochs."""
    cosines: dict[str, np.ndarray] = {}
    for method in lab.recipe["methods"]:
        epochs = lab.reached(f"student-{method}")
        if METHODS[method].net == "ked" and epochs:
            try:
                found = cache.agreements(lab.run.id, method).now()
            except Unavailable:
                continue
            # An epoch may have ended since the events were read, and only its net may be there.
            known = {epoch: row for epoch, row in zip(found.epochs, found.cosine.numpy(), strict=True) if epoch <= epochs}
            before = first_epoch(lab.history, method)
            for epoch, row in known.items():
                line = cosines.setdefault(method, np.full((before + epochs, len(row)), np.nan))
                line[before + epoch - 1] = row
    return {"agreement": past.agreement(cosines, lab.found)} if cosines else {}
