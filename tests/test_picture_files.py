"""Files of pictures: each kind as people have it becomes what one sees on a white page, or is refused in a sentence."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from refusals import refused

from ked import data
from ked.data import drawing, picture_files
from ked.data.picture_files import UnusablePicture
from ked.errors import InvalidInput

FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
RED, BLACK, WHITE = (255, 0, 0), (0, 0, 0), (255, 255, 255)
UPRIGHT = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[0, 0, 0], [90, 90, 90], [255, 255, 0]]], np.uint8)


def saved(picture: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()


def seen(content: bytes, **how: Any) -> np.ndarray:
    return np.asarray(picture_files.read(io.BytesIO(content), FORMATS, 4096, **how))


def with_hole(mode: str, ink: Any, clear: Any, **info: Any) -> Image.Image:
    """Four pixels in the middle in ink, all around clear."""
    picture = Image.new(mode, (4, 4), clear)
    picture.paste(ink, (1, 1, 3, 3))
    picture.info.update(info)
    return picture


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def sixteen_bits(colour_type: int, *samples: int) -> bytes:
    """A PNG of 1 x 2 equal pixels with 16 bits a sample: 0 grey, 2 RGB, 4 grey and alpha, 6 RGB and alpha."""
    row = b"\0" + struct.pack(f">{len(samples)}H", *samples)
    header = struct.pack(">IIBBBBB", 1, 2, 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * 2)) + chunk(b"IEND", b"")


def palette(transparency: int | bytes) -> bytes:
    picture = with_hole("P", 1, 0)
    picture.putpalette([*BLACK, *RED])
    return saved(picture, transparency=transparency)


# What can be seen through


@pytest.mark.parametrize(
    ("content", "middle", "rim"),
    [
        (saved(with_hole("RGBA", (*RED, 255), (0, 0, 0, 0))), RED, WHITE),
        (saved(with_hole("RGBA", (*RED, 255), (0, 0, 0, 0)), "WEBP", lossless=True), RED, WHITE),
        (saved(with_hole("RGBA", (0, 0, 0, 102), (0, 0, 0, 0))), (153, 153, 153), WHITE),
        (saved(with_hole("RGB", RED, (1, 2, 3)), transparency=(1, 2, 3)), RED, WHITE),
        (palette(0), RED, WHITE),
        (palette(bytes([255, 51])), (255, 204, 204), BLACK),
        (saved(with_hole("LA", (0, 255), (0, 0))), 0, 255),
        (saved(with_hole("L", 40, 7), transparency=7), 40, 255),
        (saved(with_hole("1", 0, 1)), 0, 255),
    ],
    ids=["rgba", "webp", "half seen", "colour key", "palette", "half a palette", "grey and alpha", "grey key", "one bit"],
)
def test_what_can_be_seen_through_shows_a_white_ground(content: bytes, middle: Any, rim: Any) -> None:
    pixels = seen(content)
    assert (pixels[1:3, 1:3] == middle).all()
    assert (pixels[0] == rim).all()
    assert pixels.ndim == (2 if isinstance(middle, int) else 3)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("hidden", [False, True])
def test_a_figure_that_vanishes_on_white_is_refused_and_not_one_more_empty_picture(mode: str, hidden: bool) -> None:
    white, black, clear = ((255,), (0,), 0) if mode == "LA" else (WHITE, BLACK, 0)
    ink = (*black, clear) if hidden else (*white, 255)  # in the first case colours lie below an alpha of nothing but zeros
    picture = with_hole(mode, ink, (*white, clear))
    with pytest.raises(UnusablePicture, match="shows nothing on white"):
        seen(saved(picture))
    with pytest.raises(InvalidInput, match=r"shows nothing on white.*differs from white"):
        drawing.read_picture(saved(picture), (8, 8))


def test_a_picture_of_nothing_is_white() -> None:
    assert (seen(saved(Image.new("RGBA", (3, 3), (0, 0, 0, 0)))) == 255).all()


def test_ten_shapes_in_black_ink_stay_ten_pictures_of_two_classes(tmp_path: Path) -> None:
    """As `alpha-only.zip`: emoji hold their shape in the alpha alone."""
    with zipfile.ZipFile(tmp_path / "shapes.zip", "w") as archive:
        for i in range(10):
            alpha = np.zeros((12, 12), np.uint8)
            alpha[1 + i // 2 : 5 + i // 2, 2 : 6 + i % 2] = 255
            pixels = np.dstack([np.zeros((12, 12, 3), np.uint8), alpha])
            archive.writestr(f"{('disc', 'square')[i % 2]}/{i}.png", saved(Image.fromarray(pixels)))
    found = data.load(str(tmp_path / "shapes.zip"))
    assert len(found.x.unique(dim=0)) == 10
    assert found.x.mean() > 0.8  # on white


def test_a_picture_without_holes_is_as_it_was_also_where_its_file_has_an_alpha() -> None:
    solid = np.dstack([UPRIGHT, np.full((2, 3), 255, np.uint8)])
    assert np.array_equal(seen(saved(Image.fromarray(solid))), UPRIGHT)
    assert np.array_equal(seen(saved(Image.fromarray(UPRIGHT))), UPRIGHT)


# Kinds, turns and frames


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_photograph_is_upright_whichever_way_the_camera_was_held(turn: int) -> None:
    """EXIF's eight orientations, undone by hand: turned by quarters, the even of 2 to 5 and 7 mirrored."""
    stored = {
        1: UPRIGHT, 2: UPRIGHT[:, ::-1], 3: UPRIGHT[::-1, ::-1], 4: UPRIGHT[::-1], 5: UPRIGHT.transpose(1, 0, 2),
        6: np.rot90(UPRIGHT), 7: UPRIGHT[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(UPRIGHT, -1),
    }[turn]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = turn
    content = saved(Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    assert np.array_equal(seen(content), UPRIGHT)
    assert np.array_equal(seen(content, upright=False), stored)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animated_picture_the_first_frame_is_taken(kind: str) -> None:
    frames = [with_hole("RGBA", (*colour, 255), (0, 0, 0, 0)) for colour in (RED, BLACK, (0, 0, 255))]
    how = {"lossless": True} if kind == "WEBP" else {}
    pixels = seen(saved(frames[0], kind, save_all=True, append_images=frames[1:], **how))
    assert (pixels[1:3, 1:3] == RED).all()
    assert (pixels[0] == WHITE).all()


def test_the_colours_of_print_are_those_of_the_screen() -> None:
    content = saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=100)  # magenta and yellow: red
    assert np.abs(seen(content).astype(int) - RED).max() < 8


def test_colours_with_sixteen_bits_are_rounded_to_eight_and_greys_with_sixteen_are_refused() -> None:
    assert (seen(sixteen_bits(2, 0xFF00, 0x8000, 0)) == (255, 128, 0)).all()
    assert (seen(sixteen_bits(6, 0xFF00, 0x8000, 0, 0xFFFF)) == (255, 128, 0)).all()
    assert np.abs(seen(sixteen_bits(4, 0x4000, 0xFFFF)).astype(int) - 64).max() <= 1
    content = saved(Image.fromarray(np.full((4, 4), 60_000, np.uint16)))
    with pytest.raises(UnusablePicture, match="more than 8 bits"):
        seen(content)
    with pytest.raises(InvalidInput, match=r"^The file has more than 8 bits for a colour, but 8 are allowed\.$"):
        drawing.read_picture(content, (8, 8))


# What is none


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_that_was_cut_short_is_whole_or_refused_but_never_another(kind: str) -> None:
    content = saved(Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)), kind)
    whole, taken = seen(content), 0
    for length in range(len(content)):
        try:
            assert np.array_equal(seen(content[:length]), whole)
            taken += 1
        except UnusablePicture:
            continue
    assert taken <= 20  # where only what follows the pixels is missing


def changed(content: bytes, seed: int) -> bytes:
    generator, found = np.random.default_rng(seed), bytearray(content)
    for place in generator.integers(0, len(found), 3):
        found[place] = generator.integers(256)
    return bytes(found)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("read", [seen, lambda content: drawing.read_picture(content, (8, 8))], ids=["zip", "upload"])
def test_damaged_bytes_never_lead_to_anything_but_a_refusal(kind: str, read: Callable[[bytes], np.ndarray]) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a camera"
    content = saved(Image.fromarray(UPRIGHT).resize((12, 9)), kind, **({} if kind == "BMP" else {"exif": exif}))
    refusals = 0
    for seed in range(300):
        try:
            read(changed(content, seed))
        except (UnusablePicture, InvalidInput):
            refusals += 1
    assert refusals > 10


def huge(side: int) -> bytes:
    """A few bytes of PNG whose header, with the right checksum, promises so many rows and columns."""
    content = saved(Image.new("L", (1, 1)))
    return content[:8] + chunk(b"IHDR", struct.pack(">II", side, side) + content[24:29]) + content[33:]


@pytest.mark.parametrize("side", [4097, 10_000, 14_000, 65_536])
def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("it was decoded"))
    with pytest.raises(UnusablePicture, match="at most 4096 x 4096"):
        seen(huge(side))


def test_a_picture_in_a_zip_is_named_with_what_is_wrong_with_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        for i in range(10):
            archive.writestr(f"{'ab'[i % 2]}/{i}.png", saved(Image.fromarray(np.roll(UPRIGHT, i, 1))))
        archive.writestr("a/white.png", saved(with_hole("LA", (255, 255), (255, 0))))
    refused(tmp_path / "t.zip", "'a/white.png' in it shows nothing on white, but a figure that differs from white is needed")
