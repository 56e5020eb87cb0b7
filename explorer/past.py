"""A run at all its moments: figures with a frame for each, which the scrubber moves together. No streamlit here.

Every function takes the moments so far and returns one figure; `plot(..., group=GROUP)` shows it at the moment of the scrubber.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer import bars, charts, frames, overlays
from explorer.curves import AGREEMENT, learning_curves
from explorer.forming import forming_picture, modularities
from explorer.history import TEACHERS, History
from explorer.moments import Moment, first_epoch
from explorer.results import LABELS

GROUP = "run"


def accuracy(history: History, found: Sequence[Moment], recipe: Mapping[str, Any]) -> go.Figure:
    """Validation accuracy of the nets that a moment is about: of the teachers, or of all students."""
    teachers, students = history.teacher_curves(), history.curves()

    def at(moment: Moment) -> go.Figure:
        if moment.phase in TEACHERS:
            here = {moment.phase: moment.epoch} | ({"teacher": moment.epochs} if moment.phase == "explaining" else {})
            return learning_curves(teachers, labels=LABELS, epochs=recipe["teacher_epochs"], at=here)
        begun = {name: first_epoch(history, name) < moment.epoch for name in students}
        here = {name: moment.epoch for name in students if begun[name]}
        references = history.teachers()
        return learning_curves(students, labels=LABELS, references=references, epochs=moment.epochs, at=here)

    return _over(found, at)


def losses(history: History, found: Sequence[Moment], recipe: Mapping[str, Any]) -> go.Figure:
    """What the students minimise, or the teachers while there are no students; a line marks the moment."""
    phase = "students" if history.curves() else ""
    nets = recipe["methods"] if phase else TEACHERS
    epochs = max([moment.epochs for moment in found if moment.phase == phase], default=recipe["teacher_epochs"])
    terms, weights = history.losses(nets)
    figure = charts.loss_terms(terms, weights, labels=LABELS, epochs=epochs, row_height=110)
    here = [(moment.name, float(moment.epoch)) for moment in found if (moment.phase == "students") == bool(phase)]
    return frames.with_playhead(figure, here, rows=range(1, len(nets) + 1))


def forming(
    states: Mapping[str, tuple[np.ndarray, np.ndarray]], shape: Sequence[int], **look: Any
) -> go.Figure:
    """Superfeatures as they form; `states`: moment -> (labels (D,), edges (E, 2)); `look`: as in `forming_picture`."""
    ticks = [(name, forming_picture(labels, edges, shape, **look)) for name, (labels, edges) in states.items()]
    return frames.with_frames(ticks[-1][1], ticks)


def modularity(history: History, found: Sequence[Moment]) -> go.Figure:
    """Modularity over the teacher's epochs."""
    epochs = next(moment.epochs for moment in found if moment.phase == "teacher")
    return _over(
        [moment for moment in found if moment.phase == "teacher"],
        lambda moment: modularities(history.forming, epochs=epochs, at=moment.epoch),
    )


def overlay(
    phis: Mapping[str, np.ndarray],
    groups: Sequence[Sequence[int]],
    shape: Sequence[int],
    image: np.ndarray,
    *,
    limit: float,
    names: Sequence[str] | None = None,
) -> go.Figure:
    """A net's contributions to one class of one sample; `phis`: moment -> (M,); `limit`: the scale's end at all moments."""
    ticks = [
        (name, overlays.contributions(groups, phi, shape, image, limit=limit, names=names, height=300))
        for name, phi in phis.items()
    ]
    return frames.with_frames(ticks[-1][1], ticks)


def answers(
    said: Mapping[str, Mapping[str, np.ndarray]], found: Sequence[Moment], classes: Sequence[str], truth: int
) -> go.Figure:
    """Class probabilities of several nets; `said`: net -> moment -> (C,), nothing before its first moment."""
    blank = np.zeros(len(classes))

    def at(moment: Moment) -> go.Figure:
        behind = [other.name for other in found[: found.index(moment) + 1]]
        now = {net: next((told[name] for name in reversed(behind) if name in told), blank) for net, told in said.items()}
        return bars.class_probabilities(now, classes, labels=LABELS, truth=truth)

    return _over(found, at)


def agreement(cosines: Mapping[str, np.ndarray], found: Sequence[Moment]) -> go.Figure:
    """How far students explain as their teacher does; `cosines`: method -> (epochs, K), NaN where no net was kept."""
    phase = [moment for moment in found if moment.phase == "students"]

    def at(moment: Moment) -> go.Figure:
        here = dict.fromkeys(cosines, moment.epoch)
        return learning_curves(cosines, labels=LABELS, epochs=moment.epochs, at=here, measure=AGREEMENT, height=240)

    return _over(phase, at)


def _over(found: Sequence[Moment], at: Callable[[Moment], go.Figure]) -> go.Figure:
    ticks = [(moment.name, at(moment)) for moment in found]
    return frames.with_frames(ticks[-1][1], ticks)
