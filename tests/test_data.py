"""Data sets: what they hold, where they are found, and how damaged or missing ones are refused."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import oracles
import pytest
import torch

from ked import data
from ked.data import fashion_mnist
from ked.data.dataset import Dataset, pixel_names, stratified_split
from ked.errors import InvalidInput, Unavailable

SIZES = (600, 100)  # training and test pictures in the small files that the tests write


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Fashion-MNIST and without a network; returns $KED_HOME."""
    monkeypatch.delenv("KED_DATA", raising=False)
    monkeypatch.setenv("KED_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", tmp_path / "no-such-folder")

    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("torchvision.datasets.mnist.download_and_extract_archive", offline)
    return tmp_path / "home"


def _write(folder: Path) -> Path:
    """The four files in the real format, with few pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    for n, images, labels in zip(SIZES, fashion_mnist.FILES[::2], fashion_mnist.FILES[1::2], strict=True):
        oracles.write_idx(folder / images, generator.integers(0, 256, (n, 28, 28)))
        oracles.write_idx(folder / labels, np.arange(n) % 10)
    return folder


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


def test_splits_are_the_same_at_every_load() -> None:
    first, second = data.load("digits"), data.load("digits")
    assert torch.equal(first.train, second.train)
    assert torch.equal(first.test, second.test)


def test_digits_agree_with_their_source() -> None:
    from sklearn.datasets import load_digits

    digits, table = data.load("digits"), load_digits()
    assert torch.equal(digits.x.reshape(-1, 8, 8) * 16, torch.from_numpy(table.images).float())
    assert digits.y.tolist() == table.target.tolist()


@pytest.mark.parametrize("below", ["", "FashionMNIST/raw", "fashion-mnist"])
def test_fashion_mnist_is_found_in_the_users_folder(nowhere: Path, below: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _write(nowhere.parent / "mine" / below)
    monkeypatch.setenv("KED_DATA", str(nowhere.parent / "mine"))
    before = sorted(path.name for path in folder.iterdir())
    fashion = data.load("fashion-mnist")
    assert fashion.x.shape == (700, 784)
    assert [len(rows) for rows in (fashion.train, fashion.validation, fashion.test)] == [300, 300, 100]
    assert fashion.test.tolist() == list(range(600, 700))
    assert sorted(path.name for path in folder.iterdir()) == before  # only read, never written to
    assert not nowhere.exists()


def test_fashion_mnist_is_found_in_the_system_and_in_our_own_folder(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = _write(nowhere / "data" / "FashionMNIST" / "raw")
    assert fashion_mnist.find() == own
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", _write(nowhere.parent / "system"))
    assert fashion_mnist.find() == nowhere.parent / "system"


def test_fashion_mnist_pixels_and_labels_are_those_in_the_files(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _write(nowhere.parent / "mine")
    monkeypatch.setenv("KED_DATA", str(folder))
    fashion = data.load("fashion-mnist")
    raw = gzip.decompress((folder / fashion_mnist.FILES[0]).read_bytes())[16:]
    assert torch.equal(fashion.x[:600], torch.tensor(list(raw), dtype=torch.float32).reshape(600, 784) / 255)
    assert fashion.y[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


def test_fashion_mnist_class_names_are_those_of_torchvision() -> None:
    from torchvision.datasets import FashionMNIST

    assert list(fashion_mnist.CLASSES) == FashionMNIST.classes


def test_the_real_fashion_mnist_has_the_official_test_split() -> None:
    if fashion_mnist.find() is None:
        pytest.skip("Fashion-MNIST is not on this machine: install Debian's dataset-fashion-mnist or set KED_DATA")
    fashion = data.load("fashion-mnist")
    assert [len(rows) for rows in (fashion.train, fashion.validation, fashion.test)] == [55_000, 5_000, 10_000]
    assert fashion.part("validation")[1].bincount().tolist() == [500] * 10
    assert fashion.part("test")[1][:5].tolist() == [9, 2, 1, 1, 6]


def test_offline_without_the_files_one_sentence_says_which_files_go_where(nowhere: Path) -> None:
    with pytest.raises(Unavailable) as refusal:
        data.load("fashion-mnist")
    assert all(name in str(refusal.value) for name in (*fashion_mnist.FILES, "KED_DATA", str(nowhere)))
    assert "\n" not in str(refusal.value)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _not_gzip(path: Path) -> None:
    path.write_bytes(b"<html>not found</html>")


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def _wrong_magic(path: Path) -> None:
    path.write_bytes(gzip.compress(b"\0\0\x0d\1" + gzip.decompress(path.read_bytes())[4:]))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _header_only(path: Path) -> None:
    path.write_bytes(gzip.compress(b"\0\0\x08\3\0\0"))


def _no_sides(path: Path) -> None:
    path.write_bytes(gzip.compress(b"\0\0\x08\0\7"))


def _values_missing(path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1]))


def _other_count(path: Path) -> None:
    oracles.write_idx(path, np.zeros(7))


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize(
    "damage", [_cut, _not_gzip, _flipped, _wrong_magic, _empty, _header_only, _no_sides, _values_missing, _other_count]
)
def test_a_damaged_file_is_named_in_one_sentence(nowhere: Path, monkeypatch: pytest.MonkeyPatch, damage, number: int) -> None:
    folder = _write(nowhere.parent / "mine")
    monkeypatch.setenv("KED_DATA", str(folder))
    damage(folder / fashion_mnist.FILES[number])
    with pytest.raises(Unavailable, match="damaged") as refusal:
        data.load("fashion-mnist")
    assert fashion_mnist.FILES[number - number % 2].split("-")[0] in str(refusal.value)


def test_a_label_out_of_range_is_refused(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _write(nowhere.parent / "mine")
    monkeypatch.setenv("KED_DATA", str(folder))
    oracles.write_idx(folder / fashion_mnist.FILES[3], np.arange(100) % 11)
    with pytest.raises(Unavailable, match="label 10"):
        data.load("fashion-mnist")


def test_an_unknown_name_is_refused_with_the_allowed_ones() -> None:
    with pytest.raises(InvalidInput, match=r"'nonsense'.*digits, fashion-mnist"):
        data.load("nonsense")
    with pytest.raises(InvalidInput, match="'colour'"):
        data.load("digits", label="colour")
    with pytest.raises(InvalidInput, match="'holdout'"):
        _tiny().part("holdout")


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
