"""Convolutional nets whose superfeatures are channel groups: a shared trunk and M branches (METHOD 1.5)."""

from ked.cnn.architectures import ARCHITECTURES, Architecture, architecture_named
from ked.cnn.stack import ConvStack, explaining_cnn

__all__ = ["ARCHITECTURES", "Architecture", "ConvStack", "architecture_named", "explaining_cnn"]
