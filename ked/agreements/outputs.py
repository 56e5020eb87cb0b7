"""What nets say of some samples, in every form in which it is compared; each form is made once, when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ked.agreements.map_similarity import PixelMaps
from ked.agreements.ranking import Ranking, rank
from ked.agreements.similarity import one_vector, ranks
from ked.explanation import centre, contributions
from ked.heard import Heard
from ked.maps import gradient_times_input, spread
from ked.nets.stack import Stack


class Directions(NamedTuple):
    """Unit vectors, or zero where there is nothing: of `whole` predictions (K, N, M C) and of `each` superfeature (K, M, N, C)."""

    whole: Tensor
    each: Tensor


class Sight(NamedTuple):
    """What it takes to lay over the input what a net says of samples x (N, D), laid out as `shape` says.

    whole: (K, M, N, C) the explanations of all its superfeatures, compared or not.
    """

    net: Stack
    x: Tensor
    shape: Sequence[int]
    whole: Tensor


class NetOutputs:
    """What K replicas say of N samples.

    Args:
        log_y: (K, M, N, C) explanations, of the superfeatures that are compared.
        log_p: (K, N, C) predicted class log-probabilities.
        base: (C,) of the net.
        tau: What explanations are softened by.
        asked: (N,) the class in question for each sample; by default what replica 0 answers.
        sight: For maps over the input, where those are compared.

    Attributes:
        usual: (M, N, C) of a teacher, what it says on average of other samples of the same class (`ked.agreements.class_means`).
    """

    usual: Tensor | None = None

    def __init__(
        self, log_y: Tensor, log_p: Tensor, base: Tensor, tau: float, asked: Tensor | None = None, sight: Sight | None = None
    ) -> None:
        self.log_y, self.log_p, self.base, self.tau, self._sight = log_y, log_p, base, tau, sight
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
        return directions(self.phi)

    @cached_property
    def rank_directions(self) -> Directions:
        """The same of their ranks: two nets' rank correlation is their product."""
        return Directions(normalize(ranks(one_vector(self.phi)), dim=-1), normalize(ranks(self.phi), dim=-1))

    @cached_property
    def softened(self) -> Tensor:
        """(K, M, N, C) log-probabilities of the explanations, softened by tau; float64, as their divergences fall as 1 / tau^2."""
        return (self.log_y.double() / self.tau).log_softmax(dim=-1)

    @cached_property
    def votes(self) -> Tensor:
        """(K, M, N) contributions to the class in question."""
        return _of_class(self.phi, self.asked)

    @cached_property
    def ranking(self) -> Ranking:
        """Which superfeatures matter most for the class in question."""
        return rank(self.votes.movedim(-2, -1))

    @cached_property
    def own_map(self) -> PixelMaps:
        """(K, N, P) the contributions of all superfeatures to the class in question, over the pixels."""
        net, x, shape, whole = self._seen
        votes = _of_class(centre(contributions(whole, self.base)), self.asked)
        return PixelMaps(torch.stack([spread(net, k, x, phi, self.asked) for k, phi in enumerate(votes)]), shape)

    @cached_property
    def gradient_map(self) -> PixelMaps:
        """(K, N, P) gradients of the evidence for the class in question times the input, over the pixels."""
        net, x, shape, _ = self._seen
        return PixelMaps(gradient_times_input(net, x, self.asked), shape)

    @property
    def _seen(self) -> Sight:
        assert self._sight, "maps are made of what was said of samples in sight"
        return self._sight


def directions(phi: Tensor) -> Directions:
    """Contributions (K, M, N, C) as unit vectors."""
    return Directions(normalize(one_vector(phi), dim=-1), normalize(phi, dim=-1))


def _of_class(phi: Tensor, asked: Tensor) -> Tensor:
    """(K, M, N) the contributions (K, M, N, C) to each sample's class, asked (N,)."""
    return phi.gather(-1, asked[:, None].expand(*phi.shape[:-1], 1)).squeeze(-1)


def outputs_heard(
    said: Heard, rows: Tensor, tau: float, superfeatures: Sequence[int] | None, asked: Tensor | None = None
) -> NetOutputs:
    """The same as `outputs_of`, from what was heard of samples numbered rows (n,); there are no maps of it."""
    log_y = said.log_y[:, :, rows]
    compared = log_y if superfeatures is None else log_y[:, list(superfeatures)]
    return NetOutputs(compared, said.log_p[:, rows], said.base, tau, asked)


def outputs_of(
    net: Stack,
    x: Tensor,
    tau: float,
    superfeatures: Sequence[int] | None,
    asked: Tensor | None = None,
    shape: Sequence[int] = (),
) -> NetOutputs:
    """What a net says of samples x (N, D); of its superfeatures those numbered so, all by default.

    `shape`: how a sample is laid out, for maps over its pixels.
    """
    log_y = net.subnet_log_probabilities(net.arrange(x))
    log_p = net.total(log_y).log_softmax(dim=1).transpose(-1, -2)
    whole = log_y.transpose(-1, -2)
    some = superfeatures is not None and tuple(superfeatures) != tuple(range(log_y.shape[1]))
    compared = whole[:, list(superfeatures)] if superfeatures is not None and some else whole
    return NetOutputs(compared, log_p, net.base, tau, asked, Sight(net, x, shape, whole) if shape else None)
