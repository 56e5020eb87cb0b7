"""Whether a run's nets fit into memory: asked before anything is allocated, as who runs out of memory has waited for nothing.

Counted is what is there at the same time while a net trains: per parameter its value, its gradient and Adam's two moments, and copies
of value and moments while they are written; per sample of a batch what the backward pass needs. All in float32, for the black boxes;
explaining nets have no more parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch

from ked.data import Dataset
from ked.errors import InvalidInput
from ked.files import machine
from ked.nets.cnn.stack import ConvStack
from ked.recipe import Recipe, Who

_SHARE = 0.8  # of the memory that is there: data, program and others need some
_COPIES = 9  # of each parameter, as measured: 4 while it trains, 5 more while an epoch is written
_FLOAT = 4  # bytes


def check(recipe: Recipe, dataset: Dataset, device: torch.device) -> None:
    """Refuse nets that cannot train on this machine.

    Raises:
        InvalidInput: With one sentence, which says what would fit.
    """
    there = int(_SHARE * total(device))
    for who, replicas in (("teacher", 1), ("student", recipe.seeds)):
        size = _sized(recipe, dataset, who)  # type: ignore[arg-type]
        if size(recipe, replicas) > there:
            takes = f"to train {f'{replicas} {who}s' if replicas > 1 else f'the {who}'} takes about {_gigabytes(size(recipe, replicas))}"
            fits = next((text for text, other, few in _smaller(recipe, who, replicas) if size(other, few) <= there), "a smaller net")
            where = "this machine" if device.type == "cpu" else f"device {device}"
            raise InvalidInput(f"{takes} of memory, and {where} can give {_gigabytes(there)}; {fits} would fit.")


def total(device: torch.device) -> int:
    """Bytes of memory of a device, or of the machine or container that this process runs in."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return machine.memory()


Size = Callable[[Recipe, int], int]
"""Bytes that a recipe's nets take, with so many replicas."""


def _sized(recipe: Recipe, dataset: Dataset, who: Who) -> Size:
    """How the size of the teacher or of the students is counted."""
    count = len(dataset.part("train")[1])
    samples = max(count, recipe.chimeras) if any(method.further for method in recipe.method_rows) else count
    if not recipe.convolutional:
        return lambda asked, replicas: replicas * _mlp(asked, dataset, who, min(asked.batch_for(who, count), samples))
    one = _Picture.of(recipe, dataset, who)
    return lambda asked, replicas: replicas * one.bytes(min(asked.batch_for(who, count), samples))


def _mlp(recipe: Recipe, dataset: Dataset, who: Who, batch: int) -> int:
    hidden = recipe.teacher_hidden if who == "teacher" else recipe.student_hidden
    widths = (dataset.feature_count, *hidden, dataset.class_count)
    parameters = sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(widths))
    return _FLOAT * (_COPIES * parameters + batch * (widths[0] + 2 * sum(widths[1:])))


@dataclass(frozen=True)
class _Picture:
    """A convolutional net: its parameters, and the bytes that one picture leaves for the backward pass."""

    parameters: int
    kept: int

    @classmethod
    def of(cls, recipe: Recipe, dataset: Dataset, who: Who) -> _Picture:
        net = ConvStack(recipe.net_of(who), dataset.shape, dataset.class_count)
        return cls(net.parameter_count, (_kept(net, 4) - _kept(net, 2)) // 2)  # batch norm needs more than one

    def bytes(self, batch: int) -> int:
        return _FLOAT * _COPIES * self.parameters + batch * self.kept


def _kept(net: ConvStack, batch: int) -> int:
    """Bytes that a forward pass of so many samples keeps; what several steps share counts once."""
    found: dict[int, torch.UntypedStorage] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        found[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        net.subnet_log_probabilities(net.arrange(torch.zeros(batch, math.prod(net.shape))))
    return sum(storage.nbytes() for storage in found.values())


def _smaller(recipe: Recipe, who: str, replicas: int) -> Iterator[tuple[str, Recipe, int]]:
    """What a smaller run would set, in words and as a recipe with its replicas; what changes least comes first."""
    for few in range(replicas - 1, 0, -1):
        yield f"seeds = {few}", recipe, few
    if recipe.convolutional:
        name = "batch_size" if who == "student" else "teacher_batch_size"
        for size in (256, 128, 64, 32, 16, 8, 4, 2, 1):
            yield f"{name} = {size}", recipe.without(**{name: size}), replicas
        return
    name = f"{who}_hidden"
    for step in range(1, 200):
        widths = tuple(max(1, int(width * 0.9**step)) for width in getattr(recipe, name))
        yield f"{name} = {','.join(map(str, widths))}", recipe.without(**{name: widths}), replicas


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.3g} GB"
