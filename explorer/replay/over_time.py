"""A run at all its moments: figures with a frame for each, which the scrubber moves together. No streamlit here.

Every function takes the moments so far and returns one figure; `plot(..., group=GROUP)` shows it at the moment of the scrubber.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import bars, charts, frames, theme
from explorer.pictures.curves import AGREEMENT, moving_curves
from explorer.pictures.forming import moving_modularity
from explorer.timeline.history import TEACHERS, History
from explorer.timeline.moments import Moment
from explorer.words.results import LABELS
from ked.communities.groups import Superfeatures
from ked.recipe import Recipe

GROUP = "run"
_TALL = 520  # pixels of the accuracy chart: as much as stands beside it


class _Phase(NamedTuple):
    """Curves that are drawn together: what is looked at when, how many epochs there are, and lines that do not move."""

    curves: dict[str, np.ndarray]
    ticks: list[tuple[str, dict[str, int]]]
    epochs: int
    references: dict[str, float]


def accuracy(history: History, found: Sequence[Moment], recipe: Recipe) -> go.Figure:
    """Validation accuracy of the nets that a moment is about: of the teachers, or of all students."""
    made = [
        moving_curves(phase.curves, phase.ticks, labels=LABELS, epochs=phase.epochs, references=phase.references, height=_TALL)
        for phase in _phases(history, found, recipe)
        if phase.ticks
    ]
    return frames.joined(*made) if len(made) > 1 else made[0]


def _phases(history: History, found: Sequence[Moment], recipe: Recipe) -> tuple[_Phase, _Phase]:
    """The teachers' and the students'."""
    curves, before = history.curves(), {name: history.epochs_before(name) for name in history.students()}
    early = [(moment.name, _teachers_at(moment)) for moment in found if moment.phase in TEACHERS]
    shown = [moment for moment in found if moment.phase == "students"]
    late = [(moment.name, {name: moment.epoch for name in curves if before[name] < moment.epoch}) for moment in shown]
    epochs = max((moment.epochs for moment in shown), default=0)
    return _Phase(history.teacher_curves(), early, recipe.teacher_epochs, {}), _Phase(curves, late, epochs, history.teachers())


def _teachers_at(moment: Moment) -> dict[str, int]:
    whole = {"teacher": moment.epochs} if moment.phase == "explaining" else {}
    return whole | {moment.phase: moment.epoch}


def losses(history: History, found: Sequence[Moment], recipe: Recipe) -> go.Figure:
    """What the students minimise, or the teachers while there are no students; a line marks the moment."""
    phase = "students" if history.curves() else ""
    nets = recipe.methods if phase else TEACHERS
    epochs = max([moment.epochs for moment in found if moment.phase == phase], default=recipe.teacher_epochs)
    terms, weights = history.losses(nets)
    figure = charts.loss_terms(terms, weights, labels=LABELS, epochs=epochs, row_height=110)
    axes = ["" if row == 0 else str(row + 1) for row in range(len(nets))]
    line = {"type": "line", "y0": 0, "y1": 1, "line": {"color": theme.INK, "width": 1.5}, "layer": "below"}
    marks = [{**line, "xref": f"x{axis}", "yref": f"y{axis} domain"} for axis in axes]
    here = [moment for moment in found if (moment.phase == "students") == bool(phase)]
    return frames.moving(
        figure, [frames.Change(m.name, {}, {"shapes": [{**mark, "x0": m.epoch, "x1": m.epoch} for mark in marks]}) for m in here]
    )


def modularity(
    states: Mapping[int, Mapping[str, Any]], found: Sequence[Moment], final: tuple[str, Superfeatures] | None = None
) -> go.Figure:
    """Modularity over the teacher's epochs; `final`: the moment from which the superfeatures that came out are shown, and they."""
    phase = [moment for moment in found if moment.phase == "teacher"]
    ticks = [(moment.name, moment.epoch) for moment in phase]
    return moving_modularity(states, ticks, epochs=phase[-1].epochs, final=final)


def answers(
    said: Mapping[str, Mapping[str, np.ndarray]], found: Sequence[Moment], classes: Sequence[str], truth: int
) -> go.Figure:
    """Class probabilities of several nets; `said`: net -> moment -> (C,), nothing before its first moment."""
    now: dict[str, np.ndarray] = {net: np.zeros(len(classes)) for net in said}
    ticks: dict[str, dict[str, np.ndarray]] = {}
    for moment in found:
        now = {net: told.get(moment.name, now[net]) for net, told in said.items()}
        ticks[moment.name] = now
    return bars.moving_probabilities(ticks, classes, labels=LABELS, truth=truth)


def agreement(cosines: Mapping[str, np.ndarray], found: Sequence[Moment]) -> go.Figure:
    """How far students explain as their teacher does; `cosines`: method -> (epochs, K), NaN where no net was kept."""
    phase = [moment for moment in found if moment.phase == "students"]
    ticks = [(moment.name, dict.fromkeys(cosines, moment.epoch)) for moment in phase]
    return moving_curves(cosines, ticks, labels=LABELS, epochs=phase[-1].epochs, measure=AGREEMENT, height=240)
