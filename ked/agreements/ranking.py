"""Agreement on which superfeatures matter most: the measures of Krishna et al. 2022 (arXiv 2202.01602, section 3).

A vote is a superfeature's contribution to the class in question, votes are (..., N, M). The larger a vote's size, for or against the
class, the more its superfeature matters: rank 0 matters most; of equal sizes the superfeature with the smaller number comes first.
Every measure lies between 0 and 1. Its chance level is its mean for two independent rankings, all orders equally likely, and signs that
are a fair coin's.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ked.errors import InvalidInput


class Ranking(NamedTuple):
    """Votes as these measures see them: `ranks` (..., N, M) from 0, the most important, and `signs` (..., N, M) of -1, 0, 1."""

    ranks: Tensor
    signs: Tensor


def rank(votes: Tensor) -> Ranking:
    """The ranking by size of votes (..., N, M)."""
    order = votes.abs().argsort(dim=-1, descending=True, stable=True)
    return Ranking(order.argsort(dim=-1), votes.sign())


def top(M: int) -> int:
    """How many superfeatures the measures below look at unless told otherwise: the more important half, rounded up."""
    return (M + 1) // 2


def feature_agreement(student: Ranking, teacher: Ranking, k: int) -> Tensor:
    """Share of the k most important superfeatures that both nets name, (..., N). Chance: k / M, so at k = M always 1."""
    return _share(_both(student, teacher, k), k)


def rank_agreement(student: Ranking, teacher: Ranking, k: int) -> Tensor:
    """Share of the k most important that both nets name in the same place, (..., N). Chance: 1 / M."""
    return _share(_both(student, teacher, k) & (student.ranks == teacher.ranks), k)


def sign_agreement(student: Ranking, teacher: Ranking, k: int) -> Tensor:
    """Share of the k most important that both nets name with the same sign, (..., N). Chance: k / 2 M."""
    return _share(_both(student, teacher, k) & (student.signs == teacher.signs), k)


def signed_rank_agreement(student: Ranking, teacher: Ranking, k: int) -> Tensor:
    """Share of the k most important that both nets name in the same place with the same sign, (..., N). Chance: 1 / 2 M."""
    same = (student.ranks == teacher.ranks) & (student.signs == teacher.signs)
    return _share(_both(student, teacher, k) & same, k)


def pairwise_rank_agreement(student: Ranking, teacher: Ranking) -> Tensor:
    """Share of the pairs of superfeatures that both nets put in the same order, (..., N). Chance: 1 / 2.

    A single superfeature makes no pair, and nothing that could be put otherwise: 1.
    """
    i, j = torch.triu_indices(student.ranks.shape[-1], student.ranks.shape[-1], offset=1, device=student.ranks.device)
    same = (student.ranks[..., i] < student.ranks[..., j]) == (teacher.ranks[..., i] < teacher.ranks[..., j])
    if not len(i):
        return torch.ones(same.shape[:-1], device=same.device)
    return same.float().mean(dim=-1)


def _both(student: Ranking, teacher: Ranking, k: int) -> Tensor:
    M = student.ranks.shape[-1]
    if not 1 <= k <= M:
        raise InvalidInput(f"k = {k} is not allowed: of {M} superfeatures 1 to {M} can be the most important.")
    return (student.ranks < k) & (teacher.ranks < k)


def _share(hits: Tensor, k: int) -> Tensor:
    return hits.sum(dim=-1).float() / k
