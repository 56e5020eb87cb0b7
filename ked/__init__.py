"""Knowledge Explaining Distillation (arXiv 2310.02572): the method, without any screen.

The front door: `from ked import Recipe, run, load_run, dependency_matrix, find_superfeatures`. What it hands on stands in
`__init__.pyi`, and each name is imported when it is first asked for, so that `import ked` costs nothing.
"""

import lazy_loader

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
