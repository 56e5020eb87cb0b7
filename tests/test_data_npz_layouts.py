"""NPZ files in the layouts that people have: the same samples, classes and parts come out of all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from ked import data
from ked.data.npz_layouts import layout

BYTES = np.random.default_rng(0).integers(0, 256, (30, 3, 6, 5), dtype=np.uint8)
BYTES[0, 0, 0, :2] = 0, 255
KINDS = np.arange(30) % 2
LAST = BYTES.transpose(0, 2, 3, 1)
ONE_HOT = np.eye(2)[KINDS]


def parted(*names: str, axis_last: bool = False) -> dict[str, np.ndarray]:
    """Twenty training and ten test samples, under four names: training samples, training classes, the same of the test part."""
    x = LAST if axis_last else BYTES
    return dict(zip(names, (x[:20], KINDS[:20], x[20:], KINDS[20:]), strict=True))


LAYOUTS: dict[str, tuple[dict[str, np.ndarray], str]] = {  # arrays, the names of official parts
    "x and y": ({"x": BYTES, "y": KINDS}, ""),
    "X": ({"X": BYTES, "Y": KINDS}, ""),
    "images and labels": ({"images": BYTES, "labels": KINDS}, ""),
    "data and target, as scikit-learn": ({"data": BYTES, "target": KINDS}, ""),
    "without names": ({"arr_0": BYTES, "arr_1": KINDS}, ""),
    "channels last": ({"x": LAST, "y": KINDS}, ""),
    "Fortran's order": ({"x": np.asfortranarray(LAST), "y": KINDS}, ""),
    "Keras": (parted("x_train", "y_train", "x_test", "y_test", axis_last=True), "train test"),
    "capitals": (parted("X_train", "Y_train", "X_test", "Y_test"), "train test"),
    "train first": (parted("train_x", "train_y", "test_x", "test_y"), "train test"),
    "without lines between": (parted("xtrain", "ytrain", "xtest", "ytest"), "train test"),
    "MedMNIST": (
        {"train_images": LAST[:16], "val_images": LAST[16:20], "test_images": LAST[20:],
         "train_labels": KINDS[:16, None], "val_labels": KINDS[16:20, None], "test_labels": KINDS[20:, None]},
        "train validation test",
    ),
    "short names": (parted("Xtr", "ytr", "Xte", "yte"), "train test"),
    "others": ({"imgs": BYTES, "labels": KINDS}, ""),
    "a training part alone": ({"x_train": BYTES, "y_train": KINDS}, ""),
    "a training and a validation part": (parted("x_train", "y_train", "x_valid", "y_valid"), "train test"),
    "a column": ({"x": BYTES, "y": KINDS[:, None]}, ""),
    "a row": ({"x": BYTES, "y": KINDS[None]}, ""),
    "one-hot": ({"x": BYTES, "y": ONE_HOT}, ""),
    "one-hot of bytes": ({"x": BYTES, "y": ONE_HOT.astype(np.uint8)}, ""),
    "one-hot of truth values": ({"x": BYTES, "y": ONE_HOT.astype(bool)}, ""),
    "whole floats": ({"x": BYTES, "y": KINDS.astype(np.float32)}, ""),
    "a column of floats": ({"x": BYTES, "y": KINDS[:, None].astype(float)}, ""),
    "texts": ({"x": BYTES, "y": KINDS.astype(str)}, ""),
    "texts of bytes": ({"x": BYTES, "y": KINDS.astype("S")}, ""),
    "floats to 255": ({"x": BYTES.astype(np.float32), "y": KINDS}, ""),
    "whole numbers": ({"x": BYTES.astype(np.int64), "y": KINDS}, ""),
    "floats to 1": ({"x": BYTES / 255, "y": KINDS}, ""),
    "floats from -1 to 1": ({"x": LAST / 127.5 - 1, "y": KINDS}, ""),
    "an alpha of full strength": ({"x": np.concatenate([LAST, np.full_like(LAST[..., :1], 255)], -1), "y": KINDS}, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", LAYOUTS)
def test_layout(case: str, tmp_path: Path) -> None:
    arrays, parts = LAYOUTS[case]
    np.savez_compressed(tmp_path / "t.npz", **arrays)  # type: ignore[arg-type]
    found = data.load(str(tmp_path / "t.npz"))
    assert (found.shape, found.classes) == ((3, 6, 5), ("0", "1"))
    assert torch.allclose(found.x, torch.from_numpy(BYTES).reshape(30, -1).float() / 255, atol=1e-6)
    assert found.y.tolist() == KINDS.tolist()
    counts = {"": [18, 6, 6], "train test": [16, 4, 10], "train validation test": [16, 4, 10]}[parts]
    assert [len(getattr(found, part)) for part in data.PARTS] == counts
    assert parts == "" or found.test.tolist() == list(range(20, 30))
    assert any("official parts" in note for note in found.notes) == bool(parts)


def test_what_can_be_seen_through_lies_on_white(tmp_path: Path) -> None:
    alpha = np.zeros((30, 6, 5, 1), np.uint8)
    alpha[:, :2] = 51  # a fifth
    np.savez(tmp_path / "t.npz", x=np.concatenate([np.zeros_like(LAST), alpha], -1), y=KINDS)
    x = data.load(str(tmp_path / "t.npz")).x.reshape(30, 3, 6, 5)
    assert torch.allclose(x[:, :, :2], torch.tensor(0.8))
    assert (x[:, :, 2:] == 1).all()


RANGES: dict[str, tuple[np.ndarray, np.ndarray]] = {
    "scikit-learn's digits": ((BYTES[:, 0] % 17).astype(float), BYTES[:, 0] % 17 / 16),
    "16 bits": (BYTES[:, 0].astype(np.uint16) * 257, BYTES[:, 0] / 255),
    "shares that are rounded": (np.float32(BYTES[:, 0] / 255) * np.float32(1.0000002), BYTES[:, 0] / 255),
}


@pytest.mark.parametrize("case", RANGES)
def test_white_is_what_the_values_say(case: str, tmp_path: Path) -> None:
    given, meant = RANGES[case]
    np.savez(tmp_path / "t.npz", x=given, y=KINDS)
    x = data.load(str(tmp_path / "t.npz")).x.numpy()
    assert np.allclose(x, meant.reshape(len(meant), -1), atol=1e-6)
    assert x.max() <= 1


def test_rows_of_bytes_are_pictures(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (30, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "t.npz", x=grey.reshape(30, 64), y=KINDS)
    found = data.load(str(tmp_path / "t.npz"))
    assert found.shape == (8, 8)
    assert np.allclose(found.x.numpy(), grey.reshape(30, 64) / 255)
    assert found.notes == ("The rows are taken for the bytes of pictures of 8 x 8 (floats are measurements).",)
    np.savez(tmp_path / "t.npz", x=grey.reshape(30, 64).astype(float), y=KINDS)
    assert data.load(str(tmp_path / "t.npz")).shape == (64,)


def test_greys_with_a_channel_are_pictures_of_rows_and_columns(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", x=LAST[..., :1], y=KINDS)
    assert data.load(str(tmp_path / "t.npz")).shape == (6, 5)


def test_a_table_keeps_its_official_parts_and_is_standardised_on_the_training_part(tmp_path: Path) -> None:
    x = np.random.default_rng(1).normal(4, 2, (30, 6))
    np.savez(tmp_path / "t.npz", x_train=x[:20], y_train=KINDS[:20], x_test=x[20:], y_test=KINDS[20:])
    found = data.load(str(tmp_path / "t.npz"))
    assert found.test.tolist() == list(range(20, 30))
    assert torch.allclose(found.part("train")[0].mean(0), torch.zeros(6), atol=1e-6)
    assert torch.allclose(found.original(found.test), torch.from_numpy(x[20:]))


@pytest.mark.parametrize(
    ("arrays", "named"),
    [
        ({"x": BYTES, "y": np.ones((30, 2), int)}, r"y holds no one-hot rows \(int64 of shape \(30, 2\)\)"),
        ({"x": BYTES, "y": KINDS / 2}, "y holds fractions.*whole numbers or texts, or one-hot rows"),
        ({"x": BYTES, "y": np.where(KINDS, np.nan, 1)}, "y holds fractions"),
        ({"x": BYTES - 3.0, "y": KINDS}, "values from -3 to 252"),
        ({"x_test": BYTES, "y_test": KINDS}, "it holds x_test, y_test, but it needs the arrays x and y, or x_train"),
        ({"x": BYTES, "ids": KINDS}, "it holds ids, x"),
        ({"x_train": BYTES, "y_train": KINDS, "x_test": BYTES[:, :, 1:], "y_test": KINDS}, r"shapes \[\(3, 5, 5\), \(3, 6, 5\)\]"),
        ({"x_train": BYTES, "y_train": KINDS, "x_test": BYTES, "y_test": KINDS + 1}, "'2' has 0 samples in its training part"),
        ({"x_train": BYTES, "y_train": KINDS, "x_test": BYTES / 255, "y_test": KINDS}, "values up to 255 and 1, but all must"),
    ],
)
def test_what_is_no_such_layout_is_refused(arrays: dict[str, Any], named: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", **arrays)
    refused(tmp_path / "t.npz", f"'t.npz' cannot be used: .*{named}")


def test_arrays_that_are_left_out_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", x=BYTES, y=KINDS, ids=KINDS, labels=KINDS)
    (note,) = data.load(str(tmp_path / "t.npz")).notes
    assert note == "Used were the arrays x, y; left out: ids, labels."


NAMES = st.lists(st.sampled_from(["x", "X", "y", "x_train", "train_images", "y_train", "train_labels", "x_test", "y_test", "val_images",
                                  "val_labels", "meta", "train", "test", "y_dev", "", "interval"]), unique=True)  # fmt: skip


@given(NAMES)
def test_every_array_is_used_or_named(names: list[str]) -> None:
    found = layout(names)
    used = [name for pair in found.pairs.values() for name in pair]
    assert sorted([*used, *found.left_out]) == sorted(names)
    assert "" not in found.pairs or len(found.pairs) == 1
    assert not found.pairs or {"", "train"} & set(found.pairs)
    assert all(name in found.note for name in found.left_out)


@given(st.integers(0, 30), st.integers(0, 30), st.booleans(), st.booleans())
def test_no_sample_is_lost_or_in_two_splits(validation: int, test: int, column: bool, last: bool) -> None:
    x, y = (LAST if last else BYTES), (KINDS[:, None] if column else KINDS)
    arrays = {"x_train": x, "y_train": y}
    for part, count in (("val", validation), ("test", test)):
        if count:
            arrays |= {f"x_{part}": x[:count], f"y_{part}": y[:count]}
    with TemporaryDirectory() as folder:
        np.savez(f"{folder}/t.npz", **arrays)  # type: ignore[arg-type]
        found = data.load(f"{folder}/t.npz")
    rows = torch.cat([getattr(found, part) for part in data.PARTS])
    assert rows.sort().values.tolist() == list(range(30 + validation + test))
    if validation and test:
        assert [len(getattr(found, part)) for part in data.PARTS] == [30, validation, test]
    elif test or validation:
        assert len(found.test) == max(test, validation)


def test_the_sentence_says_where_the_splits_come_from(tmp_path: Path, one_sentence: Callable[[str], str]) -> None:
    np.savez(tmp_path / "t.npz", **parted("x_train", "y_train", "x_val", "y_val"))  # type: ignore[arg-type]
    (note,) = data.load(str(tmp_path / "t.npz")).notes
    assert one_sentence(note) == (
        "Its official parts are kept: 20 train, 10 validation; the validation part is the test split, as there is no other; "
        "4 training samples are cut off for validation."
    )
