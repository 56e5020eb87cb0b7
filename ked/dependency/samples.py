"""What may be given as net and samples, and what becomes of it: flat float samples on the device where they are computed on."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from itertools import chain
from textwrap import shorten
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils.data import DataLoader

from ked.errors import InvalidInput


def modules_of(net: Any) -> list[nn.Module]:
    """The net, or, of a function, the modules that it is bound to, holds or names: `model.predict`, `lambda x: model(x)[0]`."""
    if isinstance(net, nn.Module):
        return [net]
    if isinstance(net, functools.partial):
        return [*modules_of(net.func), *(value for value in (*net.args, *net.keywords.values()) if isinstance(value, nn.Module))]
    known = [getattr(net, "__self__", None), *getattr(net, "__dict__", {}).values()]
    if inspect.isfunction(net):
        names = inspect.getclosurevars(net)
        known += [*names.nonlocals.values(), *names.globals.values()]
    return [value for value in known if isinstance(value, nn.Module)]


def flat_samples(x: Any, parts: list[nn.Module]) -> tuple[Tensor, tuple[int, ...]]:
    """The samples as (N, D), and the shape of one as the net takes it; InvalidInput where there can be no derivative with respect to them.

    Arrays and what a DataLoader gives have no precision or place of their own: they take those of the net's first weight.
    """
    weights = [value for part in parts for value in chain(part.parameters(), part.buffers())]
    _check_weights(weights)
    if not isinstance(x, Tensor):
        x = as_tensor(x)
        home = next((weight for weight in weights if weight.is_floating_point()), None)
        x = x.to(home) if home is not None and x.is_floating_point() else x
    if x.ndim < 2 or 0 in x.shape or not x.is_floating_point():
        raise InvalidInput(f"The samples must be floats of shape (N, D) or (N, *shape), not {x.dtype} of shape {tuple(x.shape)}.")
    if x.is_meta or x.layout != torch.strided:
        raise InvalidInput(f"The samples must be an ordinary dense tensor with values, not one of layout {x.layout} on {x.device}.")
    if not bool(torch.isfinite(x).all()):
        raise InvalidInput("The samples contain NaN or infinite values; remove or replace them first.")
    return (x.clone() if x.is_inference() else x.detach()).as_subclass(Tensor).flatten(1), tuple(x.shape[1:])


def check_no_probabilities(z: Tensor, whose: str) -> None:
    """InvalidInput for probabilities (N, C) in place of logits, of which another softmax would make wrong numbers without a word."""
    near = min(100 * torch.finfo(z.dtype).eps, 0.01)
    if bool((z >= 0).all()) and bool(((z.sum(dim=1) - 1).abs() < near).all()):
        raise InvalidInput(
            f"{whose} are probabilities (none is negative, and each sample's add up to 1), not logits; "
            "give the logits, or the probabilities' logarithms: net(x).log() in place of net(x)."
        )


def shortened(what: object) -> str:
    """An error's first sentence, or any other text, on one line and not too long."""
    return shorten(str(what).strip().split("\n")[0].split(". ")[0].rstrip("."), 160, placeholder=" …")


def _check_weights(weights: list[Tensor]) -> None:
    if any(is_lazy(weight) for weight in weights):
        raise InvalidInput("The net has lazy layers that have not seen a sample yet; call it once on some first.")
    if any(weight.is_inference() for weight in weights):
        raise InvalidInput(
            "The net was made in torch.inference_mode, where nothing can be differentiated; use a copy.deepcopy made outside of it."
        )


def as_tensor(x: Any, what: str = "The samples") -> Tensor:
    """A tensor as it is; a DataLoader's batches one after the other, or what numpy takes for an array."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, DataLoader):
        return torch.cat(list(samples_of(x)))
    try:
        return torch.from_numpy(np.array(x))  # a copy: torch warns of an array that may not be written to
    except (TypeError, ValueError) as error:
        kind = type(x).__name__
        raise InvalidInput(f"{what} must be a tensor, an array or a DataLoader, not {kind} ({shortened(error)}).") from error


def samples_of(batches: DataLoader[Any]) -> Iterator[Tensor]:
    """What a DataLoader gives of samples, batch by batch; InvalidInput where it gives none."""
    found = False
    for batch in batches:
        found = True
        yield _first(batch)
    if not found:
        raise InvalidInput("The DataLoader gives no batches, so there are no samples.")


def _first(batch: Any) -> Tensor:
    first = batch[0] if isinstance(batch, list | tuple) and batch else batch
    if not isinstance(first, Tensor):
        kind = type(first).__name__
        raise InvalidInput(f"The DataLoader must give tensors of samples, alone or first in a tuple or list, not {kind}.")
    return first
