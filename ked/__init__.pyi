from .agreements.own_nets import agreement as agreement
from .attribution.own_nets import attributions as attributions
from .communities.groups import Superfeatures as Superfeatures
from .communities.superfeatures import find_superfeatures as find_superfeatures
from .dependency import dependency_matrix as dependency_matrix
from .distillation import KDLoss as KDLoss
from .distillation import KEDLoss as KEDLoss
from .explaining import ExplainingNet as ExplainingNet
from .explaining import Explains as Explains
from .explaining import base_of as base_of
from .library.recording import record as record
from .recipe import Recipe as Recipe
from .runs.pipeline import run as run
from .store import Run as Run
from .store import load_run as load_run

__version__: str
