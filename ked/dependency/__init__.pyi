from .curvature import is_piecewise_linear as is_piecewise_linear
from .double_backward import general_path as general_path
from .matrix import dependency_matrix as dependency_matrix
from .matrix import sample_influence as sample_influence
from .piecewise_linear import closed_form as closed_form
from .piecewise_linear import factor_rows as factor_rows
