"""Samples of a recorded run (`ked.record`): they lie in its folder, and all of them are test samples."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ked.data.dataset import Dataset, pixel_names
from ked.data.recorded import FILE, place
from ked.errors import Unavailable, quoted

_NONE = torch.empty(0, dtype=torch.int64)


class _About(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    title: str
    shape: list[int]
    classes: list[str]
    features: list[str]


def write(folder: Path, title: str, dataset: Dataset) -> None:
    """Keep samples in a run's folder.

    Pictures that were bytes once (multiples of 1/255) are bytes again; others are kept in half precision, as they are only looked at.
    """
    x = dataset.x.cpu()
    if dataset.is_image:
        scaled = x * 255
        whole = bool((scaled.round() / 255 == x).all()) and float(x.min()) >= 0 and float(x.max()) <= 1
        x = scaled.round().to(torch.uint8) if whole else x.half()
    about = {"title": title, "shape": list(dataset.shape), "classes": list(dataset.classes), "features": list(dataset.features)}
    (folder / FILE).write_bytes(save({"x": x.contiguous(), "y": dataset.y.cpu()}, metadata={"about": json.dumps(about)}))


def load(name: str) -> Dataset:
    """The samples of the recorded run that a name such as recorded:my-nets-1a2b3c4d stands for; `Unavailable` where they are not there."""
    return read(place(name), name)


def read(path: Path, name: str) -> Dataset:
    """The samples in a file as `write` wrote it; `Unavailable` if it is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            about = _About.model_validate_json((file.metadata() or {}).get("about", ""))
            x, y = file.get_tensor("x"), file.get_tensor("y")
        x = x.float() / 255 if x.dtype == torch.uint8 else x.float()
        return of(x, y, about.shape, about.classes, about.features, name=name)
    except FileNotFoundError:
        raise Unavailable(f"the samples of {quoted(name)} are not on this machine; import the run that recorded them.") from None
    except (SafetensorError, OSError, ValidationError, ValueError, RuntimeError) as error:
        raise Unavailable(f"{FILE} of {quoted(name)} is damaged; delete that run and record it again.") from error


def of(
    x: Tensor, y: Tensor, shape: Sequence[int], classes: Sequence[str], features: Sequence[str] | None = None, *, name: str
) -> Dataset:
    """Samples (N, D) as a data set whose only part is the test part."""
    named = features or (pixel_names(tuple(shape)) if len(shape) > 1 else tuple(f"feature {i}" for i in range(x.shape[1])))
    rows = torch.arange(len(x))
    return Dataset(name, x, y, _NONE, _NONE, rows, tuple(shape), tuple(classes), tuple(named), recorded=True)
