"""Data sets: what every one of them must hold, the table of their names, and the digits that are always there."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ked import data
from ked.data import digits as digits_file
from ked.data.dataset import Dataset, pixel_names, stratified_split
from ked.errors import InvalidInput


def _tiny() -> Dataset:
    rows = torch.arange(6)
    return Dataset("tiny", torch.rand(6, 4), rows % 2, rows[:3], rows[3:4], rows[4:], (2, 2), ("a", "b"), pixel_names((2, 2)))


def test_digits_are_pixels_in_the_unit_interval_with_a_stratified_split() -> None:
    digits = data.load("digits")
    assert (digits.feature_count, digits.class_count, digits.shape, digits.is_image) == (64, 10, (8, 8), True)
    assert (float(digits.x.min()), float(digits.x.max())) == (0, 1)
    sizes = [len(digits.part(name)[0]) for name in ("train", "validation", "test")]
    assert sum(sizes) == 1797
    for size, share in zip(sizes, (0.6, 0.2, 0.2), strict=True):
        assert size == pytest.approx(share * 1797, abs=6)
    for name in ("train", "validation", "test"):
        assert int(digits.part(name)[1].bincount().min()) >= 0.09 * len(digits.part(name)[1])


def test_a_split_that_lies_together_takes_no_memory_and_one_that_does_not_is_its_own_rows() -> None:
    tiny = replace(_tiny(), train=torch.tensor([0, 3]), validation=torch.tensor([1, 2]))
    for name, rows in (("train", [0, 3]), ("validation", [1, 2]), ("test", [4, 5])):
        x, y = tiny.part(name)
        assert torch.equal(x, tiny.x[rows])
        assert y.tolist() == tiny.y[rows].tolist()
        assert (x.data_ptr() == tiny.x[rows[0]].data_ptr()) == (name != "train")


def test_splits_are_the_same_at_every_load() -> None:
    first, second = data.load("digits"), data.load("digits")
    assert torch.equal(first.train, second.train)
    assert torch.equal(first.test, second.test)


def test_digits_agree_with_their_source() -> None:
    from sklearn.datasets import load_digits

    digits, table = data.load("digits"), load_digits()
    assert torch.equal(digits.x.reshape(-1, 8, 8) * 16, torch.from_numpy(table.images).float())
    assert digits.y.tolist() == table.target.tolist()
    assert digits.classes == tuple(map(str, table.target_names))


def test_digits_come_from_scikit_learn_itself_where_it_keeps_them_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = data.load("digits")
    monkeypatch.setattr(digits_file, "_file", lambda: tmp_path / "digits.csv.gz")
    found = data.load("digits")
    assert torch.equal(found.x, known.x)
    assert torch.equal(found.y, known.y)
    assert torch.equal(found.test, known.test)


def test_a_row_of_the_table_is_a_file_in_its_folder() -> None:
    folder = Path(data.__file__).parent
    assert all((folder / f"{source.file}.py").is_file() for source in data.SOURCES.values())


def test_every_source_has_a_name_a_title_and_one_sentence() -> None:
    for name, source in data.SOURCES.items():
        assert name == source.name
        assert source.title
        assert source.description.endswith(".")
    assert len({source.title for source in data.SOURCES.values()}) == len(data.SOURCES)


def test_an_unknown_name_is_refused_with_the_allowed_ones() -> None:
    with pytest.raises(InvalidInput, match=r"'nonsense'.*digits, digit-pairs.*path"):
        data.load("nonsense")
    with pytest.raises(InvalidInput, match="'colour'"):
        data.load("digits", label="colour")
    with pytest.raises(InvalidInput, match="'holdout'"):
        _tiny().part("holdout")


# Row numbers of the three splits, as SHA-256: whatever was ever trained on these data was trained and tested on these rows.
SPLITS = {
    "digits": "c33453148e19a945",
    "digit-pairs": "25dcfb48dbf372de",
    "wine": "405b29eac8bc96dd",
    "breast-cancer": "d7611194d0cef2a9",
    "planted": "bb8e2a3344c7a5e2",
    "correlated": "77dec322bfe43fec",
}


@pytest.mark.parametrize("name", SPLITS)
def test_the_splits_of_the_data_that_come_along_never_move(name: str) -> None:
    found = data.load(name)
    rows = b"|".join(getattr(found, part).numpy().tobytes() for part in data.PARTS)
    assert hashlib.sha256(rows).hexdigest()[:16] == SPLITS[name]


def test_few_samples_are_as_many_of_each_class_as_there_are_drawn_with_the_seed() -> None:
    digits = data.load("digits")
    few = digits.few(40, seed=0)
    assert few.part("train")[1].bincount().tolist() == [4] * 10
    assert set(few.train.tolist()) <= set(digits.train.tolist())
    assert torch.equal(few.train, digits.few(40, seed=0).train)
    assert not torch.equal(few.train, digits.few(40, seed=1).train)
    assert torch.equal(few.test, digits.test)
    assert torch.equal(digits.few(len(digits.train), seed=3).train, digits.train)
    x, y = torch.rand(60, 4), torch.tensor([0] * 3 + [1] * 57)
    uneven = replace(_tiny(), x=x, y=y, train=torch.arange(50), validation=torch.arange(50, 55), test=torch.arange(55, 60))
    assert uneven.few(20, seed=0).part("train")[1].bincount().tolist() == [3, 17]  # the small class gives all it has
    with pytest.raises(InvalidInput, match=r"train_size = 51 .* 50 training samples"):
        uneven.few(51, seed=0)


def test_stratified_split_is_disjoint_complete_and_seeded() -> None:
    y = np.random.default_rng(0).integers(0, 3, 200)
    parts = stratified_split(y, (0.5, 0.3, 0.2), seed=1)
    assert sorted(torch.cat(parts).tolist()) == list(range(200))
    assert [len(part) for part in parts] == pytest.approx([100, 60, 40], abs=3)
    assert torch.equal(parts[0], stratified_split(y, (0.5, 0.3, 0.2), seed=1)[0])
    assert not torch.equal(parts[0], stratified_split(y, (0.5, 0.3, 0.2), seed=2)[0])


def test_moving_to_another_device_moves_every_tensor() -> None:
    moved = _tiny().to("meta")
    assert {getattr(moved, name).device.type for name in ("x", "y", "train", "validation", "test")} == {"meta"}
    assert moved.classes == ("a", "b")


NAN = torch.full((6, 4), float("nan"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"x": NAN}, "sample 0 has the value nan in feature 0"),
        ({"x": -NAN.nan_to_num(float("inf"))}, "-inf"),
        ({"x": torch.ones(6, 4).double()}, "float64"),
        ({"x": torch.ones(6)}, r"\(6,\)"),
        ({"x": torch.ones(0, 4)}, r"\(0, 4\)"),
        ({"y": torch.zeros(5, dtype=torch.int64)}, r"\(5,\)"),
        ({"y": torch.full((6,), 2)}, "labels run from 2 to 2"),
        ({"y": torch.full((6,), -1)}, "labels run from -1 to -1"),
        ({"train": torch.tensor([0, 4])}, "share samples"),
        ({"train": torch.tensor([2, 1])}, "sorted"),
        ({"test": torch.tensor([6])}, "outside"),
        ({"train": torch.tensor([], dtype=torch.int64)}, "empty"),
        ({"shape": (2, 3)}, r"\(2, 3\)"),
        ({"features": ("a",)}, "1 feature names"),
        ({"classes": ("a", "a")}, "different names"),
        ({"truth": ((0, 1), (1, 2, 3))}, "true groups"),
        ({"truth": ((0, 1), (2,))}, "true groups"),
    ],
)
def test_a_dataset_that_does_not_fit_together_cannot_exist(change: dict, named: str) -> None:
    with pytest.raises(InvalidInput, match=named) as refusal:
        replace(_tiny(), **change)
    assert "'tiny'" in str(refusal.value)


def test_an_empty_validation_split_is_allowed() -> None:
    assert len(replace(_tiny(), validation=torch.tensor([], dtype=torch.int64)).part("validation")[0]) == 0


def test_pixels_are_named_in_the_order_of_the_features() -> None:
    assert pixel_names((2, 2)) == ("row 0, column 0", "row 0, column 1", "row 1, column 0", "row 1, column 1")
    assert pixel_names((3, 1, 1))[2] == "channel 2, row 0, column 0"
    assert pixel_names((2,)) == ("column 0", "column 1")
