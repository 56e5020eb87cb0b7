"""What may be given as net and samples, and what becomes of it: flat float samples on the device where they are computed on."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from textwrap import shorten
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode
from torch.utils.data import DataLoader, Dataset, IterableDataset, SequentialSampler

from ked.errors import InvalidInput

_DEEP = 4  # steps from a function to a module: through a list of an object that it names, say
_MANY = 1000  # entries of a list above which it is taken for data
_SIGMOIDS = (torch.sigmoid, Tensor.sigmoid, nn.functional.sigmoid)
_AT_ONCE = 256  # samples of a Dataset
_HOLDERS = (list, tuple, dict, FunctionType, MethodType, functools.partial)  # of modules that another one uses unknown to torch


def modules_of(*nets: Any) -> list[nn.Module]:
    """The modules that a net or function is made of: itself, what it is bound to or names, and what stands in lists and objects of those.

    `model.predict`, `lambda x: model(x)[0]`, `lambda x: sum(net(x) for net in nets)`; a module's own list of others is no part of it
    for torch.
    """
    found: list[nn.Module] = []
    seen: set[int] = set()
    for net in nets:
        _gather(net, found, seen, _DEEP)
    return found


def _gather(value: Any, found: list[nn.Module], seen: set[int], deep: int) -> None:
    if id(value) in seen or deep < 0 or isinstance(value, type | ModuleType | Tensor):
        return
    seen.add(id(value))
    if isinstance(value, nn.Module):
        found.append(value)
        parts = list(value.modules())
        seen.update(map(id, parts))
        held: list[Any] = [one for part in parts for one in vars(part).values() if isinstance(one, _HOLDERS)]
    elif isinstance(value, list | tuple | set | Mapping):
        held = list(value.values() if isinstance(value, Mapping) else value) if len(value) <= _MANY else []
    elif isinstance(value, functools.partial):
        held = [value.func, value.args, value.keywords]
    elif inspect.ismethod(value):
        held = [value.__self__, value.__func__]
    else:
        held = list(getattr(value, "__dict__", {}).values())
        if inspect.isfunction(value):
            names = inspect.getclosurevars(value)
            held += [value.__defaults__, value.__kwdefaults__, *names.nonlocals.values(), *names.globals.values()]
    for one in held:
        _gather(one, found, seen, deep - 1)


def flat_samples(x: Any, parts: list[nn.Module]) -> tuple[Tensor, tuple[int, ...]]:
    """The samples as (N, D), and the shape of one as the net takes it; InvalidInput where there can be no derivative with respect to them.

    Arrays and what a DataLoader gives have no precision or place of their own: they take those of the net's first weight.
    """
    weights = [value for part in parts for value in chain(part.parameters(), part.buffers())]
    check_weights(weights)
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
    """InvalidInput for probabilities (N, C) in place of logits, of which another softmax would make wrong numbers without a word.

    Percentages and other shares of one whole are such, and so are negative logarithms, as losses give.
    """
    near = min(100 * torch.finfo(z.dtype).eps, 0.01)
    if not bool((z >= 0).all()):
        return
    sums = z.sum(dim=1)
    whole = float(sums.mean())
    if bool(((sums - 1).abs() < near).all()):
        raise InvalidInput(
            f"{whose} are probabilities (none is negative, and each sample's add up to 1), not logits; "
            "give the logits, or the probabilities' logarithms: net(x).log() in place of net(x)."
        )
    if bool((((-z).exp().sum(dim=1) - 1).abs() < near).all()):
        raise InvalidInput(
            f"{whose} are negative logarithms of probabilities, not logits; give the logarithms: -net(x) in place of net(x)."
        )
    if whole > 0 and bool((z != z[:1]).any()) and bool(((sums - whole).abs() < near * whole).all()):
        raise InvalidInput(
            f"{whose} are shares or percentages (none is negative, and each sample's add up to {whole:.4g}), not logits; "
            "give the logits, or logarithms of probabilities: net(x).log() in place of net(x), if they are in proportion to these."
        )


class Watched(TorchFunctionMode):
    """While inside, notes the coarsest precision below float32 that anything is computed in, and the last answer of a sigmoid."""

    def __init__(self) -> None:
        super().__init__()
        self.coarsest: torch.dtype | None = None
        self.sigmoid: Any = None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """What the function gives, unchanged."""
        given = func(*args, **(kwargs or {}))
        if isinstance(given, Tensor) and given.is_floating_point():
            eps = torch.finfo(given.dtype).eps
            if eps > torch.finfo(self.coarsest or torch.float32).eps:
                self.coarsest = given.dtype
            if func in _SIGMOIDS:
                self.sigmoid = given
        return given

    def check_no_sigmoids(self, z: Tensor, whose: str) -> None:
        """InvalidInput for sigmoids (N, C), each class by itself, in place of logits of classes of which one is right."""
        if z is self.sigmoid:
            raise InvalidInput(
                f"{whose} are sigmoids, each class by itself, and not logits of classes of which one is right; "
                "for class c alone: forward=lambda net, x: torch.nn.functional.pad(net(x)[:, [c]].logit(), (1, 0))."
            )


def check_order(x: Any) -> None:
    """InvalidInput for a DataLoader that gives its samples in another order than they lie in, where something stands beside them."""
    if isinstance(x, DataLoader) and not isinstance(x.dataset, IterableDataset):
        sampler = getattr(x.batch_sampler, "sampler", x.sampler if x.batch_sampler is None else None)
        if not isinstance(sampler, SequentialSampler):
            raise InvalidInput(
                "The DataLoader gives its samples in an order of its own (shuffle=True, or a sampler), which labels and other nets' "
                "answers do not follow; give one with shuffle=False."
            )


def way_out(answer: Any, count: int) -> str:
    """What to do about an answer that is no logits (N, C)."""
    if isinstance(answer, Tensor) and answer.shape in ((count,), (count, 1)):
        one = "net(x)" if answer.ndim == 2 else "net(x)[:, None]"
        return (
            f"of one logit for two classes, make two: forward=lambda net, x: torch.nn.functional.pad({one}, (1, 0)), and of a sigmoid "
            f"{one}.logit() in its place"
        )
    return "forward=lambda net, x: ... takes them from its answer, if they are in there"


def shortened(what: object) -> str:
    """An error's first sentence, or any other text, on one line and not too long."""
    return shorten(str(what).strip().split("\n")[0].split(". ")[0].rstrip("."), 160, placeholder=" …")


def check_weights(weights: list[Tensor]) -> None:
    """InvalidInput for weights that are not there yet, or of which nothing can be differentiated."""
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
    if isinstance(x, DataLoader | Dataset):
        return torch.cat(list(samples_of(x)))
    try:
        array = np.array(x)  # a copy: torch warns of an array that may not be written to
        if array.dtype == object and hasattr(x, "columns"):  # a table of mixed or nullable columns
            array = array.astype(float)
        return torch.from_numpy(array)
    except (TypeError, ValueError) as error:
        kind = type(x).__name__
        raise InvalidInput(f"{what} must be a tensor, an array or a DataLoader, not {kind} ({shortened(error)}).") from error


def samples_of(batches: DataLoader[Any] | Dataset[Any]) -> Iterator[Tensor]:
    """What a DataLoader or Dataset gives of samples, batch by batch; InvalidInput where it gives none."""
    if isinstance(batches, Dataset):
        batches = DataLoader(batches, _AT_ONCE)
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
