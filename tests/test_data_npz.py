"""A user's own arrays: what NPZ files become, and the one sentence with which each wrong one is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from refusals import refused

from ked import data
from ked.data import limits

Y = np.arange(20) % 2
RNG = np.random.default_rng(0)


def _npz(path: Path, **arrays: np.ndarray) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def test_an_npz_table_is_standardised(tmp_path: Path) -> None:
    x = RNG.normal(5, 3, (20, 4))
    table = data.load(str(_npz(tmp_path / "t.npz", x=x, y=np.array(["b", "a"])[Y])))
    train = x[table.train.numpy()]
    assert (table.shape, table.classes, table.y.tolist()) == ((4,), ("a", "b"), (1 - Y).tolist())
    assert torch.allclose(table.x.double(), torch.from_numpy((x - train.mean(0)) / train.std(0)), atol=1e-5)


@pytest.mark.parametrize(("side", "shape"), [((3, 5), (3, 5)), ((1, 3, 5), (3, 5)), ((3, 4, 5), (3, 4, 5))])
def test_npz_pictures_are_brought_to_the_unit_interval(tmp_path: Path, side: tuple[int, ...], shape: tuple[int, ...]) -> None:
    x = RNG.integers(0, 256, (20, *side), dtype=np.uint8)
    pictures = data.load(str(_npz(tmp_path / "p.npz", x=x, y=Y)))
    assert pictures.shape == shape
    assert torch.equal(pictures.x, torch.from_numpy(x).reshape(20, -1).float() / 255)
    fractions = data.load(str(_npz(tmp_path / "f.npz", x=x / 255, y=Y)))
    assert torch.allclose(fractions.x, pictures.x)


X = np.ones((20, 3))


@pytest.mark.parametrize(
    ("arrays", "named"),
    [
        ({"x": X, "ids": Y}, "it holds ids, x.*needs the arrays x and y"),
        ({"x": X.astype(object), "y": Y}, "x holds Python objects"),
        ({"x": X, "y": Y.astype(object)}, "y holds Python objects"),
        ({"x": X.astype(str), "y": Y}, "x holds <U32.*numbers"),
        ({"x": X.astype(complex), "y": Y}, "x holds complex128"),
        ({"x": X[0], "y": Y}, r"x has the shape \(3,\).*\(samples, features\)"),
        ({"x": np.ones((20, 2, 4, 4)), "y": Y}, r"x has the shape \(20, 2, 4, 4\)"),
        ({"x": X[:0], "y": Y[:0]}, r"x has the shape \(0, 3\)"),
        ({"x": np.where(np.arange(60).reshape(20, 3) == 7, np.nan, 1), "y": Y}, r"x holds nan at \(2, 1\)"),
        ({"x": np.full((20, 2, 2), 1e39), "y": Y}, "values from 1e\\+39 to 1e\\+39"),
        ({"x": X, "y": Y[:19]}, r"y has the shape \(19,\).*20 samples"),
        ({"x": X, "y": Y / 2}, "y holds fractions.*whole numbers or texts"),
        ({"x": X, "y": np.arange(20)}, "class '0' has 1 samples"),
        ({"x": X, "y": Y * 0}, "1 class"),
        ({"x": np.full((20, 2, 2), -1.5), "y": Y}, "values from -1.5 to -1.5"),
        ({"x": np.full((20, 2, 2), 70_000), "y": Y}, "values from 70000 to 70000"),
        ({"x": np.linspace(0, 3.5, 80).reshape(20, 2, 2), "y": Y}, "values from 0 to 3.5, but 0 to 1"),
        ({"x": np.ones((20, 12_289), bool), "y": Y}, "12289 features"),
    ],
)
def test_an_npz_file_that_cannot_be_used_isrefused(tmp_path: Path, arrays: dict, named: str) -> None:
    refused(_npz(tmp_path / "t.npz", **arrays), f"'t.npz' cannot be used.*{named}")


def test_an_npz_file_is_never_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pickle.load", None)
    monkeypatch.setattr("pickle.loads", None)
    refused(_npz(tmp_path / "t.npz", x=np.array([{}] * 20), y=Y), "Python objects")


def _member(key: str, array: np.ndarray, header: dict | None = None) -> tuple[str, bytes]:
    file = io.BytesIO()
    np.lib.format.write_array(file, array)
    if header is not None:
        file = io.BytesIO()
        np.lib.format.write_array_header_1_0(file, header)
    return f"{key}.npy", file.getvalue()


def test_an_npz_file_that_promises_more_than_it_holds_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        archive.writestr(*_member("x", X, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**3)}))
        archive.writestr(*_member("y", Y))
    refused(tmp_path / "t.npz", r"x promises the shape \(1000000000, 1000\)")


def test_an_npz_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _npz(tmp_path / "t.npz", x=np.zeros((20, 50)), y=Y)
    monkeypatch.setattr(limits, "UNPACKED_BYTES", 1000)
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    refused(path, "too large.*1000 bytes")


@pytest.mark.parametrize("content", [b"not a zip", b"PK\x03\x04 but no more"])
def test_what_is_no_archive_isrefused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.npz").write_bytes(content)
    refused(tmp_path / "t.npz", "cannot be unpacked")


def test_a_member_that_is_no_array_isrefused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        archive.writestr("x.npy", b"nonsense")
        archive.writestr(*_member("y", Y))
    refused(tmp_path / "t.npz", "cannot be unpacked.*numpy.savez")


def test_an_npz_file_has_no_column_to_choose(tmp_path: Path) -> None:
    refused(_npz(tmp_path / "t.npz", x=X, y=Y), "column 'kind' was asked for.*array y", label="kind")
