"""A user's own pictures: what a zip of class folders becomes, and the one sentence with which each wrong one is refused."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from refusals import refused

from ked import data
from ked.data import limits

GREY, COLOUR = (8, 6), (8, 6, 3)


def _picture(shape: tuple[int, ...] = COLOUR, seed: int = 0, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(file, kind)
    return file.getvalue()


def _zip(
    path: Path, more: dict[str, bytes] | None = None, picture: Callable[[int], bytes] | None = None, above: str = ""
) -> Path:
    """Two classes of six pictures each, and `more` files."""
    picture = picture or (lambda i: _picture(seed=i))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(12):
            archive.writestr(f"{above}{('cat', 'dog')[i % 2]}/{i:02}.png", picture(i))
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("above", ["", "pets/"])
@pytest.mark.parametrize(("pixels", "shape"), [(GREY, (8, 6)), (COLOUR, (3, 8, 6))])
def test_a_zip_of_class_folders_is_pictures_of_these_classes(tmp_path: Path, above: str, pixels, shape) -> None:
    clutter = {"__MACOSX/cat/._00.png": b"x", f"{above}cat/.DS_Store": b"x"}
    path = _zip(tmp_path / "pets.zip", clutter, lambda i: _picture(pixels, i), above)
    pets = data.load(str(path))
    assert (pets.name, pets.shape, pets.classes) == ("pets.zip", shape, ("cat", "dog"))
    assert pets.y.tolist() == [0] * 6 + [1] * 6
    first = np.asarray(Image.open(io.BytesIO(_picture(pixels, 0))))
    expected = first if pixels == GREY else first.transpose(2, 0, 1)
    assert torch.equal(pets.x[0], torch.from_numpy(expected.copy()).flatten().float() / 255)
    assert len(pets.train) + len(pets.validation) + len(pets.test) == 12


def test_pictures_of_different_sizes_kinds_and_colours_become_alike(tmp_path: Path) -> None:
    def picture(i: int) -> bytes:
        return _picture((20 + 40 * i, 90 - i) if i % 3 else (50, 20, 3), i, ("PNG", "JPEG", "BMP", "WEBP")[i % 4])

    assert data.load(str(_zip(tmp_path / "t.zip", picture=picture))).shape == (3, 32, 32)


def test_large_pictures_keep_their_middle_and_their_colour(tmp_path: Path) -> None:
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, 100:200] = (255, 128, 0)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    x = data.load(str(_zip(tmp_path / "t.zip", picture=lambda _: file.getvalue()))).x.reshape(-1, 3, 32, 32)
    assert torch.allclose(x[0].mean((1, 2)), torch.tensor([1, 128 / 255, 0]))


def test_a_picture_that_is_made_smaller_keeps_the_mean_of_what_each_new_pixel_covers(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (128, 128), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    x = data.load(str(_zip(tmp_path / "t.zip", picture=lambda _: file.getvalue()))).x[0].reshape(32, 32)
    assert np.abs(255 * x.numpy() - pixels.reshape(32, 4, 32, 4).mean((1, 3))).max() <= 1


@pytest.mark.parametrize(("side", "kept"), [((64, 64), (64, 64)), ((64, 3), (64, 3)), ((65, 64), (32, 32)), ((3, 65), (32, 32))])
def test_pictures_up_to_64_by_64_of_one_size_are_taken_as_they_are(tmp_path: Path, side: tuple, kept: tuple) -> None:
    assert data.load(str(_zip(tmp_path / "t.zip", picture=lambda i: _picture(side, i)))).shape == kept


def _broken_crc(path: Path) -> Path:
    content = bytearray(_zip(path).read_bytes())
    place = content.index(b"cat/00.png") + 40  # within the first picture's bytes
    content[place] ^= 0xFF
    path.write_bytes(bytes(content))
    return path


def _link(path: Path) -> Path:
    _zip(path)
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("cat/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return path


def _encrypted(path: Path) -> Path:
    content = bytearray(_zip(path).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flag in the archive's table
    path.write_bytes(bytes(content))
    return path


def _bomb() -> bytes:
    """A few bytes of PNG whose header, with the right checksum, says 65 536 x 65 536 pixels."""
    content = bytearray(_picture((1, 1)))
    content[16:24] = struct.pack(">II", 1 << 16, 1 << 16)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


@pytest.mark.parametrize(
    ("write", "named"),
    [
        (lambda path: _zip(path, {"../../etc/cat/1.png": b""}), r"'\.\./\.\./etc/cat/1\.png' in it points outside"),
        (lambda path: _zip(path, {"/cat/1.png": b""}), "'/cat/1.png' in it points outside"),
        (lambda path: _zip(path, {"C:/cat/1.png": b""}), "points outside"),
        (_link, "'cat/link.png' in it is a link"),
        (_encrypted, "is encrypted.*without a password"),
        (lambda path: _zip(path, {"cat/x.png": b"hello"}), "'cat/x.png' in it is no picture.*PNG, JPEG, BMP, WEBP, GIF, TIFF"),
        (lambda path: _zip(path, {"cat/x.png": _picture()[:-30]}), "'cat/x.png' in it is no picture"),
        (lambda path: _zip(path, {"cat/x.png": _bomb()}), "'cat/x.png' in it.*at most 4096 x 4096"),
        (
            lambda path: _zip(path, {f"bird/{i}.png": _picture() for i in range(4)}),
            r"class 'bird' has 4 samples, but every class needs at least 5 \(the folders are the classes\)",
        ),
        (_broken_crc, "'cat/00.png' in it"),
    ],
)
def test_a_zip_that_cannot_be_used_isrefused(tmp_path: Path, write: Callable[[Path], Path], named: str) -> None:
    refused(write(tmp_path / "t.zip"), f"'t.zip' cannot be used.*{named}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.zip"]


def test_a_picture_with_sixteen_bits_isrefused(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(np.full((4, 4), 60_000, np.uint16)).save(file, "PNG")
    refused(_zip(tmp_path / "t.zip", {"cat/deep.png": file.getvalue()}), "'cat/deep.png' in it has more than 8 bits")


def test_a_zip_with_one_class_or_none_isrefused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "none.zip", "w"):
        pass
    refused(tmp_path / "none.zip", "no pictures in class folders")
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        for i in range(6):
            archive.writestr(f"cat/{i}.png", _picture())
    refused(tmp_path / "one.zip", "1 class")


@pytest.mark.parametrize(
    ("limit", "value", "named"),
    [("UNPACKED_BYTES", 500, "too large.*500 bytes"), ("MEMBER_BYTES", 100, "has .* bytes.*100"), ("SAMPLES", 11, "12 samples.*11")],
)  # fmt: skip
def test_zip_bombs_are_refused_before_anything_is_unpacked(
    tmp_path: Path, monkeypatch, limit: str, value: int, named: str
) -> None:
    path = _zip(tmp_path / "t.zip")
    monkeypatch.setattr(limits, limit, value)
    monkeypatch.setattr(zipfile.ZipFile, "read", None)
    refused(path, named)


def test_more_pictures_than_fit_into_this_machine_are_refused_with_how_many_would_before_any_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _zip(tmp_path / "t.zip")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("it was decoded"))
    monkeypatch.setattr(limits.machine, "memory", lambda: 8 * 2 * 11 * 3 * 8 * 6)
    refused(path, "12 samples of 144 features.* GB of this machine's memory are for one data set, and 11 such samples would fit")


@pytest.mark.parametrize("content", [b"not a zip", b"PK\x03\x04 but no more"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.zip").write_bytes(content)
    refused(tmp_path / "t.zip", "not a zip archive")


def test_a_zip_of_pictures_has_no_column_to_choose(tmp_path: Path) -> None:
    refused(_zip(tmp_path / "t.zip"), "column 'kind' was asked for.*folders", label="kind")
