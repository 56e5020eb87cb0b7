"""Pictures that are kept as bytes: whatever is computed with them is what it would be with their numbers, and nothing is written."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_data_class_folders import picture, zipped
from torch import Tensor

from ked import data
from ked.data import byte_pixels
from ked.data.byte_pixels import BytePixels
from ked.data.checkup import checkup
from ked.recipe import Recipe
from ked.runs.pipeline import run
from ked.store import create_run

BYTES = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (90, 12), dtype=np.uint8))
NUMBERS = BYTES.float() / 255
ROWS, COLUMNS = torch.from_numpy(np.random.default_rng(1).permutation(90)[:70]), torch.from_numpy(np.random.default_rng(2).permutation(12))
WEIGHTS = torch.from_numpy(np.random.default_rng(3).normal(size=(12, 5)).astype(np.float32))


@pytest.fixture(autouse=True)
def few() -> Iterator[None]:
    """Ten rows are many here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_pixels, "FEW", 10)
        yield


def out_of(x: Tensor) -> Tensor:
    buffer = torch.empty(30, 12)
    torch.index_select(x, 0, torch.arange(30), out=buffer)
    return buffer


LAZY: dict[str, Callable[[Tensor], Any]] = {  # what makes no numbers yet
    "a slice": lambda x: x[20:60],
    "every second": lambda x: x[::2],
    "rows": lambda x: x[ROWS],
    "rows of rows": lambda x: x[ROWS][ROWS[ROWS < 70]],
    "rows by a list": lambda x: x[ROWS.tolist()],
    "rows by numpy": lambda x: x[ROWS.numpy()],
    "rows by truth": lambda x: x[torch.arange(90) % 3 > 0],
    "rows, selected": lambda x: x.index_select(0, ROWS),
    "columns": lambda x: x.index_select(-1, COLUMNS),
    "columns of rows": lambda x: x[ROWS].index_select(1, COLUMNS)[..., 2:9],
    "a copy": lambda x: x.clone(),
    "elsewhere": lambda x: x.to("cpu").cpu().detach(),
    "the same type": lambda x: x.float(),
}
NOW: dict[str, Callable[[Tensor], Any]] = {
    "few rows": lambda x: x[ROWS][:5],
    "one row": lambda x: x[-3],
    "a row of rows": lambda x: x[ROWS][7],
    "one column": lambda x: x[:, 3],
    "the last column": lambda x: x[ROWS][:, -1],
    "one value": lambda x: x[4, 5],
    "batches": lambda x: x[ROWS[:12].view(3, 4)],
    "into a buffer": out_of,
    "a product": lambda x: x[ROWS] @ WEIGHTS,
    "a layer": lambda x: torch.nn.functional.linear(x, WEIGHTS.T),
    "parts": lambda x: torch.cat([part @ WEIGHTS for part in x[ROWS].split(13)]),
    "double": lambda x: x.double(),
    "another shape": lambda x: x.reshape(-1, 3, 4),
    "turned": lambda x: x.T,
    "together": lambda x: torch.cat([x, x[:3]]),
    "ends": lambda x: torch.stack(list(x.aminmax(dim=0))),
    "in mixed precision": lambda x: torch.autocast("cpu", torch.bfloat16)(lambda: x @ WEIGHTS)(),
    "numpy": lambda x: torch.from_numpy(np.asarray(x[ROWS])),
    "a list": lambda x: torch.tensor(x[ROWS].tolist()),
    "one after the other": lambda x: torch.stack(list(x[ROWS])),
    "in another process": lambda x: pickle.loads(pickle.dumps(x[ROWS]))[:40],
    "copied": lambda x: copy.deepcopy(x)[:40],
}


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_whatever_is_done_with_them_is_what_their_numbers_give(mode: Callable[[], Any]) -> None:
    for name, act in (LAZY | NOW).items():
        with mode():
            found, expected = act(BytePixels(BYTES)), act(NUMBERS)
            assert (found.shape, found.dtype) == (expected.shape, expected.dtype), name
            if name in LAZY:
                assert isinstance(found, BytePixels), name
                found = found.chosen()
            assert torch.equal(found, expected), name


@given(st.lists(st.integers(0, 89), min_size=11), st.lists(st.integers(0, 11), min_size=1, unique=True), st.integers(1, 40))
def test_rows_and_columns_in_any_order_and_number(rows: list[int], columns: list[int], size: int) -> None:
    which = torch.tensor(rows), torch.tensor(columns)
    found = BytePixels(BYTES)[which[0]].index_select(1, which[1])
    expected = NUMBERS[which[0]].index_select(1, which[1])
    assert torch.equal(torch.cat([part + 0 for part in found.split(size)]), expected)
    assert torch.allclose(found.mean(dim=0), expected.mean(dim=0), atol=1e-6)
    assert torch.allclose(found.std(dim=0), expected.std(dim=0), atol=1e-6)
    assert torch.allclose(found.std(dim=0, correction=0), expected.std(dim=0, correction=0), atol=1e-6)


@pytest.mark.parametrize(
    "write", [lambda x: x.div_(2), lambda x: x.__setitem__(0, 1.0), lambda x: torch.add(NUMBERS, 1, out=x), lambda x: x.zero_()]
)
def test_nothing_can_be_written_into_them(write: Callable[[Tensor], Any]) -> None:
    with pytest.raises(TypeError, match=r"kept as bytes"):
        write(BytePixels(BYTES))


def test_gradients_flow_past_them() -> None:
    weights = [WEIGHTS.clone().requires_grad_() for _ in range(2)]
    for x, weight in zip((BytePixels(BYTES), NUMBERS), weights, strict=True):
        (x @ weight).square().sum().backward()
    assert torch.equal(weights[0].grad, weights[1].grad)  # type: ignore[arg-type]


def test_batches_of_many_pictures_take_the_memory_of_a_batch() -> None:
    tracemalloc.start()
    x = BytePixels(torch.zeros(1, dtype=torch.uint8).expand(60_000, 3072))
    part = x[torch.arange(50_000)]
    assert part[torch.arange(64).view(1, 64)].shape == (1, 64, 3072)
    assert part.shape == (50_000, 3072)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


RECIPES = {
    "mlp": {"methods": ("plain", "kd", "ked", "ked+chimera", "kd+real"), "grouping": "correlation", "chimeras": 40, "chimera_epochs": 1},
    "cnn": {"methods": ("kd", "ked+sp"), "net": "small-cnn", "augment": "crop"},
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_run_on_bytes_has_the_numbers_of_one_on_floats(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "shades.zip"
    file.write_bytes(zipped({f"{part}/{'abc'[i % 3]}/{i}.png": picture(i, (8, 8, 3)) for part in ("train", "test") for i in range(30)}))
    recipe = Recipe.make(
        dataset=str(file), superfeatures=2, seeds=2, epochs=2, teacher_epochs=2, teacher_hidden=(9,), student_hidden=(8,),
        dependency_samples=10, batch_size=7, if_collapsed="continue", **RECIPES[name],
    )  # fmt: skip
    told = []
    for many in (10, 1000):
        monkeypatch.setenv("KED_HOME", str(tmp_path / str(many)))
        monkeypatch.setattr("ked.data.pixels.FEW", many)
        assert isinstance(data.load(str(file)).x, BytePixels) == (many == 10)
        events = list(run(recipe, into=create_run(recipe)))
        told.append(
            [(event["loss"], event["validation"]) for event in events if event["kind"] == "epoch"]
            + [event["accuracy"] for event in events if event["kind"] == "result"]
        )
        assert len(told[-1]) > 7
    assert told[0] == told[1]


def test_the_check_up_is_that_of_the_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "shades.zip"
    file.write_bytes(zipped({f"{'ab'[i % 2]}/{i}.png": picture(i % 17, (5, 5)) for i in range(40)}))
    found = []
    for many in (10, 1000):
        monkeypatch.setattr("ked.data.pixels.FEW", many)
        found.append(checkup(data.load(str(file))))
    assert torch.allclose(found[0].ratios, found[1].ratios, atol=1e-6)
    assert (found[0].duplicates, found[0].leaks, found[0].constant) == (found[1].duplicates, found[1].leaks, found[1].constant)
