"""Studies: questions about the method, each answered by a grid of runs, paired by seed and with intervals.

`catalogue` has the questions, `study` what one is made of, `cells` turns it into recipes, `execution` computes those that are not there
yet on any `concurrent.futures.Executor` (`executors`, `computing`, `ledger`), `outcome` compares, and `words` says what came out.
"""

from ked.studies.catalogue import STUDIES, study_named
from ked.studies.study import BEST, Comparison, Study

__all__ = ["BEST", "STUDIES", "Comparison", "Study", "study_named"]
