"""The strip of samples: a click on any pixel of a sample is that sample; and the sentences on the explain page are true."""

from __future__ import annotations

import base64
import io

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from explorer.pictures import gallery
from explorer.words import explain

SHAPES = ((8, 8), (28, 28), (3, 32, 32), (5, 7))
CLASSES = ("cat", "dog", "owl")


def log_p(*rows: list[float]) -> np.ndarray:
    return np.log(np.array(rows))


def laid(figure: go.Figure) -> np.ndarray:
    """(rows, columns) of the strip's pixels: a brightness of colours too, NaN where no sample lies."""
    (trace,) = figure.data
    if trace.type == "heatmap":
        return np.asarray(trace.z)
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(trace.source.partition("base64,")[2]))))
    return np.where(pixels[..., 3] == 255, pixels[..., :3].mean(-1), np.nan)


def marked(count: int, shape: tuple[int, ...]) -> np.ndarray:
    """(S, D) images whose pixels are all different, so that a place on the sheet is known by nothing but its brightness."""
    return np.tile(np.linspace(0, 1, int(np.prod(shape))), (count, 1))


# Clicks


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("count", "columns"), [(20, 10), (13, 10), (1, 10), (9, 3)])
def test_every_pixel_of_every_sample_in_the_strip_is_that_sample(shape: tuple[int, ...], count: int, columns: int) -> None:
    figure = gallery.strip(marked(count, shape), shape, [""] * count, columns=columns)
    sheet = laid(figure)
    height, width = shape[-2:]
    seen = np.zeros(count, dtype=int)
    inked: dict[int, list[tuple[int, int]]] = {}
    for y, x in np.argwhere(~np.isnan(sheet)):
        position = gallery.clicked({"x": int(x), "y": int(y)}, shape, columns)
        seen[position] += 1
        inked.setdefault(position, []).append((int(y), int(x)))
    assert seen.tolist() == [height * width] * count
    for position, places in inked.items():
        rows, cols = np.array(places).T
        assert (np.ptp(rows) + 1, np.ptp(cols) + 1) == (height, width), position  # one picture, not parts of two
    order = sorted(inked, key=lambda position: (min(inked[position])[0], min(inked[position])[1]))
    assert order == list(range(count))  # read like a page


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_click_anywhere_on_the_sheet_is_a_place_in_the_strip(shape: tuple[int, ...]) -> None:
    sheet = laid(gallery.strip(marked(20, shape), shape, [""] * 20, columns=10))
    places = {gallery.clicked({"x": x, "y": y}, shape, 10) for y in range(sheet.shape[0]) for x in range(sheet.shape[1])}
    assert places == set(range(20))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_frame_is_around_the_selected_sample(shape: tuple[int, ...]) -> None:
    for selected in (0, 9, 10, 19):
        (frame,) = gallery.strip(marked(20, shape), shape, [""] * 20, columns=10, selected=selected).layout.shapes
        middle = {"x": (frame.x0 + frame.x1) / 2, "y": (frame.y0 + frame.y1) / 2}
        assert gallery.clicked(middle, shape, 10) == selected
    assert not gallery.strip(marked(20, shape), shape, [""] * 20, columns=10).layout.shapes


def test_each_sample_has_its_caption_below_it() -> None:
    captions = [f"class {n}" for n in range(13)]
    figure = gallery.strip(marked(13, (8, 8)), (8, 8), captions, columns=10, selected=12)
    assert [note.text for note in figure.layout.annotations] == captions
    assert figure.layout.xaxis.constraintoward == "left"
    below = [gallery.clicked({"x": note.x, "y": note.y - 1}, (8, 8), 10) for note in figure.layout.annotations]
    assert below == list(range(13))


# Filters

Y = np.array([0, 1, 2, 0])
TEACHER = log_p([0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.6, 0.2, 0.2], [0.4, 0.3, 0.3])
STUDENT = log_p([0.7, 0.2, 0.1], [0.6, 0.2, 0.2], [0.5, 0.3, 0.2], [0.1, 0.8, 0.1])


@pytest.mark.parametrize(
    ("kind", "samples"), [("all", [0, 1, 2, 3]), ("wrong", [1, 2, 3]), ("disagree", [1, 3]), ("unsure", [3, 1, 2, 0])]
)
def test_a_filter_offers_the_samples_that_it_names(kind: str, samples: list[int]) -> None:
    assert gallery.order(kind, TEACHER, STUDENT, Y).tolist() == samples


def test_every_filter_in_the_settings_is_known_to_the_gallery() -> None:
    from explorer.state.setting_types import Choice
    from explorer.state.settings import SETTINGS

    setting = SETTINGS["gallery"]
    assert isinstance(setting, Choice)
    for kind in setting.options:
        assert set(gallery.order(kind, TEACHER, STUDENT, Y)) <= {0, 1, 2, 3}


# Words


def test_a_verdict_says_the_answer_how_sure_and_whether_right() -> None:
    sure = np.log(np.array([0.1, 0.7, 0.2]))
    assert explain.verdict("student", sure, 1, CLASSES) == "The student says **dog** (70 %), which is right."
    assert explain.verdict("student", sure, None, CLASSES) == "The student says **dog** (70 %)."
    assert explain.verdict("student", sure, 2, CLASSES) == "The student says **dog** (70 %), but it is owl."


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ([0.5, -0.2, 1.5], "Superfeature 3 speaks most for dog (+1.50), superfeature 2 against it (−0.20)."),
        ([0.5, 0.2, 1.5], "Superfeature 3 speaks most for dog (+1.50); none speaks against it."),
        ([-0.5, -0.2, -1.5], "No superfeature speaks for dog."),
        ([0.0], "No superfeature speaks for dog."),
    ],
)
def test_reasons_name_the_strongest_voices(column: list[float], sentence: str) -> None:
    assert explain.reasons(np.array(column), "dog") == sentence


@pytest.mark.parametrize(
    ("members", "verdict", "reasons", "comparison"),
    [
        ("101", "Without superfeature 2", "Superfeature 3 speaks most for dog (+1.50); none that takes part", "1 of 2"),
        ("010", "Without superfeatures 1 and 3", "No superfeature that takes part speaks for dog.", "1 of 1"),
        ("000", "Without any superfeature", "What is left is the base", ""),
    ],
)
def test_what_is_switched_off_is_not_heard(members: str, verdict: str, reasons: str, comparison: str) -> None:
    on, evidence = [digit == "1" for digit in members], np.array([0.5, -0.2, 1.5])
    assert explain.verdict("net", np.log([0.1, 0.7, 0.2]), None, CLASSES, on) == f"{verdict} the net says **dog** (70 %)."
    assert explain.reasons(evidence, "dog", on).startswith(reasons)
    assert comparison in explain.comparison(evidence, np.array([0.5, -0.1, -1.5]), on)
    lit = ": for dog +0.50 by the explaining teacher." if on[0] else ", and switched off."
    assert explain.lit(0, [evidence], "dog", on) == f"Superfeature 1 is highlighted{lit}"


def test_a_comparison_counts_signs_and_compares_ranks() -> None:
    teacher = np.array([1.0, -2.0, 3.0, 0.5])
    assert "the sign of 4 of 4" in explain.comparison(teacher, 2 * teacher)
    assert "the same order" in explain.comparison(teacher, 2 * teacher)
    other = explain.comparison(teacher, np.array([1.0, 2.0, -3.0, 0.5]))
    assert "the sign of 2 of 4" in other
    assert "a different order" in other


@pytest.mark.parametrize("shape", [(3, 4), (3, 3, 4)], ids=str)
def test_a_sample_of_nan_leaves_its_place_empty(shape: tuple[int, ...]) -> None:
    images = np.vstack([np.linspace(0, 1, int(np.prod(shape))), np.full(int(np.prod(shape)), np.nan)])
    sheet = laid(gallery.strip(images, shape, ["a", ""], columns=2))
    assert np.isfinite(sheet).sum() == 12
    assert np.isnan(sheet[:, 4:]).all()


def test_captions_have_room_below_wide_pictures_too_and_are_left_out_where_a_strip_is_too_narrow() -> None:
    def lettered(shape: tuple[int, int], caption: str = "58") -> float:
        return gallery.strip(np.zeros((20, shape[0] * shape[1])), shape, [caption] * 20, columns=10).layout.meta["lettered"]

    assert lettered((8, 8)) == pytest.approx(14 * 10 * 8 * 1.18 / 4)  # half a picture's height is 14 pixels then
    assert lettered((8, 16)) == pytest.approx(lettered((8, 8)))
    assert lettered((8, 16), "58<br>0.9") == pytest.approx(2 * lettered((8, 8)))
    assert lettered((8, 8), "a long caption") > lettered((8, 8))
