"""Superfeatures as they form: the dependency matrix of a teacher and its communities, again and again while it trains.

Each state is an event, {"kind": "forming", "stage", "epoch", "labels", "modularity", "sizes", "edges"}: `labels` the community of
each of the D features, `sizes` how many each of the M communities holds, `edges` the strongest links as [i, j, weight], the
strongest first with weight 1. Communities keep the number of that one of the state before which they overlap most, so that
colours stay where they are. In JSON a state of 784 features takes some 5 kB.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from ked.communities.groups import Superfeatures, align
from ked.communities.superfeatures import find_superfeatures
from ked.communities.units import Units, contracted, expanded
from ked.dependency import dependency_matrix
from ked.errors import InvalidInput
from ked.nets.subnets import SubnetStack
from ked.recipe import Recipe
from ked.runs.snapshots import spread
from ked.runs.steering import Event
from ked.store import Run

SHARE = 0.07  # of the time that the teacher's training takes; what would take more is left out
SAMPLES = 256  # that W is averaged over, at most
EDGES = 200
_AT_ONCE = 0.5  # seconds that the first state may take, of which nothing is known before
_FADING = 0.7  # of what a state was last seen to cost, for each that was left out: the first, for one, costs the most
_TELLING = 0.05  # seconds after which a share says how long the whole takes
_ENGINE = "scikit-network"  # the quick one, whatever the recipe takes for the last word


class _TooLong(Exception):
    """The state would take so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class SuperfeatureTracker:
    """Computes states of a net that trains, as often as is cheap.

    Args:
        net: A black box of one replica.
        recipe: Says M and how W is measured.
        x: (N, D) training samples.
        epochs: How many the net trains for.
        before: The state that a training that goes on had last.
        units: Features that stay together (`ked.communities.units`).
    """

    def __init__(
        self, net: SubnetStack, recipe: Recipe, x: Tensor, epochs: int, before: Event | None = None, units: Units = ()
    ) -> None:
        self.net, self.recipe, self.kept, self.units = net, recipe, spread(epochs), units
        rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(recipe.seed))[: max(1, min(SAMPLES, len(x) // 8))]
        self.x = x[rows.to(x.device)]
        self.spent = 0.0
        self._cost = 0.0
        self._last = None if before is None else _superfeatures(before["labels"])

    def after(self, epoch: int, trained: float, *, at_leisure: bool = False) -> Event | None:
        """The state after an epoch, if it is wanted and cheap enough.

        Args:
            epoch: 1, 2, ...
            trained: Seconds of training so far, without what was spent here.
            at_leisure: Whether time is no matter, as in single steps.
        """
        unknown = not self._cost
        left = max(SHARE * trained - self.spent, _AT_ONCE if unknown or at_leisure else 0.0)
        if epoch not in self.kept:
            return None
        if self._cost > left:
            self._cost *= _FADING
            return None
        began, too_long = time.perf_counter(), 0.0
        try:
            return self._state(epoch, left)
        except _TooLong as would_be:
            too_long = would_be.seconds
            return None
        finally:
            self._cost = too_long or time.perf_counter() - began
            self.spent += time.perf_counter() - began

    def _state(self, epoch: int, left: float) -> Event | None:
        start = (self._last.resolution if self._last else 0.0) or 1.0
        try:
            W = self._measured(left)
            joined = contracted(W, self.units) if self.units else W
            found = find_superfeatures(joined, self.recipe.superfeatures, _ENGINE, self.recipe.seed, start=start)
            found = expanded(found, W, self.units)
        except InvalidInput:  # a net that is about to diverge, with a W that is not finite: its own training will say so
            return None
        self._last = align(self._last, found) if self._last else found
        return state(epoch, self._last, W)

    def _measured(self, left: float) -> Tensor:
        with torch.random.fork_rng(devices=[]):  # how often this is done depends on the clock: it must not move what is drawn
            net = self.net.sequential()
        within = _not_longer_than(left)
        return dependency_matrix(net, self.x, self.recipe.reduce, scale=self.recipe.scale, progress=within)


def state(epoch: int, found: Superfeatures, W: Tensor) -> Event:
    """The event of one state."""
    return {
        "kind": "forming",
        "stage": "teacher",
        "epoch": epoch,
        "labels": found.labels().tolist(),
        "modularity": round(found.modularity, 4),
        "sizes": list(found.sizes),
        "edges": strongest(W, EDGES),
    }


def strongest(W: Tensor, count: int) -> list[list[float]]:
    """The strongest links [i, j, weight] of W (D, D), i < j, the weights in units of the first; links of weight 0 are none."""
    links = torch.triu(W, diagonal=1)
    values, places = links.flatten().topk(min(count, links.numel()))
    values = values[values > 0]
    if not len(values):
        return []
    rows, columns = np.unravel_index(places[: len(values)].cpu().numpy(), tuple(W.shape))
    weights = (values / values[0]).tolist()
    return [[int(i), int(j), round(w, 3)] for i, j, w in zip(rows, columns, weights, strict=True)]


def states(run: Run) -> dict[int, Event]:
    """Epoch -> state of a run's teacher, numbered throughout so that the last agrees with the run's superfeatures.

    Until those are there, the states keep the numbers that they were told with.
    """
    told: dict[int, Event] = {event["epoch"]: event for event in run.events()[0] if event["kind"] == "forming"}
    if not told or not run.has("superfeatures"):
        return told
    last, final = _superfeatures(list(told.values())[-1]["labels"]), run.superfeatures()
    if len(last.groups) != len(final.groups):
        return told
    place = {group: m for m, group in enumerate(align(final, last).groups)}
    number = [place[group] for group in last.groups]
    return {epoch: _renumbered(event, number) for epoch, event in told.items()}


def _renumbered(event: Event, number: Sequence[int]) -> Event:
    sizes = [size for _, size in sorted(zip(number, event["sizes"], strict=True))]
    return event | {"labels": [number[label] for label in event["labels"]], "sizes": sizes}


def _superfeatures(labels: Sequence[int]) -> Superfeatures:
    """The groups of a state, by their numbers; of its other properties nothing is known."""
    groups = tuple(tuple(np.flatnonzero(np.array(labels) == m).tolist()) for m in range(max(labels) + 1))
    return Superfeatures(groups, 0.0, 0.0, _ENGINE)


def _not_longer_than(seconds: float) -> Callable[[float], None]:
    """A progress function that gives up, once it can tell, on what would take longer.

    What passed until the first report is warming up: it counts, but does not say how long the rest takes.
    """
    began, first = time.perf_counter(), (0.0, 0.0)

    def report(share: float) -> None:
        nonlocal first
        passed = time.perf_counter() - began
        if not first[1]:
            first = passed, share
        if share <= first[1] or share >= 1 or passed <= _TELLING:
            return
        whole = passed + (1 - share) * (passed - first[0]) / (share - first[1])
        if whole > seconds:
            raise _TooLong(whole)

    return report
