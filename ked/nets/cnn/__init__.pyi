from .architectures import ARCHITECTURES as ARCHITECTURES
from .architectures import Architecture as Architecture
from .architectures import architecture_named as architecture_named
from .stack import ConvStack as ConvStack
from .stack import explaining_cnn as explaining_cnn
