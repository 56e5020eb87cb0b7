"""Files that are there but cannot be read, and folders that may not be entered: a sentence each, and other data stay what they are."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import oracles
import pytest
from PIL import Image
from refusals import refused

from ked import data
from ked.data import array_cache, fashion_mnist, idx, user_files
from ked.errors import InvalidInput, Unavailable

NOBODY = 65534
Sentence = Callable[[str], str]


@contextmanager
def as_nobody() -> Iterator[None]:
    """As a user who may not read everything; tests often run as root, who may."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """$KED_DATA and, beside it, $KED_HOME, in a folder that anybody may enter; no network."""
    base = Path(tempfile.mkdtemp())
    for folder in (base, base / "mine", base / "home"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
    monkeypatch.setenv("KED_DATA", str(base / "mine"))
    monkeypatch.setenv("KED_HOME", str(base / "home"))
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", base / "no-such-folder")

    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("torchvision.datasets.mnist.download_and_extract_archive", offline)
    monkeypatch.setattr("torchvision.datasets.utils.download_and_extract_archive", offline)
    yield base / "mine"
    for folder, folders, _ in os.walk(base):
        for one in folders:
            Path(folder, one).chmod(0o700)
    shutil.rmtree(base)


def write_idx_files(folder: Path, y: Callable[[int], np.ndarray] = lambda n: np.arange(n) % 10, sizes: tuple[int, int] = (300, 60)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    for n, images, labels in zip(sizes, idx.FILES[::2], idx.FILES[1::2], strict=True):
        oracles.write_idx(folder / images, generator.integers(0, 256, (n, 28, 28)))
        oracles.write_idx(folder / labels, y(n))
    return folder


def sentence(name: str, kind: type[Exception] = Unavailable) -> str:
    with as_nobody(), pytest.raises(kind) as refusal:
        data.load(name)
    return str(refusal.value)


# A user's own data sets in known folders

SOURCES = {"mnist": "mnist", "fashion-mnist": "fashion-mnist", "tiny-imagenet": "tiny-imagenet-200", "unicauca": "unicauca",
           "cifar10": "cifar-10-batches-py"}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("barred", ["", "below"])
def test_a_folder_that_may_not_be_entered_is_named_and_hides_nothing_else(
    mine: Path, name: str, barred: str, one_sentence: Sentence
) -> None:
    folder = write_idx_files(mine / SOURCES[name])
    closed = folder if barred else mine
    closed.chmod(0)
    said = one_sentence(sentence(name))
    assert f"{closed} cannot be read (Permission denied)" in said
    with as_nobody():
        assert not data.here(name)
        assert data.here("wine")
        assert len(data.load("digits").x) == 1797


def test_one_folder_that_may_not_be_entered_does_not_hide_a_good_one_after_it(mine: Path) -> None:
    write_idx_files(mine / "MNIST" / "raw").chmod(0)
    write_idx_files(mine / "mnist")
    with as_nobody():
        assert data.here("mnist")
        assert len(data.load("mnist").x) == 360


@pytest.mark.parametrize("number", range(4))
def test_an_idx_file_that_may_not_be_read_is_named(mine: Path, number: int, one_sentence: Sentence) -> None:
    (write_idx_files(mine / "mnist") / idx.FILES[number]).chmod(0)
    assert f"{idx.FILES[number]} cannot be read (Permission denied)" in one_sentence(sentence("mnist"))


def test_where_ked_data_names_a_file_its_data_are_missing(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (mine / "file").touch()
    monkeypatch.setenv("KED_DATA", str(mine / "file"))
    for name in SOURCES:
        assert not data.here(name)
        with pytest.raises(Unavailable, match="is not on this machine"):
            data.load(name)


# Files by their path, and on the shelf


def test_a_path_that_cannot_be_read_is_named(mine: Path) -> None:
    for name in ("t.csv", "t.npz", "t.zip"):
        (mine / name).write_text("x")
        (mine / name).chmod(0)
        assert f"'{name}' cannot be opened (Permission denied)" in sentence(str(mine / name), InvalidInput).replace(f"{mine}/", "")
    (mine / "closed").mkdir()
    (mine / "closed" / "t.csv").write_text("x")
    (mine / "closed").chmod(0)
    assert "cannot be opened (Permission denied)" in sentence(str(mine / "closed" / "t.csv"), InvalidInput)


def test_a_pipe_and_a_device_are_no_files_and_nobody_waits_for_them(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    asked = threading.Thread(target=refused, args=(tmp_path / "pipe.csv", "is no file with an end; give the path"), daemon=True)
    asked.start()
    asked.join(60)
    assert not asked.is_alive()
    (tmp_path / "zeros.csv").symlink_to("/dev/zero")
    refused(tmp_path / "zeros.csv", "is no file with an end")


def on_the_shelf(mine: Path) -> tuple[str, str, Path]:
    """Two data sets, and the folder of the first."""
    keys = [user_files.add(f"{name}.csv", f"a,{name},label\n{rows}".encode()) for name in ("one", "two")
            for rows in ["\n".join(f"{i},{i % 7},{'xy'[i % 2]}" for i in range(20))]]  # fmt: skip
    shelf = mine.parent / "home" / "data" / "own"
    for folder in (mine.parent / "home").rglob("*"):
        folder.chmod(0o777)
    return keys[0], keys[1], shelf / keys[0].removeprefix("own:")


@pytest.mark.parametrize("closed", ["", "one.csv", "about.json"])
def test_one_file_on_the_shelf_that_cannot_be_read_is_named_and_hides_no_other(mine: Path, closed: str, one_sentence: Sentence) -> None:
    first, second, folder = on_the_shelf(mine)
    (folder / closed).chmod(0)
    said = one_sentence(sentence(first))
    assert f"{folder / (closed or 'about.json')} cannot be read (Permission denied)" in said
    with as_nobody():
        assert second in user_files.listed()
        assert len(data.load(second).x) == 20


def test_a_shelf_that_may_not_be_entered_hides_nothing_but_itself(mine: Path) -> None:
    first, _, folder = on_the_shelf(mine)
    folder.parent.chmod(0)
    with as_nobody():
        assert user_files.listed() == {}
    assert "cannot be read (Permission denied)" in sentence(first)


@pytest.mark.parametrize(
    "about",
    ["null", "true", '{"file": 5}', '{"file": "one.csv", "label": [], "sha256": "", "size": 1, "added": 1.0}', "[" * 100_000, b"\xff",
     '{"file": "one.csv", "label": null, "sha256": "", "size": "1", "added": 1.0}',
     '{"file": "one.csv", "label": null, "sha256": "", "size": 1, "added": Infinity}',
     '{"file": "one.csv", "label": null, "sha256": "", "size": 1, "added": 1e300}'],
)  # fmt: skip
def test_a_description_of_anything_else_is_damaged_and_hides_no_other(mine: Path, about: str | bytes) -> None:
    first, second, folder = on_the_shelf(mine)
    (folder / "about.json").write_bytes(about if isinstance(about, bytes) else about.encode())
    with pytest.raises(Unavailable, match=r"about\.json is damaged"):
        data.load(first)
    assert list(user_files.listed()) == [second]
    assert user_files.add("third.csv", b"a,b,label\n" + b"\n".join(b"%d,%d,%d" % (i, i * i, i % 2) for i in range(20)))


# Files that hold no data set


@pytest.mark.parametrize(
    ("y", "sizes", "named"),
    [
        (np.zeros, (150, 60), "of its 150 labels 0 are '1'"),
        (np.zeros, (60_000, 60), "of its 60000 labels 0 are '1'"),
        (lambda n: np.arange(n) % 9, (300, 60), "of its 300 labels 0 are '9'"),
        (lambda n: np.arange(n) % 10, (150, 60), "of its 150 labels 15 are '0', and every class needs at least 20"),
        (lambda n: np.arange(n) % (10 if n == 300 else 9), (300, 60), "of its 60 labels 0 are '9'"),
    ],
)
def test_idx_files_of_too_few_pictures_or_classes_are_no_data_set(mine: Path, y, sizes: tuple[int, int], named: str) -> None:
    write_idx_files(mine / "mnist", y, sizes)
    with pytest.raises(Unavailable, match=f"(train|t10k)-labels.* is damaged .*{named}"):
        data.load("mnist")


def idx_file(dimensions: int, side: int = 1, values: bytes = b"\0") -> bytes:
    return b"\0\0\x08" + bytes([dimensions]) + side.to_bytes(4, "big") * dimensions + values


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize(
    "content",
    [idx_file(255), idx_file(255, 0), idx_file(4), idx_file(65), idx_file(3, 2**32 - 1), idx_file(3, 2000), idx_file(1, 2**32 - 1),
     idx_file(0), idx_file(3, 0, b"")],
    ids=["255 dimensions", "255 empty ones", "4", "65", "endless", "8 GB", "4 GB", "none", "empty"],
)  # fmt: skip
def test_an_idx_header_of_anything_else_is_named(mine: Path, number: int, content: bytes, one_sentence: Sentence) -> None:
    folder = write_idx_files(mine / "mnist")
    (folder / idx.FILES[number]).write_bytes(gzip.compress(content))
    with pytest.raises(Unavailable, match=idx.FILES[number - number % 2].split("-")[0]) as refusal:
        data.load("mnist")
    assert "damaged" in one_sentence(str(refusal.value))


def test_an_idx_file_that_unpacks_to_more_than_it_promises_is_not_unpacked(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_idx_files(mine / "mnist")
    (folder / idx.FILES[1]).write_bytes(gzip.compress(idx_file(1, 300, b"\0" * 50_000_000)))
    asked: list[int] = []
    read = gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda file, size=-1: asked.append(size) or read(file, size))
    with pytest.raises(Unavailable, match="promises 300 values but more follow"):
        data.load("mnist")
    assert all(0 <= size <= 300 * 784 + 1 for size in asked)


def tiny_imagenet(root: Path) -> Path:
    for one in ("n1", "n2"):
        (root / "train" / one / "images").mkdir(parents=True)
        for i in range(4):
            Image.new("RGB", (64, 64), (i, 0, 0)).save(root / "train" / one / "images" / f"{i}.JPEG")
    (root / "val" / "images").mkdir(parents=True)
    Image.new("RGB", (64, 64)).save(root / "val" / "images" / "v.JPEG")
    (root / "val" / "val_annotations.txt").write_text("v.JPEG\tn1\t0\n")
    return root


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda root: Image.new("L", (14_000, 14_000)).save(root / "train/n1/images/0.JPEG"), r"n1/images/0\.JPEG is damaged.*64 x 64"),
        (lambda root: Image.new("L", (10_000, 10_000)).save(root / "train/n1/images/0.JPEG"), r"n1/images/0\.JPEG is damaged.*64 x 64"),
        (lambda root: Image.new("L", (65, 64)).save(root / "val/images/v.JPEG"), r"v\.JPEG is damaged.*65 x 64"),
        (lambda root: (root / "train/n1/images/1.JPEG").chmod(0), r"n1/images/1\.JPEG cannot be read \(Permission"),
        (lambda root: (root / "train/n1/images").chmod(0), r"n1/images cannot be read \(Permission"),
        (lambda root: (root / "train").chmod(0), r"train cannot be read \(Permission|train/.* cannot be read"),
        (lambda root: (root / "val/val_annotations.txt").chmod(0), r"val_annotations\.txt cannot be read \(Permission"),
        (lambda root: shutil.rmtree(root / "train/n2"), "train is damaged .it holds 1 folders"),
        (lambda root: shutil.rmtree(root / "train/n2/images"), r"n2/images cannot be read \(No such"),
        (lambda root: [path.unlink() for path in (root / "train/n2/images").iterdir()], "n2/images is damaged .it holds no pictures"),
        (lambda root: (root / "train/n2/images/9.JPEG").mkdir(), r"9\.JPEG cannot be read \(Is a directory"),
    ],
)
def test_a_part_of_tiny_imagenet_that_cannot_be_used_is_named(mine: Path, change, named: str, one_sentence: Sentence) -> None:
    root = tiny_imagenet(mine / "tiny-imagenet-200")
    change(root)
    said = one_sentence(sentence("tiny-imagenet"))
    assert re.search(named, said), said


def test_a_kept_array_that_is_damaged_in_any_way_is_made_again(mine: Path) -> None:
    for damage in (b"", b"null", b"[1]", b"{", b"\x93NUMPY\1\0\0\0"):
        for file in ("names.json", "x.npy"):
            assert array_cache.kept("some", 1, lambda: {"x": np.arange(3)})["x"].sum() == 3
            (path,) = (mine.parent / "home").rglob(file)
            path.write_bytes(damage)
    assert array_cache.kept("some", 1, lambda: {"x": np.arange(3)})["x"].sum() == 3
