from .communities.groups import Superfeatures as Superfeatures
from .communities.superfeatures import find_superfeatures as find_superfeatures
from .dependency import dependency_matrix as dependency_matrix
from .recipe import Recipe as Recipe
from .runs.pipeline import run as run
from .store import Run as Run
from .store import load_run as load_run

__version__: str
