"""A small table of flowers, as files in every form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ked import data
from ked.data import Dataset

N = 60
RNG = np.random.default_rng(0)
LENGTH = RNG.normal(5, 1, N).round(3)
WIDTH = RNG.integers(1, 9, N)
SPECIES = np.array(["rose", "tulip", "aster"])[RNG.permutation(N) % 3]


def frame(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"length": LENGTH, "width": WIDTH, **columns, "species": SPECIES})


def loaded(
    path: Path, content: pd.DataFrame | str | bytes, label: str | None = "species", **asked: tuple[str, ...]
) -> Dataset:
    if isinstance(content, pd.DataFrame):
        content.to_csv(path, index=False)
    elif isinstance(content, str):
        path.write_text(content, "utf-8")
    else:
        path.write_bytes(content)
    return data.load(str(path), label, **asked)


def same(found: Dataset) -> None:
    """The table of length, width and species that every file here holds, with every value where it was."""
    assert found.features == ("length", "width")
    assert found.classes == ("aster", "rose", "tulip")
    assert [found.classes[y] for y in found.y] == SPECIES.tolist()
    assert np.allclose(found.original(torch.arange(N)).numpy(), np.column_stack([LENGTH, WIDTH]), rtol=0, atol=1e-5)


def text(separator: str = ",", decimal: str = ".", quote: str = '"', **more: object) -> str:
    given = frame()
    given["species"] = quote + given["species"] + quote
    return given.to_csv(index=False, sep=separator, decimal=decimal, quoting=3, quotechar="\0", **more)
