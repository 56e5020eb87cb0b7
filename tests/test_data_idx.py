"""MNIST, Fashion-MNIST and the two side by side: where their IDX files are found, what is in them, and how damage is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import oracles
import pytest
import torch

from ked import data
from ked.data import fashion_mnist, idx, mnist
from ked.errors import Unavailable

SIZES = (600, 100)  # training and test pictures in the small files that the tests write


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without the data sets and without a network; returns $KED_HOME."""
    monkeypatch.delenv("KED_DATA", raising=False)
    monkeypatch.setenv("KED_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", tmp_path / "no-such-folder")

    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("torchvision.datasets.mnist.download_and_extract_archive", offline)
    return tmp_path / "home"


def _write(folder: Path, seed: int = 0) -> Path:
    """The four files in the real format, with few pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    for n, images, labels in zip(SIZES, idx.FILES[::2], idx.FILES[1::2], strict=True):
        oracles.write_idx(folder / images, generator.integers(0, 256, (n, 28, 28)))
        oracles.write_idx(folder / labels, (np.arange(n) + seed) % 10)
    return folder


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
    raw = gzip.decompress((folder / idx.FILES[0]).read_bytes())[16:]
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
    assert all(name in str(refusal.value) for name in (*idx.FILES, "KED_DATA", str(nowhere)))
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
    damage(folder / idx.FILES[number])
    with pytest.raises(Unavailable, match="damaged") as refusal:
        data.load("fashion-mnist")
    assert idx.FILES[number - number % 2].split("-")[0] in str(refusal.value)


def test_a_label_out_of_range_is_refused(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _write(nowhere.parent / "mine")
    monkeypatch.setenv("KED_DATA", str(folder))
    oracles.write_idx(folder / idx.FILES[3], np.arange(100) % 11)
    with pytest.raises(Unavailable, match="label 10"):
        data.load("fashion-mnist")


@pytest.mark.parametrize("below", ["MNIST/raw", "mnist"])
def test_mnist_is_found_below_the_users_folder(nowhere: Path, below: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(nowhere.parent / "mine" / below, seed=3)
    monkeypatch.setenv("KED_DATA", str(nowhere.parent / "mine"))
    digits = data.load("mnist")
    assert (digits.name, digits.shape, digits.classes) == ("mnist", (28, 28), tuple("0123456789"))
    assert [len(rows) for rows in (digits.train, digits.validation, digits.test)] == [300, 300, 100]
    assert digits.y[:3].tolist() == [3, 4, 5]


def test_mnist_is_found_in_our_own_folder(nowhere: Path) -> None:
    assert mnist.find() is None
    assert _write(nowhere / "data" / "MNIST" / "raw") == mnist.find()


def test_fashion_mnists_files_in_the_users_folder_are_not_taken_for_mnist(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _write(nowhere.parent / "mine")
    _write(folder / "mnist", seed=1)
    monkeypatch.setenv("KED_DATA", str(folder))
    assert (fashion_mnist.find(), mnist.find()) == (folder, folder / "mnist")


def test_offline_without_mnist_one_sentence_says_which_files_go_where(nowhere: Path) -> None:
    for name in ("mnist", "mnist+fashion-mnist"):
        with pytest.raises(Unavailable) as refusal:
            data.load(name)
        wanted = (*idx.FILES, "KED_DATA", "folder mnist", str(nowhere / "data" / "MNIST" / "raw"))
        assert all(part in str(refusal.value) for part in wanted)


@pytest.fixture
def both(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KED_DATA", str(nowhere.parent / "mine"))
    _write(nowhere.parent / "mine" / "mnist", seed=1)
    _write(nowhere.parent / "mine" / "fashion-mnist", seed=2)


@pytest.mark.usefixtures("both")
def test_a_pair_is_a_digit_beside_a_garment_of_the_same_split() -> None:
    pairs, digits, garments = data.load("mnist+fashion-mnist"), data.load("mnist"), data.load("fashion-mnist")
    assert (pairs.shape, pairs.class_count, pairs.feature_count) == ((28, 56), 100, 1568)
    for part in ("train", "validation", "test"):
        x, y = pairs.part(part)
        halves = x.reshape(-1, 28, 56).split(28, dim=2)
        for half, source, label in zip(halves, (digits, garments), (y // 10, y % 10), strict=True):
            rows = {picture.numpy().tobytes(): int(one) for picture, one in zip(*source.part(part), strict=True)}
            found = [rows.pop(picture.numpy().tobytes()) for picture in half.flatten(1)]  # pop: each at most once
            assert found == label.tolist()
    assert pairs.classes[23] == "2 + Dress"


@pytest.mark.usefixtures("both")
def test_the_pairing_is_seeded_and_not_the_files_order() -> None:
    first, second = data.load("mnist+fashion-mnist"), data.load("mnist+fashion-mnist")
    assert torch.equal(first.x, second.x)
    assert len(first.part("train")[1].unique()) > 50  # with the files' order there would be ten


@pytest.mark.usefixtures("both")
def test_the_true_superfeatures_of_pairs_are_the_two_halves() -> None:
    truth = data.load("mnist+fashion-mnist").truth
    assert [len(group) for group in truth] == [784, 784]
    assert all(feature % 56 < 28 for feature in truth[0])
