"""Agreement over a whole test set, against the nets alone and against one sample after another."""

from __future__ import annotations

import math
from typing import Any

import torch
from scipy.spatial.distance import jensenshannon
from scipy.stats import spearmanr
from torch import Tensor

from ked.agreements import FIDELITY, MEASURES, survey
from ked.bench.contest import alternate
from ked.bench.pixels import TEACHER, C, D, find_pixels
from ked.explanation import centre
from ked.matching import match
from ked.nets.inference import explain
from ked.nets.subnets import SubnetStack, explaining_net, mlp

SAMPLES, SUPERFEATURES, SEEDS, STUDENT, TAU = 10_000, 4, 5, (20, 20), 10.0
ONE_BY_ONE = 100  # samples of the slow way, scaled to all


def agreement() -> dict[str, Any]:
    """All measures of 10 000 images: a teacher as large as 784-500-500-10 and 5 students as large as 784-20-20-10, M = 4.

    The nets are untrained: what they say does not change how long it takes. One by one, three of the measures are computed with
    scipy; the nets' answers are there already.
    """
    pixels = find_pixels()
    x, y = pixels.x[:SAMPLES], pixels.y[:SAMPLES]
    groups = [part.tolist() for part in torch.arange(D).chunk(SUPERFEATURES)]
    base = torch.full((C,), 1 / C).log()
    teacher = explaining_net(groups, mlp(D, TEACHER, C), base)
    students = explaining_net(groups, mlp(D, STUDENT, C), base, replicas=SEEDS)
    pairs, few = match(groups, groups), (explain(students, x[:ONE_BY_ONE]), explain(teacher, x[:ONE_BY_ONE])[0])
    best = alternate(
        {
            "survey": lambda: survey(students, teacher, x, y, pairs=pairs, tau=TAU),
            "nets": lambda: _nets_alone(students, teacher, x),
            "one_by_one": lambda: _one_by_one(*few, base),
        },
        rounds=3,
    )
    return {
        "pixels": pixels.source,
        "samples": SAMPLES,
        "superfeatures": SUPERFEATURES,
        "seeds": SEEDS,
        "measures": len(MEASURES) + len(FIDELITY),
        "seconds": best["survey"],
        "times_the_nets_alone": best["survey"] / best["nets"],
        "faster_than_three_measures_one_by_one": best["one_by_one"] * SAMPLES / ONE_BY_ONE / best["survey"],
    }


def _nets_alone(students: SubnetStack, teacher: SubnetStack, x: Tensor) -> None:
    """What no comparison can do without: the teacher's and the students' explanations."""
    explain(teacher, x)
    explain(students, x)


def _one_by_one(students: Tensor, teacher: Tensor, base: Tensor) -> float:
    """Cosine, Spearman and Jensen-Shannon of log y (K, M, N, C) and (M, N, C), as one would write them first; their sum."""
    total = 0.0
    for student in students:
        for n in range(student.shape[1]):
            mine, theirs = (centre(log_y[:, n] - base).flatten() for log_y in (student, teacher))
            total += float(mine @ theirs / (mine.norm() * theirs.norm())) + float(spearmanr(mine, theirs).statistic)
            for m in range(len(student)):
                p, q = (torch.softmax(log_y[m, n] / TAU, 0) for log_y in (student, teacher))
                divergence = float(jensenshannon(p, q)) ** 2
                total += divergence if math.isfinite(divergence) else 0.0  # rounding can give the root of a negative
    return total
