"""A net's own explanation against exact Shapley values of its superfeatures by Captum: the error, and what it saves.

The right game has the M superfeatures as its players, and a superfeature that is absent says the base: v(S) = base +
sum_{m in S} phi_m (METHOD 1.3). So the players are M switches, not pixels: blanking a superfeature's pixels asks its subnet
what it thinks of a blank, which is another game, with values of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import ShapleyValues
from torch import Tensor

from ked.attribution.own import own_contributions
from ked.attribution.quality import timed
from ked.attribution.question import Question, labels_of
from ked.errors import InvalidInput
from ked.explanation import centre
from ked.nets.cnn.stack import ConvStack

MOST = 6  # superfeatures: Captum goes through all M! orders


@dataclass(frozen=True)
class ExactShapley:
    """Values of the M superfeatures for the class in question, (M,) each, in nats and centred over the classes.

    own: what the net says.  captum: of the game of switches.
    blanked: of the game in which an absent superfeature's pixels are replaced by the baseline; None for channels.
    own_seconds, captum_seconds: what the first two took.  orders: M!.
    """

    own: np.ndarray
    captum: np.ndarray
    blanked: np.ndarray | None
    own_seconds: float
    captum_seconds: float
    orders: int

    @property
    def error(self) -> float:
        """The largest difference between own and Captum's values; Captum rounds to single precision."""
        return float(np.abs(self.own - self.captum).max())

    @property
    def speed_up(self) -> float:
        """How many times faster the net's own explanation is."""
        return self.captum_seconds / self.own_seconds


def exact_shapley(question: Question) -> ExactShapley:
    """Both explanations of the question's first sample.

    Raises:
        InvalidInput: The net is a black box, or has so many superfeatures that M! orders take too long.
    """
    M = len(question.ours.groups)
    if M == 1:
        raise InvalidInput("A black box has no superfeatures of its own, so there are no players for a Shapley value.")
    if M > MOST:
        raise InvalidInput(
            f"Exact Shapley values by Captum go through M! = {math.factorial(M):,} orders of {M} superfeatures, so that more "
            f"than {MOST} are not compared here; the net's own explanation is exact for any number."
        )
    one = question.about(question.x[:1], question.target[:1])
    own, own_seconds = timed(lambda: own_contributions(one)[0], enough=0.05)
    captum, captum_seconds = timed(lambda: _by_switches(one), enough=0.05)
    blanked = None if isinstance(question.stack, ConvStack) else _by_blanking(one).numpy()
    return ExactShapley(own.numpy(), captum.numpy(), blanked, own_seconds, captum_seconds, math.factorial(M))


def _by_switches(question: Question) -> Tensor:
    """(M,) Captum's values where the features are the M switches themselves; the net is asked about every coalition."""
    stack, players = question.ours, len(question.ours.groups)

    def game(on: Tensor) -> Tensor:
        log_y = stack.explanations(question.x.expand(len(on), -1))[question.k]  # (M, B, C)
        said = torch.where(on.T[..., None] > 0, log_y, stack.base)
        return centre(said.sum(dim=0) - (players - 1) * stack.base)

    on = torch.ones(1, players).to(question.x)
    with torch.no_grad():
        values: Tensor = ShapleyValues(game).attribute(
            on, baselines=0, target=question.target, perturbations_per_eval=players
        )
    return values[0]


def _by_blanking(question: Question) -> Tensor:
    """(M,) Captum's values where an absent superfeature's features are the baseline's."""
    groups = question.ours.groups
    labels = labels_of(groups, question.x.shape[-1])
    with torch.no_grad():
        values: Tensor = ShapleyValues(question.net).attribute(
            question.x, question.baselines, target=question.target, feature_mask=labels[None],
            perturbations_per_eval=len(groups),
        )  # fmt: skip
    return values[0, [group[0] for group in groups]]
