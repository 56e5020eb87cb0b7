"""What the attributions page is about: a test sample, the class in question, the nets that are asked, and what was measured of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import cache
from explorer.cache.keys import version
from explorer.state import session
from explorer.words.attributions import NOTHING, Line
from explorer.words.results import LABELS
from ked.attribution import ATTRIBUTIONS, refusal
from ked.attribution.likeness import Likeness, likeness
from ked.attribution.quality import Measured
from ked.data import Dataset
from ked.heard import Heard
from ked.methods import METHODS
from ked.store import Run


@dataclass(frozen=True)
class Net:
    """A net on the page: its name in the run, the replica, and what the methods can do with it (method -> refusal)."""

    which: str
    k: int
    explains: bool
    refusals: dict[str, str]

    @property
    def title(self) -> str:
        """As on a chart; a student is called one."""
        return f"{LABELS[self.which]} student" if self.which in METHODS else _TITLES[self.which]


NOT_RECORDED = "It was not recorded for this net, sample and class, and the nets themselves were not kept."
_TITLES = {"teacher": "black-box teacher", "explaining": "explaining teacher"}


@dataclass(frozen=True)
class AttributedSample:
    """What the page is about: a test sample, the class in question, and the nets that are asked."""

    run: Run
    dataset: Dataset
    sample: int
    image: np.ndarray
    truth: int
    label: int
    nets: list[Net]
    parts: tuple[tuple[int, ...], ...]
    known: dict[tuple[str, str], Measured] = field(default_factory=dict)
    alike: dict[frozenset[tuple[str, str]], Likeness] = field(default_factory=dict)
    drawn: dict[tuple[str, ...], go.Figure] = field(default_factory=dict)

    def is_about_the_same(self, other: AttributedSample) -> bool:
        """Whether all that was measured and drawn of the other is true of this one."""
        return _identity(self) == _identity(other)

    def figure(self, name: str, draw: Callable[[], go.Figure]) -> go.Figure:
        """A figure of this sample, drawn once for each view of likeness and chosen student."""
        key = (name, session.get("likeness"), session.get("student"))
        if key not in self.drawn:
            self.drawn[key] = draw()
        return self.drawn[key]

    @property
    def methods(self) -> list[str]:
        """The methods that apply to at least one of the nets."""
        return [name for name in ATTRIBUTIONS if not all(net.refusals[name] for net in self.nets)]

    def measured(self, net: Net, method: str) -> Measured | None:
        """The method's map of the sample by this net; None where it does not apply."""
        if net.refusals[method]:
            return None
        key = (net.which, method)
        if key not in self.known:
            self.known[key] = cache.attribution(self.run, net.which, net.k, self.sample, self.label, method)
        return self.known[key]

    def own(self, net: Net) -> Net | None:
        """Whose own explanation a net's maps are compared with: its own, or the explaining teacher's for a black box."""
        return net if net.explains else next((other for other in self.nets if other.which == "explaining"), None)

    def likeness(self, first: tuple[Net, str], second: tuple[Net, str]) -> Likeness:
        """How alike two maps are; magnitudes are compared where one of the methods knows no signs."""
        a, b = self.measured(*first), self.measured(*second)
        if a is None or b is None:
            return NOTHING
        signed = all(ATTRIBUTIONS[method].signed for _, method in (first, second))
        pair = frozenset((net.which, method) for net, method in (first, second))
        if pair not in self.alike:
            self.alike[pair] = likeness(a.values, b.values, self.parts, signed=signed, shape=self.dataset.shape)
        return self.alike[pair]

    def chosen(self, found: Likeness) -> float:
        """The one of the views that the visitor chose."""
        return float(getattr(found, session.get("likeness")))

    def to_own(self, net: Net, method: str) -> Likeness:
        """How alike a method's map is to the own explanation."""
        own = self.own(net)
        return self.likeness((net, method), (own, "own")) if own else NOTHING

    def lines(self) -> list[Line]:
        """Everything that was measured at once."""
        return [
            Line(net.title, ATTRIBUTIONS[method].label, found, self.to_own(net, method))
            for net in self.nets
            for method in self.methods
            if (found := self.measured(net, method)) is not None
        ]


def students(run: Run) -> list[str]:
    """The run's finished students."""
    return [name for name in cache.facts(run)["recipe"]["methods"] if run.has(f"student-{name}")]


def teachers(run: Run) -> list[str]:
    """The run's finished teachers, the explaining one first."""
    return [name for name in ("explaining", "teacher") if run.has(name)]


def subject(run: Run) -> AttributedSample:
    """Gather what the page is about from the settings; the same object as long as it is about the same."""
    dataset = cache.dataset_of(run)
    x, y = dataset.part("test")
    sample = min(session.get("sample"), len(y) - 1)
    asked = cache.test_predictions(run, teachers(run)[0], 0)[sample]
    label = session.get("label") if 0 <= session.get("label") < dataset.class_count else int(asked.argmax())
    nets = _nets(run, sample, label)
    about = AttributedSample(run, dataset, sample, x[sample].numpy(), int(y[sample]), label, nets, cache.parts(run))
    before: AttributedSample | None = st.session_state.get("attributions.about")
    if before is None or not about.is_about_the_same(before):
        before = st.session_state["attributions.about"] = about
    return before


def _identity(about: AttributedSample) -> tuple[Any, ...]:
    return version(about.run), about.sample, about.label, about.nets, about.parts, id(about.dataset)


def _nets(run: Run, sample: int, label: int) -> list[Net]:
    """Both teachers, the chosen student, and KD beside it."""
    there, names = students(run), [name for name in ("teacher", "explaining") if run.has(name)]
    names += [name for name in dict.fromkeys((session.get("student"), "kd")) if name in there]
    return [_net(run, name, sample, label) for name in names]


def _net(run: Run, which: str, sample: int, label: int) -> Net:
    stack = cache.heard(run, which)
    k = min(session.get("replica"), stack.replicas - 1)
    if isinstance(stack, Heard):
        there = cache.kept(run, which, k, sample, label)
        return Net(which, k, stack.speaks, {name: "" if name in there else NOT_RECORDED for name in ATTRIBUTIONS})
    return Net(which, k, len(stack.groups) > 1, {name: refusal(name, stack) for name in ATTRIBUTIONS})
