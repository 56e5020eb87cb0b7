"""The live laboratory: the slider through time, superfeatures as they form, one sample and the agreement as students learn."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import cache, state, words
from explorer.blocks import controls
from explorer.components.plot import plot
from explorer.components.scrubber import scrubber
from explorer.history import History
from explorer.moments import Moment, at_moments, first_epoch, moments
from explorer.pictures import graphs, links, overlays, past
from explorer.pictures.forming import moving_forming
from explorer.pictures.past import GROUP
from explorer.results import LABELS
from ked.data import Dataset
from ked.errors import Unavailable
from ked.explanation import centre
from ked.learning.forming import EDGES
from ked.learning.trajectory import Trajectory
from ked.methods import METHODS
from ked.store import Run

Figures = dict[str, go.Figure]
_SHARE = 4.0  # figures of a run in progress are made anew after so many times as long as making them took


@dataclass(frozen=True)
class Lab:
    """What is looked at: a run, what it has told, its data, the moments so far, and whether it goes on."""

    run: Run
    history: History
    recipe: dict[str, Any]
    dataset: Dataset
    found: list[Moment]
    active: bool

    @property
    def convolutional(self) -> bool:
        """Whether superfeatures are groups of channels."""
        return cache.convolutional(self.run)

    @property
    def sample(self) -> int:
        """The pinned test sample."""
        return min(int(state.get("sample")), len(self.dataset.test) - 1)

    @property
    def truth(self) -> int:
        """Its class."""
        return int(self.dataset.y[self.dataset.test[self.sample]])

    @property
    def label(self) -> int:
        """The class that contributions speak about: the chosen one, else the sample's own."""
        chosen = int(state.get("label"))
        return chosen if 0 <= chosen < self.dataset.class_count else self.truth

    @property
    def student(self) -> str:
        """The student beside the teacher: the chosen one, if the run has it."""
        methods = self.recipe["methods"]
        return str(state.get("student")) if state.get("student") in methods else str(methods[-1])

    def reached(self, stage: str) -> int:
        """Epochs that a stage has finished."""
        return int(self.history.stages.get(stage, {}).get("epoch", 0))

    def moments_of(self, phase: str) -> list[Moment]:
        """The moments of a phase."""
        return [moment for moment in self.found if moment.phase == phase]


def enter(run: Run, history: History, *, active: bool) -> Lab:
    """The laboratory of a run."""
    recipe = cache.facts(run)["recipe"]
    return Lab(run, history, recipe, cache.dataset(recipe["dataset"]), moments(history), active)


def slider(shown: Sequence[Moment]) -> None:
    """Through the moments that the figures show: everything in the laboratory moves with it."""
    scrubber(GROUP, [(moment.name, moment.label) for moment in shown])


def figures(lab: Lab) -> tuple[Sequence[Moment], Figures]:
    """All figures with their frames, and the moments that these are of.

    While a run goes on they are made anew now and then, so that watching does not slow it.
    """
    subject = (lab.run.id, lab.sample, lab.label, lab.student, state.get("replica"), lab.active)
    # Beside the moments: a second student that has not yet come as far as the first adds none, and yet has something to show.
    told = tuple((name, stage["epoch"]) for name, stage in lab.history.stages.items())
    wanted = (subject, tuple(lab.found), told, len(lab.history.forming), lab.run.has("superfeatures"))
    kept, now = st.session_state.get("ked.past"), time.monotonic()
    if kept and (kept["of"] == wanted or (lab.active and kept["of"][0] == subject and now < kept["until"])):
        return kept["of"][1], kept["figures"]
    made = _made(lab)
    ended = time.monotonic()
    st.session_state["ked.past"] = {"of": wanted, "figures": made, "until": ended + _SHARE * (ended - now)}
    return lab.found, made


def _made(lab: Lab) -> Figures:
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
    return 0 if net in ("teacher", "explaining") else min(int(state.get("replica")), int(lab.recipe["seeds"]) - 1)


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


def superfeatures(lab: Lab, made: Figures) -> None:
    """The mask and the strongest links, as the teacher forms them."""
    st.subheader("Superfeatures as they form", anchor=False)
    if "forming" not in made:
        st.caption("They come with the teacher's first epoch." if lab.active else "Of this run they were not kept as they formed.")
        return
    alt = "Superfeatures over the mean image with the strongest links between features, at the moment of the slider."
    plot(made["forming"], "forming", alt=alt, select=(), group=GROUP)
    alt = "Modularity of the superfeatures against the teacher's epochs."
    plot(made["modularity"], "modularity", alt=alt, select=(), group=GROUP)
    st.caption(
        "The teacher's dependency matrix and its communities, again and again while it trains. Features stay in place, and "
        "groups keep their colours. The superfeatures in the end come from more samples, so their modularity may lie beside the line."
    )


def pinned(lab: Lab, made: Figures) -> None:
    """One test sample under the eyes of teacher and student."""
    classes = lab.dataset.classes
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader(f"Test sample {lab.sample}: {classes[lab.truth]}", anchor=False)
        controls.number("sample", high=len(lab.dataset.test) - 1, width=130)
        controls.choice("student", options=lab.recipe["methods"], width=220)
    with st.container():
        if "answers" in made and _ends_only(lab):
            st.caption("Of this run only the finished nets were kept: what they say is shown as it was in the end, and pale before.")
    teacher, student, answers = st.columns(3, gap="medium")
    waits = "It has not begun to train yet." if lab.active else "It was not trained."
    what = f"on {classes[lab.label]}"
    with teacher:
        _side("teacher-overlay", f"Explaining teacher {what}", made, waits)
    with student:
        silent = "This student is a black box; choose one of the KED form to see contributions."
        _side("student-overlay", f"{LABELS[lab.student]} {what}", made, waits if METHODS[lab.student].net == "ked" else silent)
    with answers:
        st.markdown("**What they answer**")
        if "answers" not in made:
            st.caption("Their answers come with the teacher's first epoch." if lab.active else "No net of this run was kept.")
            return
        alt = "Class probabilities of teachers and student at the moment of the slider."
        plot(made["answers"], "answers", alt=alt, select=(), group=GROUP)


def _side(key: str, title: str, made: Figures, otherwise: str) -> None:
    st.markdown(f"**{title}**")
    if key in made:
        plot(made[key], key, alt=f"Contributions of the superfeatures. {title}.", select=(), group=GROUP)
    else:
        st.caption(otherwise)


def _ends_only(lab: Lab) -> bool:
    """Whether nets were kept as they were in the end only, as in the runs that ship with the app."""
    stages = [stage for stage in ("teacher", "explaining", f"student-{lab.student}") if lab.reached(stage) > 1]
    with contextlib.suppress(Unavailable):
        return not lab.active and all(len(cache.trajectories(lab.run.id, s, lab.sample).now().epochs) == 1 for s in stages)
    return False


def agreement(lab: Lab, made: Figures) -> None:
    """Whether students come to explain as their teacher does."""
    st.subheader("Do students explain as their teacher does?", anchor=False)
    if "agreement" not in made:
        explain = any(METHODS[name].net == "ked" for name in lab.recipe["methods"])
        waits = "The answer comes with the first epoch of a student that explains itself." if lab.active else "No such student has trained."
        st.caption(waits if explain else "All students of this run are black boxes: there is nothing of theirs to compare.")
        return
    alt = "Cosine between the contributions of each student and of the explaining teacher against the students' epochs."
    plot(made["agreement"], "agreement", alt=alt, select=(), group=GROUP)
    kept = " Of this run only the finished students were kept, hence one point each." if _ends_only(lab) else ""
    st.caption(f"1 is full agreement, 0 is none; mean over validation samples and seeds with its 95 % interval.{kept}")
