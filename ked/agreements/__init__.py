"""How far two explaining nets agree in their explanations, and how far in their answers (METHOD 4).

`similarity`, `ranking` and `pixels` compare what two nets say of the same samples, `measures` and `map_measures` name the comparisons,
`survey` makes all of them over a whole test set, a chunk at a time, and `contrasts` says what learning from explanations buys.
"""

from ked.agreements.map_measures import ALL, MAPS, kind_of, map_measures
from ked.agreements.measures import FIDELITY, MEASURES, Measure
from ked.agreements.similarity import cosine, divergence, jensen_shannon, kullback_leibler, spearman
from ked.agreements.survey import Survey, survey

__all__ = [
    "ALL", "FIDELITY", "MAPS", "MEASURES", "Measure", "Survey", "cosine", "divergence", "jensen_shannon", "kind_of",
    "kullback_leibler", "map_measures", "spearman", "survey",
]  # fmt: skip
