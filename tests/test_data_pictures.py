"""CIFAR and Tiny ImageNet, on small files in their sources' real formats; and that no pickle is opened that should not be."""

from __future__ import annotations

import hashlib
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import CIFAR10, CIFAR100

from ked import data
from ked.data import array_cache, pixels, tiny_imagenet
from ked.errors import Unavailable

COUNT = 40  # pictures in each batch that the tests write


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """$KED_DATA on a machine without a network and with an empty $KED_HOME."""
    monkeypatch.setenv("KED_DATA", str(tmp_path / "mine"))
    monkeypatch.setenv("KED_HOME", str(tmp_path / "home"))

    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("torchvision.datasets.utils.download_and_extract_archive", offline)
    return tmp_path / "mine"


def _short(text: bytes) -> bytes:
    return b"U" + bytes([len(text)]) + text


def _old_pickle(pixels: np.ndarray, labels: str, y: list[int], more: str | None = None) -> bytes:
    """A batch as Python 2 and numpy 1 wrote it, opcode by opcode: a dict of byte strings, an array and lists of numbers."""
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85"
        + _short(b"b")
        + b"tR(K\x01"
        + b"".join(b"J" + struct.pack("<i", side) for side in pixels.shape)
        + b"\x86cnumpy\ndtype\n("
        + _short(b"u1")
        + b"K\x00K\x01tR(K\x03"
        + _short(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        + struct.pack("<i", pixels.size)
        + pixels.tobytes()
        + b"tb"
    )
    content = _short(b"data") + array
    for key in filter(None, (labels, more)):
        content += _short(key.encode()) + b"](" + b"".join(b"K" + bytes([label]) for label in y) + b"e"
    return b"\x80\x02}(" + content + b"u."


def _write_cifar(
    folder: Path, source: type[CIFAR10], labels: str, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> np.ndarray:
    """All batches with torchvision's table of checksums set to theirs; returns the pixels (n, 3072) in the files' order."""
    folder = folder / source.base_folder
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    written = []
    for attribute in ("train_list", "test_list"):
        table = []
        for file, _ in getattr(source, attribute):
            written.append(generator.integers(0, 256, (COUNT, 3072), dtype=np.uint8))
            y = [row % len(names) for row in range(COUNT)]
            content = _old_pickle(written[-1], labels, y, "coarse_labels" if labels == "fine_labels" else None)
            (folder / file).write_bytes(content)
            table.append([file, hashlib.md5(content).hexdigest()])
        monkeypatch.setattr(source, attribute, table)
    meta = pickle.dumps({source.meta["key"]: names}, protocol=2)
    (folder / source.meta["filename"]).write_bytes(meta)
    monkeypatch.setattr(source, "meta", source.meta | {"md5": hashlib.md5(meta).hexdigest()})
    return np.concatenate(written)


NAMES = [f"kind {i}" for i in range(10)]


@pytest.mark.parametrize(
    ("name", "source", "labels", "train_count"),
    [("cifar10", CIFAR10, "labels", 200), ("cifar100", CIFAR100, "fine_labels", 40)],
)
def test_cifar_is_what_the_batches_hold(mine, name: str, source, labels: str, train_count: int, monkeypatch) -> None:
    written = _write_cifar(mine, source, labels, NAMES, monkeypatch)
    found = data.load(name)
    assert (found.name, found.shape, found.classes, found.feature_count) == (name, (3, 32, 32), tuple(NAMES), 3072)
    assert torch.equal(found.x, torch.from_numpy(written).float() / 255)
    assert found.test.tolist() == list(range(train_count, train_count + COUNT))
    assert found.y.tolist() == list(range(10)) * (len(written) // 10)
    assert len(found.train) + len(found.validation) == train_count
    assert found.features[1024] == "channel 1, row 0, column 0"


def test_cifar_agrees_with_torchvision(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import warnings

    _write_cifar(mine, CIFAR10, "labels", NAMES, monkeypatch)
    found = data.load("cifar10")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy's, about the old files
        theirs = CIFAR10(mine, train=False)
    x, y = found.part("test")
    assert torch.equal(x.reshape(-1, 3, 32, 32), torch.from_numpy(theirs.data).permute(0, 3, 1, 2).float() / 255)
    assert y.tolist() == theirs.targets


class _Trap:
    def __reduce__(self) -> tuple:
        return (Path.write_text, (Path("sprung"), "x"))


def test_a_pickle_with_another_checksum_is_never_opened(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _write_cifar(mine, CIFAR10, "labels", NAMES, monkeypatch)
    (mine / CIFAR10.base_folder / "data_batch_3").write_bytes(pickle.dumps(_Trap()))
    with pytest.raises(Unavailable, match=r"data_batch_3.*damaged.*checksum.*not opened"):
        data.load("cifar10")
    assert not Path("sprung").exists()


def test_even_with_the_right_checksum_a_pickle_cannot_run_code(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _write_cifar(mine, CIFAR10, "labels", NAMES, monkeypatch)
    content = pickle.dumps(_Trap())
    (mine / CIFAR10.base_folder / "test_batch").write_bytes(content)
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", hashlib.md5(content).hexdigest()]])
    with pytest.raises(Unavailable, match=r"test_batch.*damaged.*which no picture needs"):
        data.load("cifar10")
    assert not Path("sprung").exists()


def test_a_batch_with_a_label_out_of_range_is_damaged(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_cifar(mine, CIFAR10, "labels", NAMES, monkeypatch)
    content = _old_pickle(np.zeros((2, 3072), np.uint8), "labels", [3, 10])
    (mine / CIFAR10.base_folder / "test_batch").write_bytes(content)
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", hashlib.md5(content).hexdigest()]])
    with pytest.raises(Unavailable, match=r"test_batch.*\(2, 3072\) with labels from 3 to 10"):
        data.load("cifar10")


@pytest.mark.parametrize(("name", "archive"), [("cifar10", "cifar-10-python.tar.gz"), ("cifar100", "cifar-100-python.tar.gz")])
@pytest.mark.usefixtures("mine")
def test_offline_without_cifar_one_sentence_says_which_file_goes_where(name: str, archive: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refusal:
        data.load(name)
    assert all(part in str(refusal.value) for part in (archive, "KED_DATA", str(tmp_path / "home" / "data")))


IDS = ("n01443537", "n01629819", "n02002724")


def _write_tiny_imagenet(root: Path) -> Path:
    """Three classes, six training and two validation pictures each; the last picture of each class is grey."""
    generator = np.random.default_rng(0)

    def picture(path: Path, grey: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (64, 64) if grey else (64, 64, 3), dtype=np.uint8)).save(path, "JPEG")

    for one in IDS:
        for i in range(6):
            picture(root / "train" / one / "images" / f"{one}_{i}.JPEG", i == 5)
        (root / "train" / one / f"{one}_boxes.txt").write_text(f"{one}_0.JPEG\t0\t0\t62\t63\n")
    lines = [f"val_{i}.JPEG\t{IDS[i % 3]}\t0\t32\t44\t62\n" for i in range(6)]
    for i in range(6):
        picture(root / "val" / "images" / f"val_{i}.JPEG", i > 3)
    (root / "val" / "val_annotations.txt").write_text("".join(lines))
    (root / "words.txt").write_text("n01443537\tgoldfish, Carassius auratus\nn01629819\tcrane\nn02002724\tcrane\nn1\tunused\n")
    return root


def _decoded(path: Path) -> torch.Tensor:
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1).flatten().float() / 255


@pytest.mark.parametrize("below", ["tiny-imagenet-200", ""])
def test_tiny_imagenet_is_what_the_folders_hold(mine: Path, below: str) -> None:
    root = _write_tiny_imagenet(mine / below)
    found = data.load("tiny-imagenet")
    assert (found.shape, found.feature_count) == ((3, 64, 64), 12288)
    assert found.classes == ("goldfish", "crane (n01629819)", "crane (n02002724)")
    assert [len(rows) for rows in (found.train, found.validation, found.test)] == [9, 9, 6]
    assert found.part("test")[1].tolist() == [0, 1, 2, 0, 1, 2]
    assert torch.equal(found.part("test")[0][4], _decoded(root / "val" / "images" / "val_4.JPEG"))
    assert torch.equal(found.x[6], _decoded(root / "train" / IDS[1] / "images" / f"{IDS[1]}_0.JPEG"))
    assert found.y[:18].tolist() == [0] * 6 + [1] * 6 + [2] * 6


def test_tiny_imagenet_is_decoded_once_and_again_when_it_changes(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = _write_tiny_imagenet(mine / "tiny-imagenet-200")
    calls = []
    decode = tiny_imagenet._decode
    monkeypatch.setattr(tiny_imagenet, "_decode", lambda *where: calls.append(where) or decode(*where))
    first, second = data.load("tiny-imagenet"), data.load("tiny-imagenet")
    assert torch.equal(first.x, second.x)
    assert len(calls) == 1
    (root / "train" / IDS[0] / "images" / f"{IDS[0]}_5.JPEG").unlink()
    assert len(data.load("tiny-imagenet").y) == len(first.y) - 1


def test_a_picture_of_tiny_imagenet_is_taken_as_it_was_published(mine: Path) -> None:
    root = _write_tiny_imagenet(mine / "tiny-imagenet-200")
    path, exif = root / "val" / "images" / "val_0.JPEG", Image.Exif()
    exif[0x0112] = 6  # a turn that nobody who reads these data makes
    Image.open(path).save(path, exif=exif)
    assert torch.equal(data.load("tiny-imagenet").part("test")[0][0], _decoded(path))


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda root: (root / "val" / "images" / "val_2.JPEG").unlink(), r"val_2\.JPEG.*cannot be read"),
        (lambda root: (root / "val" / "images" / "val_2.JPEG").write_bytes(b"GIF89a"), r"val_2\.JPEG.*cannot be read"),
        (lambda root: Image.new("RGB", (32, 48)).save(root / "val" / "images" / "val_1.JPEG"), r"val_1\.JPEG.*32 x 48"),
        (lambda root: (root / "val" / "val_annotations.txt").write_text("val_0.JPEG\tn9\t0\n"), r"line 1.*n9.*3 WordNet"),
        (lambda root: (root / "val" / "val_annotations.txt").write_text(f"../x.JPEG\t{IDS[0]}\t0\n"), r"line 1.*\.\./x"),
        (lambda root: (root / "val" / "val_annotations.txt").write_text(""), "it is empty"),
        (lambda root: [path.unlink() for path in root.glob("train/*/images/*")], "no pictures"),
    ],
)
def test_a_damaged_part_of_tiny_imagenet_is_named_in_one_sentence(mine: Path, damage, named: str) -> None:
    damage(_write_tiny_imagenet(mine / "tiny-imagenet-200"))
    with pytest.raises(Unavailable, match=named):
        data.load("tiny-imagenet")


@pytest.mark.usefixtures("mine")
def test_without_tiny_imagenet_one_sentence_says_what_goes_where(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refusal:
        data.load("tiny-imagenet")
    wanted = ("tiny-imagenet-200.zip", "KED_DATA", str(tmp_path / "home" / "data" / "tiny-imagenet-200"))
    assert all(part in str(refusal.value) for part in wanted)


@pytest.mark.usefixtures("mine")
def test_what_is_kept_comes_back_and_is_made_again_when_it_is_damaged(tmp_path: Path) -> None:
    made = []

    def make() -> dict[str, np.ndarray]:
        made.append(1)
        return {"x": np.arange(6).reshape(2, 3)}

    for _ in range(2):
        assert array_cache.kept("some", [1, "a"], make)["x"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert len(made) == 1
    next((tmp_path / "home").rglob("x.npy")).write_bytes(b"nothing")
    assert array_cache.kept("some", [1, "a"], make)["x"].sum() == 15
    array_cache.kept("some", [2, "a"], make)
    assert len(made) == 3


def test_nothing_is_kept_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").write_text("a file, where a folder should be")
    monkeypatch.setenv("KED_HOME", str(tmp_path / "home"))
    assert array_cache.kept("some", 1, lambda: {"x": np.ones(3)})["x"].sum() == 3


def test_of_an_official_training_part_five_thousand_pictures_of_all_classes_are_for_validation() -> None:
    y = np.arange(60_000) % 10
    training, test = (np.zeros((60_000, 1), np.uint8), y), (np.full((500, 1), 255, np.uint8), y[:500])
    found = pixels.official("some", training, test, (1,), tuple("0123456789"))
    assert [len(getattr(found, part)) for part in data.PARTS] == [55_000, 5_000, 500]
    assert found.part("validation")[1].bincount().tolist() == [500] * 10
    assert found.test.tolist() == list(range(60_000, 60_500))
    assert found.part("test")[0].eq(1).all()
    assert found.part("train")[0].eq(0).all()


def test_bytes_become_the_same_numbers_in_blocks_and_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "_BLOCK", 3)
    parts = [np.random.default_rng(i).integers(0, 256, (n, 2, 4), dtype=np.uint8) for i, n in enumerate((7, 1))]
    assert torch.equal(pixels.unit_interval(parts), torch.from_numpy(np.concatenate(parts).reshape(8, 8)).float() / 255)
