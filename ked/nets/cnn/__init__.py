"""Convolutional nets whose superfeatures are channel groups: a shared trunk and M branches (METHOD 1.5)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
