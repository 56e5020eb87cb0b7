from .matrix import dependency_matrix as dependency_matrix
from .matrix import sample_influence as sample_influence
