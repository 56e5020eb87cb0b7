"""Nets and matrices as safetensors files: nothing is ever unpickled."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ked.errors import Unavailable
from ked.nets import SubnetStack


def save_stack(path: Path, stack: SubnetStack) -> None:
    """Write a stack's weights with what is needed to build it again."""
    shape = {
        "groups": stack.groups if len(stack.groups) > 1 else len(stack.order),
        "hidden": stack.hidden,
        "classes": stack.classes,
        "replicas": stack.replicas,
        "activation": stack.activation,
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in stack.state_dict().items()}
    path.write_bytes(save(tensors, metadata={"stack": json.dumps(shape)}))


def load_stack(path: Path) -> SubnetStack:
    """A stack as `save_stack` wrote it, on the CPU, in eval mode; `Unavailable` if the file is missing or damaged."""
    tensors, metadata = read_tensors(path)
    try:
        shape = json.loads(metadata["stack"])
        groups = shape["groups"] if isinstance(shape["groups"], list) else [range(shape["groups"])]
        stack = SubnetStack(
            groups, shape["hidden"], shape["classes"], replicas=shape["replicas"], activation=shape["activation"]
        )
        stack.to(tensors["base"].dtype).load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _damaged(path) from error
    return stack.eval()


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
        raise Unavailable(f"{path.name} is missing in {path.parent.name}; the run has not got that far.") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> Unavailable:
    return Unavailable(f"{path.name} in {path.parent.name} is damaged; delete that run and start it again.")
