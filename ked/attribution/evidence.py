"""What attributions are about: a net's evidence for a class, log p_c less its mean over the classes, in nats.

Why not log p_c itself: it saturates where a net is sure, and a shift that all classes share cannot change a prediction. The
evidence equals the centred total logit of every net here, black box or not, so that it is

- what the net's own explanation adds up to: evidence_c = centred base_c + sum_m centred phi_m[c];
- the same sum of centred logits without any softmax, hence piecewise linear in a ReLU net: integrated gradients and
  DeepLift then add up to exactly what the net says of the sample less what it says of the baseline.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ked.errors import InvalidInput
from ked.explanation import centre, full
from ked.nets.cnn.stack import ConvStack
from ked.nets.stack import Stack
from ked.nets.subnets import SubnetStack


class Evidence(nn.Module):
    """One replica of a stack as a frozen net from samples (B, D) to evidence (B, C); softmax gives the prediction.

    A copy in ordinary layers, each nonlinearity a module of its own that works out of place on batch-first tensors: DeepLift
    hooks into those, and would be silently wrong on anything else.

    Args:
        net: Any net of this package; or anybody's, from samples (B, *shape) to logits (B, C), of which a plain copy is taken.
        k: The replica.
        shape: How a sample is laid out, for nets that are not this package's.

    Raises:
        InvalidInput: The net has no replica k, or cannot be copied.
    """

    base: Tensor

    def __init__(self, net: nn.Module, k: int = 0, shape: Sequence[int] = ()) -> None:
        super().__init__()
        if not isinstance(net, Stack):
            self.subnets = 1
            self.body: nn.Module = _Own(copy_of(net), tuple(shape))
            self.register_buffer("base", torch.zeros(()))
        elif not 0 <= k < net.replicas:
            raise InvalidInput(f"replica {k} is not there: the net has the replicas 0 to {net.replicas - 1}.")
        else:
            self.subnets = len(net.groups)
            self.body = _convolutional(net, k) if isinstance(net, ConvStack) else _Subnets(net, k)
            self.register_buffer("base", centre(net.base.detach()))
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Evidence (B, C) of x (B, D)."""
        logits: Tensor = centre(full(self.body(x)))
        return logits - (self.subnets - 1) * self.base

    @property
    def split(self) -> nn.Module:
        """The layer whose map (B, channels, H, W) branches out into superfeatures: where Grad-CAM looks."""
        if not isinstance(self.body, _Branches):
            raise InvalidInput("a net without convolutions has no maps for Grad-CAM to look at.")
        layer = self.body.net.branches.divide
        assert isinstance(layer, nn.Module)
        return layer


class _Own(nn.Module):
    """Anybody's net, on flat samples."""

    def __init__(self, net: nn.Module, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.net, self.shape = net, shape

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.net(self.laid_out(x))
        return logits

    def laid_out(self, x: Tensor) -> Tensor:
        """A copy of flat samples (B, D) as the net takes them, which may work in place."""
        laid: Tensor = x.unflatten(1, self.shape).clone()
        return laid


def copy_of(net: nn.Module) -> nn.Module:
    """A copy of anybody's net; InvalidInput where it cannot be made."""
    try:
        return copy.deepcopy(net)
    except Exception as error:
        raise InvalidInput(f"the net cannot be copied ({type(error).__name__}), and attributions must not hook into it itself.") from error


class _Subnets(nn.Module):
    """The sum of the subnets' logits, each subnet a sequence of ordinary layers."""

    def __init__(self, stack: Stack, k: int) -> None:
        super().__init__()
        assert isinstance(stack, SubnetStack)
        self.subnets = nn.ModuleList(stack.subnet(m, k) for m in range(len(stack.groups)))
        self.groups = [torch.tensor(group) for group in stack.groups]

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([net(x[:, group]) for net, group in zip(self.subnets, self.groups, strict=True)]).sum(dim=0)


class _Branches(nn.Module):
    """The sum over the branches of log y_m; a convolutional net's layers are ordinary ones already."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        log_y: Tensor = self.net(x)[0]  # (M, C, B)
        return log_y.sum(dim=0).T


class _BatchLast(nn.Module):
    """A nonlinearity on (..., B), done on (B, ...)."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.ReLU()

    def forward(self, h: Tensor) -> Tensor:
        moved: Tensor = self.inner(h.movedim(-1, 0)).movedim(0, -1)
        return moved


class _Pool(nn.Module):
    """The largest of 2 x 2 pixels written with ReLUs, max(a, b) = a + relu(b - a): Captum's rule for max-pooling loses a part."""

    def __init__(self) -> None:
        super().__init__()
        self.relus = nn.ModuleList(nn.ReLU() for _ in range(3))

    def forward(self, h: Tensor) -> Tensor:
        h = nn.functional.pad(h, (0, h.shape[-1] % 2, 0, h.shape[-2] % 2), mode="replicate")  # at an odd edge, once more
        above = self._larger(0, h[..., ::2, ::2], h[..., ::2, 1::2])
        below = self._larger(1, h[..., 1::2, ::2], h[..., 1::2, 1::2])
        return self._larger(2, above, below)

    def _larger(self, number: int, a: Tensor, b: Tensor) -> Tensor:
        larger: Tensor = a + self.relus[number](b - a)
        return larger


def _convolutional(stack: ConvStack, k: int) -> _Branches:
    net = stack.replica(k).nets[0]
    for holder in list(net.modules()):
        for name, layer in list(holder.named_children()):
            if isinstance(layer, nn.ReLU):  # only the dense layers of a VGG have their batch last, and they keep their input
                setattr(holder, name, nn.ReLU() if layer.inplace else _BatchLast())
            elif isinstance(layer, nn.MaxPool2d):
                setattr(holder, name, _Pool())
    return _Branches(net)
