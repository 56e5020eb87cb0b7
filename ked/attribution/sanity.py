"""Does a map depend on what the net has learnt? The randomised-weights check (Adebayo et al. 2018, arXiv 1810.03292)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from ked.attribution.likeness import spearman
from ked.attribution.question import Question

THRESHOLD = 0.5
DRAWS = 2  # fresh sets of weights


@dataclass(frozen=True)
class Verdict:
    """How much of the map survives when the weights are drawn anew.

    correlation: rank correlation over the features between the maps' magnitudes before and after, mean over samples and draws
        of fresh weights; NaN if no map says anything.
    """

    correlation: float

    @property
    def passes(self) -> bool:
        """Whether little enough survives: a map that hardly changes cannot explain what was learnt."""
        return self.correlation < THRESHOLD


def sanity(explain: Callable[[Question], Tensor], question: Question, draws: int = DRAWS) -> Verdict:
    """Compare the maps of the question's net with those of the same net before it learnt anything.

    Magnitudes are compared, as signs are lost with the weights in any case: a method that mostly shows the sample itself
    (every method that multiplies by it does so in part) has large values at the same places before and after.

    Args:
        explain: Maps (B, D) of a question.
        question: Net, and the samples and classes that are asked about.
        draws: How often all weights are drawn anew.
    """
    before = explain(question).abs().numpy()
    found = []
    for seed in range(draws):
        fresh = question.ours.replica(question.k)
        fresh.reset([seed + 1_000_003])  # a seed that no run begins with
        after = explain(replace(question, stack=fresh, k=0)).abs().numpy()
        found += [spearman(a, b) for a, b in zip(before, after, strict=True)]
    known = np.array(found)[~np.isnan(found)]
    return Verdict(float(known.mean()) if len(known) else float("nan"))
