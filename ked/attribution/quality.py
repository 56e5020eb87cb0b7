"""How good a map is by itself: deletion and insertion, infidelity, max-sensitivity, seconds (arXiv 1806.07421, 1901.09392)."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from captum.metrics import infidelity as captum_infidelity
from captum.metrics import sensitivity_max
from torch import Tensor

from ked.attribution.methods import attribute, seeded
from ked.attribution.question import Question

STEPS = 50  # of a deletion or insertion curve, fewer where there are fewer features
MASKS = 64  # random sets of features that infidelity takes away
NEIGHBOURS = 10  # disturbed copies of a sample that max-sensitivity looks at
RADIUS = 0.1  # how far they are disturbed at most in each feature, in spreads of the features
_ROUNDS = 3  # a run time is the median of so many
_LONG = 0.25  # seconds of a call whose first time is good enough: what it takes to warm up is a small part of it

T = TypeVar("T")


@dataclass(frozen=True)
class Curve:
    """One sample's deletion or insertion curve, as `curve` gives it.

    shares: (S + 1,) of the features that are gone or there, from 0 to 1.  heights: (S + 1,) the class's probability.
    """

    shares: np.ndarray
    heights: np.ndarray

    @property
    def area(self) -> float:
        """The area under it, 0 to 1."""
        return float(area((torch.from_numpy(self.shares), torch.from_numpy(self.heights)[None]))[0])

    @property
    def halfway(self) -> float:
        """The share of the features after which it has first gone half the way from its beginning to its end."""
        first, last = self.heights[0], self.heights[-1]
        gone = (self.heights - first) * np.sign(last - first)
        return float(self.shares[int((gone >= abs(last - first) / 2).argmax())])


@dataclass(frozen=True)
class Measured:
    """A map of one sample (D,), the seconds it took, the curves of the order that it gives, its infidelity (squared nats).

    A map that is the same everywhere gives no order: its curves are those of a drawn one, and their areas NaN.
    """

    values: np.ndarray
    seconds: float
    deleted: Curve
    inserted: Curve
    infidelity: float

    @property
    def deletion(self) -> float:
        """The area under the deletion curve."""
        return self.deleted.area if self.orders else math.nan

    @property
    def insertion(self) -> float:
        """The area under the insertion curve."""
        return self.inserted.area if self.orders else math.nan

    @property
    def orders(self) -> bool:
        """Whether the map tells one feature from another."""
        return bool(np.ptp(self.values) > 0)


def measure(name: str, question: Question) -> Measured:
    """A method's map of the question's first sample, with what it cost and how well it orders the features."""
    values, seconds = timed(lambda: attribute(name, question))
    deleted, inserted = (_first(curve(question, values, insert)) for insert in (False, True))
    return Measured(values[0].numpy(), seconds, deleted, inserted, float(infidelity(question, values)[0]))


def _first(points: tuple[Tensor, Tensor]) -> Curve:
    shares, heights = points
    return Curve(shares.numpy(), heights[0].numpy())


def timed(call: Callable[[], T], enough: float = 0.015) -> tuple[T, float]:
    """What a call gives, and its seconds: the median of three rounds, or of fewer once they have taken `enough` seconds.

    A round before them is not counted: the first call pays for what is imported and set up once. Only a long call is not repeated.
    """
    result, first = _round(call)
    rounds: list[float] = []
    while first < _LONG and len(rounds) < _ROUNDS and sum(rounds) <= enough:
        rounds.append(_round(call)[1])
    return result, statistics.median(rounds or [first])


def _round(call: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start


@torch.no_grad()
def curve(question: Question, values: Tensor, insert: bool, seed: int = 0) -> tuple[Tensor, Tensor]:
    """The class's probability as features go, the strongest speakers for it first.

    Deletion replaces them by the baseline one after another; insertion begins with the baseline and puts them in. Features
    with equal values go in an order that is drawn once.

    Args:
        question: Net, samples and baseline.
        values: (B, D) the maps that say the order.
        insert: Whether features are inserted.
        seed: Of the order among equals.

    Returns:
        Shares of the features that are gone or there, (S + 1,) from 0 to 1, and probabilities (B, S + 1).
    """
    D = values.shape[-1]
    counts = torch.linspace(0, D, min(STEPS, D) + 1).round()
    first = _ranks(values, seed)[:, None, :] < counts[:, None]  # (B, S + 1, D)
    x, baseline = question.x[:, None], question.baselines[:, None]
    samples = torch.where(first, x, baseline) if insert else torch.where(first, baseline, x)
    said = question.net(samples.flatten(0, 1)).softmax(dim=-1).unflatten(0, samples.shape[:2])
    wanted = question.target[:, None, None].expand(-1, said.shape[1], 1)
    return counts / D, said.gather(2, wanted)[..., 0]


def area(points: tuple[Tensor, Tensor]) -> Tensor:
    """(B,) the area under each curve by trapezoids: low is good for deletion, high for insertion."""
    shares, heights = points
    return torch.trapezoid(heights, shares.to(heights), dim=-1)


def _ranks(values: Tensor, seed: int) -> Tensor:
    """(B, D) the place of each feature, the largest value first."""
    drawn = torch.randperm(values.shape[-1], generator=torch.Generator().manual_seed(seed))
    order = drawn[values[:, drawn].argsort(dim=-1, descending=True, stable=True)]
    return order.argsort(dim=-1)


def infidelity(question: Question, values: Tensor, seed: int = 0) -> Tensor:
    """(B,) how wrong the maps are about what happens when random features are taken away, in squared nats.

    The mean over random halves of the features of (what the map says they are worth - what the net loses without them)^2,
    after the map has been brought to the scale that suits it best: only proportions count, so that gradients and differences
    can be compared. By Captum, with replacement by the baseline as the disturbance (Yeh et al. 2019, arXiv 1901.09392).
    """
    baseline = question.reference.baseline.to(question.x)

    def taken_away(x: Tensor, baselines: Tensor | None = None) -> tuple[Tensor, Tensor]:
        gone = (torch.rand_like(x) < 0.5).to(x)
        return gone, x + gone * (baseline - x)

    with seeded(seed):
        found: Tensor = captum_infidelity(
            question.net, taken_away, question.x, values, target=question.target, n_perturb_samples=MASKS, normalize=True
        )
    return found


def max_sensitivity(name: str, question: Question, seed: int = 0) -> Tensor:
    """(B,) how far a method's map moves when the sample hardly does, as a share of the map's length (arXiv 1901.09392).

    The most over some copies disturbed by at most a tenth of the features' spread; NaN where the map is zero everywhere and has no
    length. By Captum, which divides by 1 there.
    """

    def explain(inputs: tuple[Tensor, ...] | Tensor) -> tuple[Tensor]:  # Captum hands over both, but takes tuples only
        x = inputs if isinstance(inputs, Tensor) else inputs[0]
        target = question.target.repeat_interleave(len(x) // len(question.x))
        return (attribute(name, question.about(x, target), seed),)

    with seeded(seed):
        found: Tensor = sensitivity_max(
            explain, question.x, perturb_radius=RADIUS * question.reference.spread, n_perturb_samples=NEIGHBOURS
        )
    return torch.where(attribute(name, question, seed).abs().amax(dim=-1) > 0, found.detach(), torch.nan)
