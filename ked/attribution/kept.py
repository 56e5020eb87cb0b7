"""Attributions of a recorded run: what was found for its first samples, in one file without nets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from ked.attribution.methods import ATTRIBUTIONS
from ked.attribution.own_nets import Attributions
from ked.attribution.quality import Curve, Measured
from ked.errors import Unavailable
from ked.nets.weights import read_tensors

FILE = "attributions.safetensors"
_PARTS = ("values", "shares", "deleted", "inserted", "numbers")


def keep(path: Path, found: Mapping[str, Attributions]) -> None:
    """Write what was found of each net ("teacher", "explaining" or a student's method)."""
    tensors: dict[str, Tensor] = {}
    for which, of_net in found.items():
        tensors[f"{which}/target"] = torch.tensor(of_net.target)
        for method, several in of_net.measured.items():
            arrays = {
                "values": [one.values for one in several],
                "shares": [one.deleted.shares for one in several],
                "deleted": [one.deleted.heights for one in several],
                "inserted": [one.inserted.heights for one in several],
                "numbers": [np.array([one.seconds, one.infidelity]) for one in several],
            }
            for part, rows in arrays.items():
                kind = np.float64 if part == "numbers" else np.float32
                tensors[f"{which}/{method}/{part}"] = torch.from_numpy(np.stack(rows).astype(kind))
    refused = {which: of_net.refused for which, of_net in found.items()}
    path.write_bytes(save(tensors, metadata={"refused": json.dumps(refused)}))


def kept(path: Path) -> dict[str, Attributions]:
    """The same again; nothing where nothing was recorded, and `Unavailable` if the file is damaged."""
    if not path.is_file():
        return {}
    tensors, metadata = read_tensors(path)
    try:
        refused = json.loads(metadata["refused"])
        whiches = [name.removesuffix("/target") for name in tensors if name.endswith("/target")]
        return {which: _of_net(which, tensors, refused.get(which, {})) for which in whiches}
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise Unavailable(f"{path.name} in {path.parent.name} is damaged; delete that run and record it again.") from error


def _of_net(which: str, tensors: Mapping[str, Tensor], refused: Mapping[str, str]) -> Attributions:
    target = tensors[f"{which}/target"].numpy()
    measured = {}
    for method in ATTRIBUTIONS:
        if f"{which}/{method}/values" in tensors:
            arrays = [tensors[f"{which}/{method}/{part}"].numpy() for part in _PARTS]
            if {len(array) for array in arrays} != {len(target)} or len({array.shape for array in arrays[1:4]}) > 1:
                raise ValueError(method)
            measured[method] = tuple(_one(*rows) for rows in zip(*arrays, strict=True))
    return Attributions(measured, target, {name: str(reason) for name, reason in refused.items()})


def _one(values: np.ndarray, shares: np.ndarray, deleted: np.ndarray, inserted: np.ndarray, numbers: np.ndarray) -> Measured:
    seconds, infidelity = (float(number) for number in numbers)
    return Measured(values, seconds, Curve(shares, deleted), Curve(shares, inserted), infidelity)
