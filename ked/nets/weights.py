"""Nets and matrices as safetensors files: nothing is ever unpickled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ked.errors import Unavailable
from ked.nets.cnn.stack import ConvStack
from ked.nets.stack import Stack
from ked.nets.subnets import SubnetStack

HEARD = "heard"
"""The entry of a file's metadata that says that it holds what a net said, and no net (`ked.heard`)."""

NOT_KEPT = "This run was recorded: what its nets said is kept, but not the nets themselves, and this would have to ask them."
_KINDS: dict[str, type[SubnetStack] | type[ConvStack]] = {"stack": SubnetStack, "convolutional": ConvStack}


def save_stack(path: Path, stack: Stack) -> None:
    """Write a stack's weights, as safetensors, with what is needed to build it again.

    >>> import tempfile
    >>> from ked.nets import mlp
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_stack(Path(folder, "net.safetensors"), mlp(4, [8], 3))
    ...     load_stack(Path(folder, "net.safetensors")).hidden
    (8,)
    """
    kind = next(kind for kind, form in _KINDS.items() if isinstance(stack, form))
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in stack.state_dict().items()}
    path.write_bytes(save(tensors, metadata={kind: json.dumps(stack.config)}))


def load_stack(path: Path) -> Stack:
    """A stack as `save_stack` wrote it, on the CPU, in eval mode; `Unavailable` if the file is missing or damaged.

    >>> from ked import load_run
    >>> load_stack(load_run("digits-preset").folder / "teacher.safetensors").classes
    10
    """
    tensors, metadata = read_tensors(path)
    if HEARD in metadata:
        raise Unavailable(NOT_KEPT)
    try:
        kind = next(kind for kind in _KINDS if kind in metadata)
        stack = _built(_KINDS[kind], json.loads(metadata[kind]), tensors)
        stack.to(tensors["base"].dtype).load_state_dict(tensors)
    except (StopIteration, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _damaged(path) from error
    return stack.eval()


def _built(form: type[SubnetStack] | type[ConvStack], config: dict[str, Any], tensors: dict[str, Tensor]) -> Stack:
    """The net of a file's metadata, once it is sure that it takes no more memory than the file's own tensors."""
    if max(_numbers(config), default=0) > sum(tensor.numel() for tensor in tensors.values()):
        raise ValueError("a size in the metadata is larger than the file")
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in form(**config).state_dict().items()}
    if shapes != {name: tensor.shape for name, tensor in tensors.items()}:
        raise ValueError("the metadata describe other tensors")
    return form(**config)


def _numbers(value: Any) -> Iterator[float]:
    """All numbers in a JSON value."""
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _numbers(part)


def save_matrix(path: Path, name: str, matrix: Tensor) -> None:
    """Write one tensor under a name."""
    path.write_bytes(save({name: matrix.detach().cpu().contiguous()}))


def load_matrix(path: Path, name: str) -> Tensor:
    """One tensor by name, on the CPU; `Unavailable` if the file is missing or damaged."""
    tensors, _ = read_tensors(path)
    if name not in tensors:
        raise _damaged(path)
    return tensors[name]


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors of a file and its metadata, on the CPU; `Unavailable` if the file is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: torch.clone(file.get_tensor(name)) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except FileNotFoundError:
        raise Unavailable(f"{path.name} is missing in {path.parent.name}; the run has not got that far, or it was removed.") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> Unavailable:
    return Unavailable(f"{path.name} in {path.parent.name} is damaged; delete that run and start it again.")
