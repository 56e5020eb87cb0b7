"""Pictures in class folders, as people have them: which files count, as what, and what is said of all others."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from refusals import refused

from ked import data
from ked.data import class_folders, class_pictures, limits, picture_files, user_files
from ked.data.class_folders import sorted_out

LAYOUTS: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {  # above each class, below it; files beside; official parts
    "class folders": (("{}/",), {}, ""),
    "a folder around them": (("pets/{}/",), {"list.csv": "no", "pets/README": "no"}, ""),
    "a folder images below": (("{}/images/",), {}, ""),
    "a folder images above": (("pets/images/{}/",), {"pets/masks/cat.txt": "no"}, ""),
    "folders in class folders": (("{}/2023/", "{}/2024/may/"), {}, ""),
    "what file managers leave": (("{}/",), {"__MACOSX/cat/._0.png": "no", "cat/.DS_Store": "no", "cat/._1.png": "no"}, ""),
    "a picture beside": (("pets/{}/",), {"pets/cover.png": "homeless", "cover.jpg": "homeless"}, ""),
    "train and test": (("train/{}/", "test/{}/"), {"labels.csv": "no"}, "train test"),
    "all three, around them a folder": (("d/Train/{}/", "d/VAL/{}/", "d/Test/{}/"), {"d/README.md": "no"}, "train validation test"),
    "with longer names": (("seg_train/seg_train/{}/", "seg_test/seg_test/{}/"), {"seg_pred/seg_pred/1.png": "homeless"}, "train test"),
    "training and testing": (("training_set/training_set/{}/", "test_set/test_set/{}/"), {}, "train test"),
    "images between": (("train/images/{}/", "valid/images/{}/"), {"train/labels/1.txt": "no"}, "train validation"),
    "parts below the classes": (("{}/train/", "{}/test/"), {}, "train test"),
    "test pictures without a class": (("train/{}/", "val/{}/"), {"test/1.png": "homeless", "test/2.png": "homeless"}, "train validation"),
    "test pictures of no known class": (("train/{}/",), {"test/unknown/1.png": "homeless", "test/unknown/2.png": "homeless"}, ""),
    "training and evaluation": (("training/{}/", "evaluation/{}/"), {}, "train test"),
    "all three, otherwise called": (("train/{}/", "eval/{}/", "holdout/{}/"), {}, "train validation test"),
    "no test picture with a class": (("train/{}/",), {"test/1.png": "homeless", "test/2.png": "homeless"}, ""),
    "a training part alone": (("train/{}/",), {}, ""),
    "a class called train": (("{}/", "train/"), {}, ""),
    "batches": (("batch0/{}/", "batch1/{}/", "data_batch_2/{}/images/"), {}, ""),
    "sizes": (("16x16/{}/", "32x32/{}/", "256x256@2x/{}/"), {}, ""),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_layout(case: str) -> None:
    folders, beside, parts = LAYOUTS[case]
    names = [f"{folder.format(kind)}{i}.png" for folder in folders for kind in ("cat", "dog") for i in range(2)]
    found = sorted_out([*beside, *names])
    assert {one.name for one in found.pictures} == set(names)
    for one in found.pictures:
        assert one.label == next((kind for kind in ("cat", "dog") if kind in PurePosixPath(one.name).parts), "train")
    assert {one.part for one in found.pictures} == set(parts.split() or [""])
    assert set(found.no_pictures) == {name for name, what in beside.items() if what == "no"}
    assert set(found.homeless) == {name for name, what in beside.items() if what == "homeless"}
    assert bool(found.note) == bool(beside)


@given(st.lists(st.tuples(st.lists(st.sampled_from(["train", "test", "val", "images", "cat", "dog", "x", ".git", ".."]), max_size=4),
                          st.sampled_from(["1.png", "2.JPG", "3.gif", "README", "a.csv", ".DS_Store", "._1.png"]))))  # fmt: skip
def test_every_file_is_used_or_counted_and_no_official_test_picture_is_trained_on(files: list[tuple[list[str], str]]) -> None:
    names = list(dict.fromkeys("/".join([*folders, name]) for folders, name in files))
    found = sorted_out(names)
    whole = [*(one.name for one in found.pictures), *found.no_pictures, *found.homeless]
    assert sorted(whole) == sorted(names)
    assert [names[one.number] for one in found.pictures] == [one.name for one in found.pictures]
    left_out = len(found.no_pictures) + len(found.homeless)
    assert (f"{len(found.pictures)} of {len(names)} files" in found.note) == (left_out > 0)
    for one in found.pictures:
        assert one.label in PurePosixPath(one.name).parts[:-1]
        assert one.part == "" or any(class_folders.PART_NAMES.get(part) == one.part for part in PurePosixPath(one.name).parts)
    assert len({one.part == "" for one in found.pictures}) <= 1


def picture(seed: int, shape: tuple[int, ...] = (6, 5, 3), kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(file, kind)
    return file.getvalue()


PARTED = {
    f"{part}/{kind}/{i}.png": picture(seed)
    for seed, (part, kind, i) in enumerate((part, kind, i) for part in ("train", "test") for kind in ("cat", "dog") for i in range(5))
}


def folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, one in files.items():
            archive.writestr(name, one)
    return content.getvalue()


def packed(path: Path, files: dict[str, bytes]) -> Path:
    path.write_bytes(zipped(files))
    return path


def test_a_folder_and_its_zip_are_the_same_data_and_keep_the_official_test_part(tmp_path: Path) -> None:
    files = PARTED | {"README.md": b"hello", "train/cat/.DS_Store": b"x"}
    of_folder = data.load(str(folder(tmp_path / "pets", files)))
    of_zip = data.load(str(packed(tmp_path / "pets.zip", files)))
    assert torch.equal(of_folder.x, of_zip.x)
    assert of_folder.notes == of_zip.notes
    assert [len(getattr(of_zip, part)) for part in data.PARTS] == [8, 2, 10]
    pixels = {name: np.asarray(Image.open(io.BytesIO(content))).transpose(2, 0, 1) for name, content in PARTED.items()}
    expected = np.stack([pixels[name] for name in sorted(PARTED) if name.startswith("test")]).reshape(10, -1)
    assert torch.equal(of_zip.part("test")[0], torch.from_numpy(expected).float() / 255)
    assert of_zip.part("test")[1].tolist() == [0] * 5 + [1] * 5
    assert of_zip.notes[0] == "20 of 22 files are pictures in class folders; left out: 2 that are no pictures (.md, no ending)."
    assert of_zip.notes[1] == "Its official parts are kept: 10 train, 10 test; 2 training samples are cut off for validation."


def test_what_lies_beside_may_be_anything(tmp_path: Path) -> None:
    files = {f"{'ab'[i % 2]}/{i}.png": picture(i) for i in range(10)}
    path = packed(tmp_path / "t.zip", files | {"notes: C\\x.txt": b"x", "a/film.mp4": b"\0" * 1000})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "MEMBER_BYTES", 500)
        assert len(data.load(str(path)).x) == 10
        packed(path, files | {"a/film.png": b"\0" * 1000})
        refused(path, "'a/film.png' in it has 1000 bytes")


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({name: PARTED[name] for name in PARTED if "train/dog" not in name}, "class 'dog' has 0 samples in its training part"),
        ({name: PARTED[name] for name in PARTED if name < "train/dog/2"}, "'dog' has 2 samples in its training"),
        ({"README.md": b"x"}, "holds no pictures in class folders"),
        ({"1.png": picture(0), "2.png": picture(1)}, "holds no pictures in class folders"),
        ({f"train/cat.{i}.png": picture(i) for i in range(9)}, "1 class, as all pictures lie in the folder 'train', but each class needs"),
    ],
)
def test_folders_that_hold_no_data_set_are_refused(files: dict[str, bytes], named: str, tmp_path: Path) -> None:
    refused(folder(tmp_path / "few", files), f"The folder 'few' cannot be used: .*{named}")


def test_classes_that_are_spelt_alike_are_one_also_in_the_official_parts(tmp_path: Path) -> None:
    """Also where a letter and its accent are two signs, as on a Mac, and where folders stand behind backslashes, as of Windows."""
    names = [f"{part}{kind}" for part, kinds in (("train\\", "Cat Zu\u0308rich"), ("test\\", "cat Z\u00fcrich")) for kind in kinds.split()]
    found = data.load(str(packed(tmp_path / "t.zip", {f"{name}\\{i}.png": picture(i) for name in names for i in range(6)})))
    assert (len(found.classes), len(found.test), found.y.bincount().tolist()) == (2, 12, [12, 12])
    assert any(note.startswith("Among the classes spellings such as 'Cat', 'cat' are one") for note in found.notes)


def test_numbered_folders_that_hold_other_classes_each_are_classes() -> None:
    for names in (["fold1/a/", "fold1/b/", "fold2/c/", "fold2/d/"], ["0/left/", "0/right/", "1/left/", "1/right/"], ["set1/", "set2/"]):
        found = sorted_out([f"{name}{i}.png" for name in names for i in range(3)])
        assert [one.label for one in found.pictures] == sorted(name.split("/")[0] for name in names for _ in range(3))
        assert found.numbered == ()


def test_folders_that_are_no_classes_and_few_pictures_of_small_classes_are_named(tmp_path: Path) -> None:
    folders = [f"{size}/{kind}/{way}" for size in ("16x16", "24x24") for kind in ("cat", "dog") for way in "lr"]
    files = {f"{name}/{i}.png": picture(i) for name in folders for i in range(7)}
    few = {"16x16/owl/1.png": picture(1), "24x24/emu/1.png": picture(2)}
    found = data.load(str(folder(tmp_path / "icons", files | few)))
    assert found.classes == ("cat", "dog")
    assert found.y.bincount().tolist() == [28, 28]
    assert found.notes[:3] == (
        "2 of 58 pictures are left out: the classes 'emu', 'owl' have fewer than 5.",
        "The folders '16x16', '24x24' hold the same classes and are none.",
        "Folders in class folders are not told apart: 'l', 'r'.",
    )


def test_a_pipe_in_a_class_folder_is_not_waited_for(tmp_path: Path) -> None:
    folder(tmp_path / "pets", PARTED)
    os.mkfifo(tmp_path / "pets/train/cat/9.png")
    refused(tmp_path / "pets", r"'train/cat/9\.png' in it is no file with an end")


def test_the_fingerprint_of_a_folder_is_of_its_pictures(tmp_path: Path) -> None:
    one, same = folder(tmp_path / "one", PARTED), folder(tmp_path / "same", PARTED | {"README": b"x"})
    first = data.fingerprint(str(one))
    assert first == data.fingerprint(str(same))
    (one / "train/cat/0.png").write_bytes(picture(99))
    assert data.fingerprint(str(one)) != first


@pytest.mark.parametrize("few", [5, 1000])
def test_a_folder_is_kept_with_its_splits_and_with_what_was_left_out(
    few: int, tmp_path: Path, ked: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ked.data.pixels.FEW", few)
    root = folder(tmp_path / "pets", PARTED | {"list.csv": b"x"})
    answer = ked("data", "add", str(root))
    (key,) = user_files.listed()
    assert answer.code == 0
    assert answer.out.splitlines() == [
        f"{key}: 8 train, 2 validation, 10 test samples, 90 features, 2 classes",
        "20 of 21 files are pictures in class folders; left out: 1 that are no pictures (.csv).",
        "Its official parts are kept: 10 train, 10 test; 2 training samples are cut off for validation.",
    ]
    direct, kept = data.load(str(root)), data.load(key)
    assert kept.notes == direct.notes
    for part in data.PARTS:
        assert torch.equal(kept.part(part)[0], direct.part(part)[0])
        assert torch.equal(kept.part(part)[1], direct.part(part)[1])
    assert ked("data", "add", str(root)).out == answer.out
    assert len(user_files.listed()) == 1


# Kinds and sizes


@pytest.mark.parametrize("kind", class_pictures.FORMATS)
def test_every_kind_of_picture_is_read(kind: str, tmp_path: Path) -> None:
    ending = {"JPEG": "jpg"}.get(kind, kind.lower())
    pixels = np.kron(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8), np.ones((16, 8, 1), np.uint8))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **({"lossless": True} if kind == "WEBP" else {"quality": 100} if kind == "JPEG" else {}))
    found = data.load(str(folder(tmp_path / "t", {f"{'ab'[i % 2]}/{i}.{ending}": file.getvalue() for i in range(10)})))
    assert found.shape == (3, 16, 16)
    seen = found.x[0].reshape(3, 16, 16)[:, 8, [2, 13]] * 255
    assert (seen - torch.tensor([[255.0, 0], [0, 0], [0, 255]])).abs().max() < 6


def test_a_large_photograph_is_decoded_smaller_and_looks_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.kron(np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8), np.ones((32, 32, 1), np.uint8))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    found = picture_files.read(io.BytesIO(file.getvalue()), ("JPEG",), 100, shrink=True)
    assert found.size == (96, 64)
    exact = np.asarray(Image.open(io.BytesIO(file.getvalue())).resize((96, 64), Image.Resampling.BOX)).astype(float)
    assert np.abs(np.asarray(found) - exact).mean() < 3
    with pytest.raises(picture_files.UnusablePicture, match="at most 10 x 10"):
        picture_files.read(io.BytesIO(file.getvalue()), ("JPEG",), 10, shrink=True)


def test_pictures_of_the_first_size_are_brought_to_the_one_size_when_another_comes() -> None:
    grey, colour = (Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)) for shape in ((40, 48), (9, 9, 3)))
    sheet = class_pictures.Sheet(3)
    for one in (grey, grey, colour):
        sheet.add(one)
    alone = class_pictures.Sheet(1)
    alone.add(class_pictures._fitted(grey))
    assert sheet.pixels.shape == (3, 3, 32, 32)
    assert (sheet.pixels[:2] == alone.pixels[:, None]).all()
    assert np.array_equal(sheet.pixels[2], np.asarray(class_pictures._fitted(colour)).transpose(2, 0, 1))
    assert sheet.note == "3 of 3 pictures were cut to their middle square and scaled to 32 x 32 pixels."


