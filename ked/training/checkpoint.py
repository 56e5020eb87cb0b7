"""Where a training stands: weights, the optimiser's state and the epochs so far, so that it can go on with the same numbers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from ked.errors import Unavailable
from ked.nets.weights import read_tensors


@dataclass(frozen=True)
class Checkpoint:
    """The file that a training's state is kept in. Batch orders depend on seed and epoch alone, so they need no place.

    Attributes:
        path: The safetensors file.
        key: Of the stage as it was trained up to the end of an epoch: a state of other settings is never taken for this one's.
        net: All modules that train, as one.
        optimiser: Over their parameters.
    """

    path: Path
    key: Callable[[int], str]
    net: nn.Module
    optimiser: torch.optim.Optimizer

    def write(self, epoch: int, told: Sequence[str]) -> None:
        """Replace the file by the state after an epoch, in one step.

        Args:
            epoch: Its number.
            told: The stage's events so far, each as JSON text: an epoch then costs only its own events' encoding.
        """
        tensors = {f"net.{name}": tensor for name, tensor in self.net.state_dict().items()}
        for index, parameter in enumerate(self._parameters()):
            for name, value in self.optimiser.state[parameter].items():
                tensors[f"optimiser.{index}.{name}"] = value
        plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        self.path.parent.mkdir(exist_ok=True)
        draft = self.path.with_suffix(".draft")
        metadata = {"key": self.key(epoch), "epoch": str(epoch), "events": f"[{','.join(told)}]"}
        draft.write_bytes(save(plain, metadata=metadata))
        os.replace(draft, self.path)

    def restore(self) -> tuple[int, list[dict[str, Any]]]:
        """Put net and optimiser back to the saved state; its epoch and events. Without one nothing changes: (0, []).

        A file that is damaged, or of other settings, counts as none: the training then starts from its beginning.
        """
        try:
            tensors, metadata = read_tensors(self.path)
            epoch = int(metadata["epoch"])
            if metadata["key"] != self.key(epoch):
                return 0, []
            events: list[dict[str, Any]] = json.loads(metadata["events"])
            weights = {name.removeprefix("net."): tensor for name, tensor in tensors.items() if name.startswith("net.")}
            shapes = {name: tensor.shape for name, tensor in self.net.state_dict().items()}
            if {name: tensor.shape for name, tensor in weights.items()} != shapes:
                return 0, []
            state = self._state(tensors)
            groups = self.optimiser.state_dict()["param_groups"]
            self.net.load_state_dict(weights)
            self.optimiser.load_state_dict({"state": state, "param_groups": groups})
        except (Unavailable, KeyError, ValueError, RuntimeError):
            return 0, []
        return epoch, events

    def _parameters(self) -> list[nn.Parameter]:
        return [parameter for group in self.optimiser.param_groups for parameter in group["params"]]

    def _state(self, tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
        state: dict[int, dict[str, Tensor]] = {index: {} for index in range(len(self._parameters()))}
        for key, tensor in tensors.items():
            if key.startswith("optimiser."):
                _, index, name = key.split(".", 2)
                state[int(index)][name] = tensor
        return state
