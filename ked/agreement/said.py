"""What nets say of some samples, in every form in which it is compared; each form is made once, when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import normalize

from ked.agreement.ranking import Ranking, rank
from ked.agreement.similarity import one_vector, ranks
from ked.explanation import centre, contributions
from ked.stack import Stack


class Directions(NamedTuple):
    """Unit vectors, or zero where there is nothing: of `whole` predictions (K, N, M C) and of `each` superfeature (K, M, N, C)."""

    whole: Tensor
    each: Tensor


class Said:
    """What K replicas say of N samples.

    Args:
        log_y: (K, M, N, C) explanations, of the superfeatures that are compared.
        log_p: (K, N, C) predicted class log-probabilities.
        base: (C,) of the net.
        tau: What explanations are softened by.
        asked: (N,) the class in question for each sample; by default what replica 0 answers.
    """

    def __init__(self, log_y: Tensor, log_p: Tensor, base: Tensor, tau: float, asked: Tensor | None = None) -> None:
        self.log_y, self.log_p, self.base, self.tau = log_y, log_p, base, tau
        self.asked = log_p[0].argmax(dim=-1) if asked is None else asked

    @cached_property
    def answers(self) -> Tensor:
        """(K, N) the likeliest class."""
        return self.log_p.argmax(dim=-1)

    @cached_property
    def phi(self) -> Tensor:
        """(K, M, N, C) contributions, centred over the classes."""
        return centre(contributions(self.log_y, self.base))

    @cached_property
    def directions(self) -> Directions:
        """The contributions as unit vectors: two nets' cosine is their product."""
        return Directions(normalize(one_vector(self.phi), dim=-1), normalize(self.phi, dim=-1))

    @cached_property
    def rank_directions(self) -> Directions:
        """The same of their ranks: two nets' rank correlation is their product."""
        return Directions(normalize(ranks(one_vector(self.phi)), dim=-1), normalize(ranks(self.phi), dim=-1))

    @cached_property
    def softened(self) -> Tensor:
        """(K, M, N, C) log-probabilities of the explanations, softened by tau."""
        return (self.log_y / self.tau).log_softmax(dim=-1)

    @cached_property
    def votes(self) -> Tensor:
        """(K, M, N) contributions to the class in question."""
        return self.phi.gather(-1, self.asked[:, None].expand(*self.phi.shape[:-1], 1)).squeeze(-1)

    @cached_property
    def ranking(self) -> Ranking:
        """Which superfeatures matter most for the class in question."""
        return rank(self.votes.movedim(-2, -1))


def said(net: Stack, x: Tensor, tau: float, superfeatures: Sequence[int] | None, asked: Tensor | None = None) -> Said:
    """What a net says of samples x (N, D); of its superfeatures those numbered so, all by default."""
    log_y = net.subnet_log_probabilities(net.arrange(x))
    log_p = net.total(log_y).log_softmax(dim=1).transpose(-1, -2)
    if superfeatures is not None and tuple(superfeatures) != tuple(range(log_y.shape[1])):
        log_y = log_y[:, list(superfeatures)]
    return Said(log_y.transpose(-1, -2), log_p, net.base, tau, asked)
