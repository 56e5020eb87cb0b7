"""Where a training stands: weights, the optimiser's state and the epochs so far, so that it can go on with the same numbers."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from ked.errors import Unavailable
from ked.weights import read_tensors


@dataclass(frozen=True)
class Checkpoint:
    """The file that a training's state is kept in. Batch orders depend on seed and epoch alone, so they need no place.

    Attributes:
        path: The safetensors file.
        key: Of the stage: a state of other settings is never taken for this one's.
        net: All modules that train, as one.
        optimiser: Over their parameters.
    """

    path: Path
    key: str
    net: nn.Module
    optimiser: torch.optim.Optimizer

    def write(self, epochs: list[dict[str, Any]]) -> None:
        """Replace the file by the state after the last of `epochs` (one JSON-able event an epoch), in one step."""
        tensors = {f"net.{name}": tensor for name, tensor in self.net.state_dict().items()}
        for index, parameter in enumerate(self._parameters()):
            for name, value in self.optimiser.state[parameter].items():
                tensors[f"optimiser.{index}.{name}"] = value
        plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        self.path.parent.mkdir(exist_ok=True)
        draft = self.path.with_suffix(".draft")
        draft.write_bytes(save(plain, metadata={"key": self.key, "epochs": json.dumps(epochs)}))
        os.replace(draft, self.path)

    def restore(self) -> list[dict[str, Any]]:
        """Put net and optimiser back to the saved state and return its epochs; without one nothing changes: [].

        A file that is damaged, or of other settings, counts as none: the training then starts from its beginning.
        """
        try:
            tensors, metadata = read_tensors(self.path)
            if metadata.get("key") != self.key:
                return []
            epochs: list[dict[str, Any]] = json.loads(metadata["epochs"])
            weights = {name.removeprefix("net."): tensor for name, tensor in tensors.items() if name.startswith("net.")}
            shapes = {name: tensor.shape for name, tensor in self.net.state_dict().items()}
            if {name: tensor.shape for name, tensor in weights.items()} != shapes:
                return []
            state = self._state(tensors)
            groups = self.optimiser.state_dict()["param_groups"]
            self.net.load_state_dict(weights)
            self.optimiser.load_state_dict({"state": state, "param_groups": groups})
        except (Unavailable, KeyError, ValueError, RuntimeError):
            return []
        return epochs

    def _parameters(self) -> list[nn.Parameter]:
        return [parameter for group in self.optimiser.param_groups for parameter in group["params"]]

    def _state(self, tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
        state: dict[int, dict[str, Tensor]] = {index: {} for index in range(len(self._parameters()))}
        for key, tensor in tensors.items():
            if key.startswith("optimiser."):
                _, index, name = key.split(".", 2)
                state[int(index)][name] = tensor
        return state
