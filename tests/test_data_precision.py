"""Own tables are read, and standardised, in double precision: what differs in the file differs for the nets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from refusals import refused
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from explorer.words import data as data_words
from ked import data
from ked.data import Dataset, tabular
from ked.data.checkup import checkup
from ked.recipe import Recipe
from ked.store import Run

N = 400
Y = np.arange(N) % 2
RNG = np.random.default_rng(0)


def csv_of(path: Path, x: np.ndarray, names: str = "a,b") -> Path:
    rows = "\n".join(f"{a!r},{b!r},{y}" for (a, b), y in zip(x.tolist(), Y.tolist(), strict=True))
    path.write_text(f"{names},label\n{rows}\n")
    return path


def npz_of(path: Path, x: np.ndarray) -> Path:
    np.savez_compressed(path, x=x, y=Y[: len(x)])
    return path


def seconds() -> np.ndarray:
    """As `timestamps.csv`: Unix seconds of some minutes, which alone tell the class, beside noise."""
    time = 1_790_000_000 + np.where(Y == 1, -1, 1) * RNG.integers(10, 60, N)
    return np.column_stack([time, RNG.normal(size=N).round(4)])


def accuracy(train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> float:
    return float(LogisticRegression().fit(*train).score(*test))


def parts(table: Dataset) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(x.double().numpy(), y.numpy()) for x, y in (table.part("train"), table.part("test"))]


@pytest.mark.parametrize("write", [csv_of, npz_of])
def test_the_seconds_of_a_day_tell_as_much_as_in_double_precision(tmp_path: Path, write) -> None:
    x = seconds()
    table = data.load(str(write(tmp_path / f"t.{'csv' if write is csv_of else 'npz'}", x)))
    train, test = (rows.numpy() for rows in (table.train, table.test))
    scaler = StandardScaler().fit(x[train])
    double = accuracy((scaler.transform(x[train]), Y[train]), (scaler.transform(x[test]), Y[test]))
    assert double == 1
    assert accuracy(*parts(table)) == double
    assert len(table.x[:, 0].unique()) == len(np.unique(x[:, 0])) > 90
    assert np.abs(table.x.numpy() - scaler.transform(x)).max() < 1e-5
    assert checkup(table).constant == ()
    assert not any("never change" in sentence for _, sentence in data_words.remarks(table, checkup(table)))
    assert np.allclose(table.original(torch.arange(N))[:, 0].numpy(), x[:, 0], rtol=0, atol=1e-3)  # milliseconds


def test_a_teacher_learns_from_the_seconds_of_a_day(tmp_path: Path, small_recipe: Recipe, finish: Callable[[Recipe], Run]) -> None:
    path = csv_of(tmp_path / "t.csv", seconds())
    run = finish(small_recipe.without(dataset=str(path), methods=("plain",), superfeatures=2, teacher_epochs=30, epochs=1, seeds=1))
    assert run.info["summary"]["accuracy"]["teacher"] > 0.95


OFFSETS = {
    "seconds": (1.79e9, 1.0),
    "milliseconds": (1.79e12, 1.0),
    "nanoseconds": (1.79e18, 2.0**20),
    "a tiny spread": (5.0, 1e-12),
    "a tiny spread far out": (-1e15, 4.0),
    "tiny values": (0.0, 1e-200),
    "the tiniest values": (0.0, 1e-310),
    "beyond single precision": (0.0, 1e45),
    "beyond its squares": (1e200, 1e200),
    "the largest values": (0.0, 4e307),
}


@pytest.mark.parametrize("case", OFFSETS)
@pytest.mark.parametrize("write", [csv_of, npz_of])
def test_a_column_is_standardised_wherever_its_values_lie(case: str, write, tmp_path: Path) -> None:
    offset, spread = OFFSETS[case]
    steps = RNG.permutation(N) % 9 - 4.0  # whole numbers, exact in every case
    x = np.column_stack([offset + steps * spread, steps])
    table = data.load(str(write(tmp_path / f"t.{'csv' if write is csv_of else 'npz'}", x)))
    assert (table.x[:, 0] - table.x[:, 1]).abs().max() < (1e-3 if case in ("a tiny spread", "the tiniest values") else 1e-6)
    assert len(table.x[:, 0].unique()) == 9


INTEGERS = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64, np.dtype(">i4"), np.dtype(">u8")]


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_whole_numbers_of_every_width_are_told_apart_up_to_the_largest(dtype, tmp_path: Path) -> None:
    largest = np.iinfo(dtype).max
    steps = RNG.permutation(N) % 100
    x = np.column_stack([largest - steps.astype(dtype), steps.astype(dtype)]).astype(dtype)
    assert int(x[:, 0].max()) == largest
    table = data.load(str(npz_of(tmp_path / "t.npz", x)))
    assert torch.allclose(table.x[:, 0], -table.x[:, 1], atol=1e-6)
    assert len(table.x[:, 0].unique()) == 100


def test_the_whole_range_of_whole_numbers_is_one_column(tmp_path: Path) -> None:
    low, high = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    x = np.column_stack([np.where(Y == 1, low, high), Y])
    table = data.load(str(npz_of(tmp_path / "t.npz", x)))
    assert torch.allclose(table.x[:, 0], -table.x[:, 1])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.dtype(">f8"), bool], ids=str)
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_kind_of_number_in_either_order_is_the_same_table(dtype, order: str, tmp_path: Path) -> None:
    steps = RNG.permutation(N) % 2 if dtype is bool else RNG.permutation(N) % 9
    x = np.column_stack([steps, steps[::-1]])
    table = data.load(str(npz_of(tmp_path / "t.npz", np.asarray(x.astype(dtype), order=order))))
    train = x[table.train.numpy()]
    assert np.allclose(table.x.numpy(), (x - train.mean(0)) / train.std(0), atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 1e9 + 0.1, -1.79e18, 1e300, 1e-300, 5e-324, 1.7e308])
def test_a_column_that_is_constant_in_training_is_only_shifted(value: float) -> None:
    x = np.array([[value], [value], [value]])
    scaled, mean, deviation = tabular.standardised(x, torch.tensor([0, 1]))
    assert (scaled.tolist(), mean.tolist(), deviation.tolist()) == ([[0], [0], [0]], [value], [1])
    x = np.array([[1e9 + 0.1, 0.0], [1e9 + 0.1, 0.0], [1e9 + 3.1, 5.0]])
    assert tabular.standardised(x, torch.tensor([0, 1]))[0].tolist() == [[0, 0], [0, 0], [3, 5]]


def test_a_constant_and_huge_column_is_said_to_never_change_and_harms_no_other(tmp_path: Path) -> None:
    x = np.column_stack([np.full(N, 1.2345678901234567e30), RNG.normal(size=N)])
    table = data.load(str(csv_of(tmp_path / "t.csv", x)), keep=("a",))
    assert table.x[:, 0].eq(0).all()
    assert checkup(table).constant == (0,)


@pytest.mark.parametrize("far", [1e60, -1e60, 1.7e308])
def test_a_value_too_far_out_for_single_precision_is_refused_with_its_column(far: float, tmp_path: Path) -> None:
    x = RNG.normal(size=(N, 2))
    held_out = data.load(str(csv_of(tmp_path / "t.csv", x))).test[0].item()
    x[held_out, 1] = far
    refused(csv_of(tmp_path / "t.csv", x, "a,height"), rf"value of sample {held_out} in the column 'height' lies too far.*leave it out")
    refused(npz_of(tmp_path / "t.npz", x), "in the column 'feature 1' lies too far")


def test_what_is_not_finite_in_double_precision_is_refused_and_what_only_sums_to_infinity_is_not(tmp_path: Path) -> None:
    x = np.column_stack([np.where(RNG.permutation(N) % 3 == 0, 1.7e308, 1.6e308), Y])
    assert len(data.load(str(npz_of(tmp_path / "t.npz", x))).x[:, 0].unique()) == 2
    x[7, 1] = -np.inf
    refused(npz_of(tmp_path / "t.npz", x), r"x holds -inf at \(7, 1\), but all values must be finite")
    gap = data.load(str(csv_of(tmp_path / "t.csv", np.where(x == x[7, 1], 1e999, x))))  # in a table what is not finite is a gap
    assert gap.features == ("a", "b", "b missing")
    assert (gap.original(torch.arange(N))[:, 2].round() == 1).nonzero().tolist() == [[7]]


def test_a_column_comes_out_the_same_alone_and_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.column_stack([seconds(), RNG.normal(3, 1e-9, (N, 9)), RNG.normal(size=(N, 31))])
    whole = tabular.standardised(x, torch.arange(0, N, 2))
    monkeypatch.setattr(tabular, "_BLOCK", 4 * N)
    for one, other in zip(whole, tabular.standardised(x, torch.arange(0, N, 2)), strict=True):
        assert np.array_equal(one, other)


def test_the_tables_that_come_along_are_bit_by_bit_what_they_were() -> None:
    """So no key and no result of a preset or a study moves: they were standardised by these two lines."""
    from sklearn import datasets

    for name in ("wine", "breast-cancer"):
        source = getattr(datasets, f"load_{name.replace('-', '_')}")().data
        table = data.load(name)
        rows = source[table.train.numpy()]
        assert np.array_equal(table.x.numpy(), ((source - rows.mean(0)) / rows.std(0)).astype(np.float32))
        assert np.array_equal(np.stack(table.units), np.stack([rows.mean(0), rows.std(0)]))
        assert data.fingerprint(name) == name
