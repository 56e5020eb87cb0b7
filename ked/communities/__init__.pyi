from .groups import Superfeatures as Superfeatures
from .groups import align as align
from .superfeatures import find_superfeatures as find_superfeatures
from .superfeatures import modularity as modularity
from .superfeatures import resolution_sweep as resolution_sweep
from .yardsticks import yardsticks as yardsticks
