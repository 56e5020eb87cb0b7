"""The measures of agreement and of fidelity: each is one row of a table, with its range, its best value and its chance level."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ked.agreements import ranking
from ked.agreements.outputs import Directions, NetOutputs, directions
from ked.agreements.similarity import jensen_shannon, kullback_leibler


class Compared(NamedTuple):
    """A measure of N samples: `whole` (K, N), and `each` (K, M, N) of every superfeature where the measure has such a form."""

    whole: Tensor
    each: Tensor | None = None


@dataclass(frozen=True)
class Measure:
    """One way to compare a student with its teacher.

    Attributes:
        name: Key of the table.
        label: What people call it.
        description: One sentence.
        compare: From what student (K replicas) and teacher (one) say to the measure.
        best: Its value for two equal nets.
        low, high: Its range; infinite where there is no bound.
        unit: What it is measured in, if anything.
        chance: Its mean for independent explanations, from M and k, where there is a formula: all orders equally likely, and every sign
            a fair coin's.
    """

    name: str
    label: str
    description: str
    compare: Callable[[NetOutputs, NetOutputs], Compared]
    best: float = 1.0
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    chance: Callable[[int, int], float] | None = None

    @property
    def more_is_better(self) -> bool:
        """Whether a larger value means more agreement."""
        return self.best > self.low


def _product(student: Directions, teacher: Directions) -> Compared:
    return Compared(*(torch.linalg.vecdot(mine, theirs) for mine, theirs in zip(student, teacher, strict=True)))


def _cosine(student: NetOutputs, teacher: NetOutputs) -> Compared:
    return _product(student.directions, teacher.directions)


def _beyond(student: NetOutputs, teacher: NetOutputs) -> Compared:
    assert teacher.usual is not None, "what goes beyond a class is told of a teacher of which that class's mean is known"
    mine, theirs = (directions(net.phi - teacher.usual) for net in (student, teacher))
    return _product(mine, theirs)


def _spearman(student: NetOutputs, teacher: NetOutputs) -> Compared:
    return _product(student.rank_directions, teacher.rank_directions)


def _mean_of(divergence: Callable[[Tensor, Tensor], Tensor]) -> Callable[[NetOutputs, NetOutputs], Compared]:
    def compare(student: NetOutputs, teacher: NetOutputs) -> Compared:
        each = divergence(student.softened, teacher.softened)
        return Compared(each.mean(dim=1), each)

    return compare


def _top(measure: Callable[[ranking.Ranking, ranking.Ranking, int], Tensor]) -> Callable[[NetOutputs, NetOutputs], Compared]:
    def compare(student: NetOutputs, teacher: NetOutputs) -> Compared:
        return Compared(measure(student.ranking, teacher.ranking, ranking.top(teacher.log_y.shape[1])))

    return compare


def _signs(student: NetOutputs, teacher: NetOutputs) -> Compared:
    same = (student.votes.sign() == teacher.votes.sign()).float()
    return Compared(_top(ranking.sign_agreement)(student, teacher).whole, same)


def _pairwise(student: NetOutputs, teacher: NetOutputs) -> Compared:
    return Compared(ranking.pairwise_rank_agreement(student.ranking, teacher.ranking))


def _same_answer(student: NetOutputs, teacher: NetOutputs) -> Compared:
    return Compared((student.answers == teacher.answers).float())


def _prediction_kl(student: NetOutputs, teacher: NetOutputs) -> Compared:
    mine, theirs = (net.log_p.double().log_softmax(dim=-1)[:, None] for net in (student, teacher))  # sums to one to the last digit
    return Compared(kullback_leibler(mine, theirs)[:, 0])


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            "cosine", "cosine of contributions",
            "The angle between the class-centred contributions of both nets, all superfeatures and classes as one vector.",
            _cosine, low=-1.0, chance=lambda M, k: 0.0,
        ),
        Measure(
            "beyond", "cosine beyond the class mean",
            "The same angle after the teacher's mean contributions to the other samples of the class are taken off both nets: what is "
            "about this sample, and not about its class.",
            _beyond, low=-1.0, chance=lambda M, k: 0.0,
        ),
        Measure(
            "spearman", "rank correlation of contributions",
            "Spearman's correlation of the same contributions: only their order counts.",
            _spearman, low=-1.0, chance=lambda M, k: 0.0,
        ),
        Measure(
            "jensen-shannon", "Jensen-Shannon divergence",
            "How far apart the nets' softened explanations are, mean over the superfeatures, in nats; symmetric, at most log 2.",
            _mean_of(jensen_shannon), best=0.0, high=math.log(2), unit="nats",
        ),
        Measure(
            "kullback-leibler", "KL divergence",
            "What the loss minimises, without its weight: KL from the teacher's softened explanations to the student's, in nats.",
            _mean_of(kullback_leibler), best=0.0, high=math.inf, unit="nats",
        ),
        Measure(
            "feature", "same top superfeatures",
            "Feature agreement: the share of the k superfeatures that matter most for the teacher's answer which both nets name.",
            _top(ranking.feature_agreement), chance=lambda M, k: k / M,
        ),
        Measure(
            "rank", "same top superfeatures in place",
            "Rank agreement: the share of the k most important superfeatures that both nets name in the same place.",
            _top(ranking.rank_agreement), chance=lambda M, k: 1 / M,
        ),
        Measure(
            "sign", "same top superfeatures and signs",
            "Sign agreement: the share of the k most important superfeatures that both nets name, for or against the answer alike.",
            _signs, chance=lambda M, k: k / (2 * M),
        ),
        Measure(
            "signed-rank", "same top superfeatures, places and signs",
            "Signed rank agreement: the share of the k most important that both nets name in the same place with the same sign.",
            _top(ranking.signed_rank_agreement), chance=lambda M, k: 1 / (2 * M),
        ),
        Measure(
            "pairwise", "same order of pairs",
            "Pairwise rank agreement: the share of the pairs of superfeatures that both nets put in the same order of importance.",
            _pairwise, chance=lambda M, k: 0.5 if M > 1 else 1.0,
        ),
    )
}  # fmt: skip
"""Of explanations: METHOD 4, the last five from Krishna et al. 2022 (arXiv 2202.01602).

"beyond" is, with m the mean of the teacher's phi over the *other* samples of the class of x,

    cos(phi_student(x) - m, phi_teacher(x) - m),

1 for a copy, and 0 on average for a student that says of a sample what the teacher says of another one of its class, or of the class.
"""

FIDELITY: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("answer", "same answer", "The share of samples on which student and teacher name the same class.", _same_answer),
        Measure(
            "prediction-kl", "prediction KL",
            "KL from the teacher's predicted probabilities to the student's, not softened, in nats.",
            _prediction_kl, best=0.0, high=math.inf, unit="nats",
        ),
    )
}  # fmt: skip
"""Of answers alone, so black boxes have them too: fidelity is not accuracy (Stanton et al. 2021, arXiv 2106.05945)."""
