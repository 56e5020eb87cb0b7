"""A drawing becomes what the data set's own pictures are, and what is no picture is refused with a sentence."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ked.data import Dataset, drawing, fashion_mnist, load
from ked.data.drawing import as_sample, read_picture, sheet
from ked.errors import InvalidInput
from ked.nets.inference import predict
from ked.store import load_run


def enlarged(picture: np.ndarray, times: int, border: int) -> np.ndarray:
    return np.pad(np.kron(picture, np.ones((times, times))), border)


def pictures(side: int, name: str = "own", light: bool = True) -> Dataset:
    """Grey pictures of somebody's own, light on dark or dark on light."""
    x = torch.zeros(20, side, side)
    x[:, 1:-1, 1:-1] = torch.rand(20, side - 2, side - 2)
    rows = torch.arange(20)
    return Dataset(
        name, (x if light else 1 - x).flatten(1), rows % 2, rows[:12], rows[12:16], rows[16:], (side, side), ("a", "b"),
        tuple(map(str, range(side * side))),
    )  # fmt: skip


def png(grey: np.ndarray, mode: str = "L", kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.rint(255 * grey).astype(np.uint8)).convert(mode).save(file, kind)
    return file.getvalue()


# Into the data set's own form


def test_an_enlarged_digit_comes_back_as_itself_where_its_makers_would_have_put_it() -> None:
    data = load("digits")
    x = data.part("test")[0].reshape(-1, 8, 8)
    inked = (x > drawing._FAINT).any(1)
    x = x[inked[:, 1] & inked[:, 6] & (x[:, :, [0, 7]] == 0).all(2).all(1)]  # six columns wide, in the middle
    assert len(x) > 100
    for one in x:
        assert torch.equal(as_sample(enlarged(one.numpy(), 9, 12), data).reshape(8, 8), one)


@pytest.mark.parametrize(("name", "side"), [("digits", 8), ("fashion-mnist", 28)])
def test_nets_read_enlarged_pictures_nearly_as_well_as_the_pictures(name: str, side: int) -> None:
    if name == "fashion-mnist" and fashion_mnist.find() is None:
        pytest.skip("Fashion-MNIST is not on this machine: install Debian's dataset-fashion-mnist or set KED_DATA")
    data, teacher = load(name), load_run(f"{name}-preset").teacher()
    x, y = (part[:300] for part in data.part("test"))
    again = torch.stack([as_sample(enlarged(one.reshape(side, side).numpy(), 3, 6), data) for one in x])
    right, read = (float((predict(teacher, pictures)[0].argmax(1) == y).float().mean()) for pictures in (x, again))
    assert read > right - 0.05


@pytest.mark.parametrize(("rows", "columns"), [(5, 40), (60, 3), (1, 1), (96, 96)])
def test_a_figure_fills_its_box_whatever_its_size_and_place(rows: int, columns: int) -> None:
    figure = np.zeros((96, 96))
    figure[-rows:, :columns] = 0.7
    inked = as_sample(figure, load("digits")).reshape(8, 8) > 0
    assert max(int(inked.any(axis).sum()) for axis in (0, 1)) == 8


def test_digits_count_points_of_four_by_four() -> None:
    steps = 16 * as_sample(np.random.default_rng(0).random((96, 96)), load("digits"))
    assert torch.equal(steps, steps.round())


def test_mnists_figures_have_their_centre_of_mass_in_the_middle() -> None:
    figure = np.zeros((84, 84))
    figure[10:70, 10:20], figure[60:70, 10:60] = 1.0, 1.0  # an L, far from the middle of its box
    picture = as_sample(figure, pictures(28, "mnist")).reshape(28, 28)
    for axis in (0, 1):
        middle = float((torch.arange(28.0) * picture.sum(1 - axis)).sum() / picture.sum())
        assert middle == pytest.approx(13.5, abs=0.5)


def test_data_of_ones_own_are_taken_where_they_stand() -> None:
    data = pictures(12)
    assert sheet(data) == (96, 96)
    figure = np.zeros((96, 96))
    figure[8:16, 80:88] = 1.0
    expected = torch.zeros(12, 12)
    expected[1, 10] = 1.0
    assert torch.equal(as_sample(figure, data).reshape(12, 12), expected)


def test_dark_figures_on_a_light_ground_stay_dark() -> None:
    empty = np.zeros((96, 96))
    assert as_sample(empty, pictures(12)).eq(0).all()
    assert as_sample(empty, pictures(12, light=False)).eq(1).all()


@pytest.mark.parametrize(("shape", "size"), [((8, 8), (96, 96)), ((28, 28), (84, 84)), ((28, 56), (56, 112)), ((200, 10), (200, 10))])
def test_a_sheet_is_a_whole_multiple_of_the_picture(shape: tuple[int, int], size: tuple[int, int]) -> None:
    D = shape[0] * shape[1]
    data = replace(pictures(12), x=torch.zeros(20, D), shape=shape, features=tuple(map(str, range(D))))
    assert sheet(data) == size


# Uploads


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("light", [True, False])
def test_ink_is_what_differs_from_the_rim(kind: str, light: bool) -> None:
    grey = np.full((40, 40), 0.9 if light else 0.1)
    grey[10:30, 10:30] = 0.2 if light else 0.7
    figure = read_picture(png(grey, kind=kind), (40, 40))
    assert figure[20, 20] == pytest.approx(1.0, abs=0.12)
    assert figure[2, 2] == pytest.approx(0.0, abs=0.05)


def test_a_visitor_can_say_what_the_ground_is() -> None:
    grey = np.full((10, 10), 0.4)
    grey[4:6, 4:6] = 0.9
    assert read_picture(png(grey), (10, 10), "dark")[5, 5] == 1.0
    assert read_picture(png(grey), (10, 10), "light")[5, 5] == 0.0


def test_what_can_be_seen_through_is_white() -> None:
    picture = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (5, 5, 15, 15))
    file = io.BytesIO()
    picture.save(file, "PNG")
    figure = read_picture(file.getvalue(), (20, 20))
    assert figure[10, 10] == 1.0
    assert figure[1, 1] == 0.0


def test_a_long_picture_is_fitted_in_without_being_squeezed() -> None:
    grey = np.zeros((20, 80))
    grey[4:14, 30:40] = 1.0  # a square stays one
    inked = read_picture(png(grey), (40, 40)) > 0.5
    assert inked.any(0).sum() == inked.any(1).sum() == 5
    assert np.flatnonzero(inked.any(1)).mean() == pytest.approx(19, abs=0.6)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "PNG and JPEG"),
        (b"no picture", "PNG and JPEG"),
        (png(np.zeros((9, 9)), kind="GIF"), "PNG and JPEG"),
        (png(np.random.default_rng(0).random((40, 40)))[:300], "PNG and JPEG"),
        (png(np.zeros((2, 5000))), "5000 x 2"),
        (b"\x00" * (drawing.BYTES + 1), "8 MB"),
    ],
    ids=["empty", "text", "gif", "cut short", "too wide", "too large"],
)
def test_what_is_no_picture_is_refused_with_a_sentence(content: bytes, named: str, one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_picture(content, (40, 40))
    assert named in one_sentence(str(refusal.value).replace("8.0", "8"))


@pytest.mark.parametrize("shape", [(144,), (3, 6, 8)])
def test_tables_and_pictures_in_colour_cannot_be_drawn(shape: tuple[int, ...], one_sentence: Callable[[str], str]) -> None:
    data = replace(pictures(12), shape=shape)
    with pytest.raises(InvalidInput) as refusal:
        as_sample(np.zeros((96, 96)), data)
    assert "own" in one_sentence(str(refusal.value))


def test_an_empty_picture_is_an_empty_sheet() -> None:
    assert read_picture(png(np.full((9, 9), 0.3)), (40, 40)).max() == 0.0
