"""What all nets here have in common: K replicas of M subnets whose log-probabilities add up (METHOD 1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from torch import Tensor, nn

from ked.errors import InvalidInput
from ked.explanation import total_logits


class Stack(nn.Module):
    """K replicas of a net of M subnets; subnet m says log y_m, and the total logit is sum_m log y_m - (M - 1) base.

    `ked.nets.SubnetStack` (each subnet sees a group of features) and `ked.nets.cnn.ConvStack` (a group of channels) fill this in.
    Inside, the batch comes last, outside the classes do.

    >>> import torch
    >>> from ked.nets import SubnetStack
    >>> net = SubnetStack([(0, 1), (2, 3)], hidden=[8], classes=3)
    >>> isinstance(net, Stack), net.groups, net.explanations(torch.zeros(5, 4)).shape
    (True, ((0, 1), (2, 3)), torch.Size([1, 2, 5, 3]))

    Attributes:
        groups: M tuples: the features, or the channels, of each superfeature.
        hidden: Widths of the hidden layers or stages.
        classes: C.
        replicas: K.
        activation: Name of the nonlinearity.
        base: (C,) log of the teacher's mean predicted probabilities.
        chunk: How many samples go through at once where no gradient is wanted, so that memory stays bounded.
        of_channels: Whether groups are of the net's own channels, which no other net shares.
    """

    base: Tensor
    groups: tuple[tuple[int, ...], ...]
    hidden: tuple[int, ...]
    classes: int
    replicas: int
    activation: str
    chunk = 8192
    of_channels = False

    @property
    def config(self) -> dict[str, Any]:
        """What builds the same net again, but for weights and base; plain JSON types."""
        raise NotImplementedError

    @property
    def parameter_count(self) -> int:
        """Trainable parameters of one replica."""
        raise NotImplementedError

    def reset(self, seeds: Sequence[int]) -> None:
        """Start afresh: replica k from seeds[k] alone."""
        raise NotImplementedError

    def arrange(self, x: Tensor) -> Tensor:
        """Samples (..., D) in the order in which the net wants its features."""
        raise NotImplementedError

    def subnet_log_probabilities(self, arranged: Tensor) -> Tensor:
        """log y_m with the batch last, (K, M, C, B), of arranged inputs (B, D) shared or (K, B, D) one batch a replica."""
        raise NotImplementedError

    def features(self, arranged: Tensor) -> tuple[Tensor, Tensor]:
        """log y_m (K, M, C, B) and the maps (K, M, B, f, h, w) that hints compare."""
        raise InvalidInput("a net without convolutions has no maps for a hint to compare; use a convolutional net.")

    def kernels(self) -> list[nn.Parameter]:
        """The weights that weight decay is for: no biases, no normalisation."""
        raise NotImplementedError

    def replica(self, k: int) -> Self:
        """A copy that holds replica k alone (K = 1), on the same device and in the same dtype."""
        raise NotImplementedError

    def total(self, log_y: Tensor) -> Tensor:
        """Total logits (K, C, B) of log y_m (K, M, C, B), batch last: sum_m log y_m - (M - 1) base."""
        return total_logits(log_y, self.base[:, None], superfeatures=1)

    def explain(self, x: Tensor) -> Tensor:
        """log y_m (B, M, C) of x (B, D) or (B, *shape), of a net of one replica: what `ked.Explains` asks for.

        Raises:
            InvalidInput: There are several replicas; `replica(k)` is one of them.
        """
        if self.replicas != 1:
            raise InvalidInput(f"this net has {self.replicas} replicas, which explain differently; take one of them, net.replica(k).")
        return self.explanations(x.flatten(1))[0].transpose(0, 1)

    def explanations(self, x: Tensor) -> Tensor:
        """The net's own explanations log y_m, (K, M, B, C), of x (B, D) or (K, B, D)."""
        return self.subnet_log_probabilities(self.arrange(x)).transpose(-1, -2)

    def forward(self, x: Tensor) -> Tensor:
        """Total logits (K, B, C) of x (B, D) or (K, B, D); softmax over the last axis gives the prediction."""
        return self.total(self.subnet_log_probabilities(self.arrange(x))).transpose(-1, -2)
