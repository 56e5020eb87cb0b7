"""Planted superfeatures: synthetic data for which the truth is known, both the groups of features and P(y | x).

The D features are cut at random into M groups of (nearly) equal size, S_1 to S_M. A group speaks through one number,

    t_m = sum of w_i x_i over i in S_m,   w_i = + or - the same size, so that t_m is a standard normal variable,

and gives every class the evidence v_mc (t_m^2 - 1), where v_m is a fixed random direction. The square multiplies every two features
of a group with each other and no two of different groups, so the groups are just what a dependency matrix should find. Then

    P(y = c | x) = (1 - noise) softmax_c( b + strength * sum_m v_m (t_m^2 - 1) ) + noise / C,

with b such that the classes are about equally frequent. It is a sum over superfeatures within a softmax, the form of an explaining
net (METHOD 1.3), so an explaining net with the true groups can represent it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ked.data import planted_spec
from ked.data.dataset import SHARES, Dataset, stratified_split
from ked.data.planted_spec import Defaults
from ked.errors import InvalidInput

_BALANCE_STEPS = 100


@dataclass(frozen=True, eq=False)
class Truth:
    """How a synthetic data set was made.

    groups: M tuples of feature indices.
    weights: (M, D), row m holds w_i on the features of group m and zeros elsewhere.
    evidence: (M, C), strength * v_m.     offset: (C,), b.     noise: share of labels that are drawn blindly.
    """

    groups: tuple[tuple[int, ...], ...]
    weights: Tensor
    evidence: Tensor
    offset: Tensor
    noise: float

    def probabilities(self, x: Tensor) -> Tensor:
        """P(y | x), the distribution that the labels were drawn from: x (B, D) to (B, C), in float64."""
        clean = torch.softmax(self.offset + _scores(x, self.weights, self.evidence), dim=1)
        return (1 - self.noise) * clean + self.noise / clean.shape[1]


def make(
    D: int = Defaults.D,
    M: int = Defaults.M,
    C: int = Defaults.C,
    *,
    correlation: float = Defaults.correlation,
    across: bool = Defaults.across,
    noise: float = Defaults.noise,
    strength: float = Defaults.strength,
    n: int = Defaults.n,
    seed: int = Defaults.seed,
    name: str = planted_spec.USUAL,
) -> tuple[Dataset, Truth]:
    """Draw a data set of n samples with D standard normal features in M groups and C classes.

    correlation: of two features of the same group (0 to below 1); features of different groups are independent.
        With `across`, instead of the first, second, ... features of all groups, and then features of one group are independent, so
        that correlation points at groups that are not the true ones.
    noise: the share of labels drawn blindly (0 to 1).   strength: how sure the groups' evidence makes the label (above 0).
    The samples are not standardised again, as the formula is about x itself; splits are 60/20/20 with equal class shares.
    Raises InvalidInput, which names the wrong value.
    """
    given: dict[str, Any] = {"D": D, "M": M, "C": C, "correlation": correlation, "noise": noise, "strength": strength, "n": n, "seed": seed}
    for argument, words in planted_spec.refused(**given, across=across):
        raise InvalidInput(f"{argument} = {given[argument]} is not allowed for planted data: it takes {words}.")
    generator = np.random.default_rng(seed)
    groups = tuple(tuple(sorted(part.tolist())) for part in np.array_split(generator.permutation(D), M))
    x = _features(groups, n, correlation, across, generator)
    weights = _weights(groups, D, 0.0 if across else correlation, generator)
    evidence = torch.from_numpy(strength * _directions(M, C, generator))
    truth = Truth(groups, weights, evidence, _balance(_scores(x, weights, evidence)), noise)
    p = truth.probabilities(x)
    y = (generator.random((n, 1)) > p.cumsum(1).numpy()[:, :-1]).sum(1)
    return _dataset(name, x, y, p, groups, seed), truth


def load(name: str) -> Dataset:
    """The data set `planted` with its default settings, or the one that another name stands for (`ked.data.planted_spec`)."""
    return make(**planted_spec.settings(name), name=planted_spec.usual(name))[0]


def _features(
    groups: tuple[tuple[int, ...], ...], n: int, correlation: float, across: bool, generator: np.random.Generator
) -> Tensor:
    """Standard normal features (n, D): a factor that a block of features shares, and a part of each feature's own."""
    D = sum(map(len, groups))
    block = np.empty(D, dtype=int)  # which factor a feature has
    for m, group in enumerate(groups):
        block[list(group)] = np.arange(len(group)) if across else m
    shared, own = generator.standard_normal((n, block.max() + 1)), generator.standard_normal((n, D))
    return torch.from_numpy(np.sqrt(correlation) * shared[:, block] + np.sqrt(1 - correlation) * own).float()


def _weights(groups: tuple[tuple[int, ...], ...], D: int, correlation: float, generator: np.random.Generator) -> Tensor:
    """Rows w_m (M, D) for which w_m x has variance 1 when the features of a group have this correlation."""
    weights = np.zeros((len(groups), D))
    for m, group in enumerate(groups):
        w = generator.choice([-1.0, 1.0], len(group))
        weights[m, list(group)] = w / np.sqrt((1 - correlation) * (w**2).sum() + correlation * w.sum() ** 2)
    return torch.from_numpy(weights)


def _directions(M: int, C: int, generator: np.random.Generator) -> np.ndarray:
    """Rows v_m (M, C) of mean 0, as what all classes share is invisible to a softmax, and of mean square 1."""
    directions = generator.standard_normal((M, C))
    directions -= directions.mean(1, keepdims=True)
    scaled: np.ndarray = directions / np.sqrt((directions**2).mean(1, keepdims=True))
    return scaled


def _scores(x: Tensor, weights: Tensor, evidence: Tensor) -> Tensor:
    """The sum of the groups' evidence, (B, C)."""
    return ((x.double() @ weights.T) ** 2 - 1) @ evidence


def _balance(scores: Tensor) -> Tensor:
    """b (C,) for which the mean over the samples of softmax(b + scores) is the same for every class."""
    offset = torch.zeros(scores.shape[1], dtype=torch.float64)
    for _ in range(_BALANCE_STEPS):
        offset -= torch.log_softmax(offset + scores, dim=1).logsumexp(0)
    return offset - offset.mean()


def _dataset(name: str, x: Tensor, y: np.ndarray, p: Tensor, groups: tuple[tuple[int, ...], ...], seed: int) -> Dataset:
    D, C = x.shape[1], p.shape[1]
    member = {feature: m for m, group in enumerate(groups, start=1) for feature in group}
    train, validation, test = stratified_split(y, SHARES, seed)
    return Dataset(
        name=name,
        x=x,
        y=torch.from_numpy(y.astype(np.int64)),
        train=train,
        validation=validation,
        test=test,
        shape=(D,),
        classes=tuple(f"class {c}" for c in range(C)),
        features=tuple(f"feature {i} of group {member[i]}" for i in range(D)),
        truth=groups,
        conditional=p,
    )
