"""The dependency matrix that a recipe asks for: of input features, or of the channels that a convolutional net splits."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ked.dependency import dependency_matrix
from ked.nets.cnn.channels import channel_dependency
from ked.nets.cnn.stack import ConvStack
from ked.nets.subnets import SubnetStack
from ked.recipe import Recipe
from ked.store import Run


def reference_samples(recipe: Recipe, x: Tensor) -> Tensor:
    """The training samples (n, D) that W is averaged over, drawn from x (N, D) with the recipe's seed."""
    rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(recipe.seed))[: recipe.dependency_samples]
    return x[rows.to(x.device)]


def measured_dependency(run: Run, recipe: Recipe, x: Tensor, progress: Callable[[float], None] | None = None) -> Tensor:
    """W of the run's black-box teacher, (D, D); of convolutional nets, of the explaining teacher's channels (F, F).

    Args:
        run: Whose nets are measured.
        recipe: How: reduce, scale, samples.
        x: (N, D) all training samples, on the device to compute on.
        progress: Called with the finished share, 0 to 1.
    """
    samples = reference_samples(recipe, x)
    net = (run.explaining() if recipe.convolutional else run.teacher()).to(x.device)
    if isinstance(net, ConvStack):
        return channel_dependency(net, samples, reduce=recipe.reduce, progress=progress)
    assert isinstance(net, SubnetStack)
    return dependency_matrix(net.sequential(), samples, recipe.reduce, scale=recipe.scale, progress=progress)
