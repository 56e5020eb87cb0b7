"""Pictures on the screen: colours stay colours, row 0 is at the top, and what lies over a picture leaves it to be seen."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from explorer.pictures import chimeras, gallery, maps, overlays, pixels

SHAPE = (3, 4, 6)
PICTURE = np.zeros(SHAPE)
PICTURE[0, :2], PICTURE[2, 2:], PICTURE[1, :, 3:] = 1, 1, 0.5  # red above blue, with some green to the right
GROUPS = (range(36), range(36, 72))
COLOURS = np.round(255 * PICTURE.transpose(1, 2, 0)).astype(int)


def shown(figure: go.Figure) -> np.ndarray:
    """(H, W, 3) of the picture that lies lowest."""
    trace = figure.data[0]
    assert trace.type == "image"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(trace.source.partition("base64,")[2]))))[..., :3].astype(int)


FIGURES: dict[str, Callable[[], go.Figure]] = {
    "a strip": lambda: gallery.strip(PICTURE.reshape(1, -1), SHAPE, [""], columns=1),
    "by itself": lambda: maps.plain(PICTURE.ravel(), SHAPE, height=200),
    "a cell without a map": lambda: maps.sheet([maps.Cell(PICTURE.ravel(), None)], SHAPE, None, limit=1, columns=1, width=200),
    "a chimera": lambda: chimeras.assembled(GROUPS, PICTURE.ravel(), SHAPE, ["", ""], replaced=(False, True)),
    "under a mask": lambda: overlays.superfeature_mask(GROUPS, SHAPE, image=PICTURE.ravel(), over=True),
    "under contributions": lambda: overlays.contributions(GROUPS, np.ones(2), SHAPE, PICTURE.ravel(), limit=1),
    "under a map": lambda: maps.sheet([maps.Cell(PICTURE.ravel(), np.ones((4, 6)))], SHAPE, None, limit=1, columns=1, width=200),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_in_colour_is_in_its_colours_and_the_right_way_up(name: str) -> None:
    figure = FIGURES[name]()
    seen = shown(figure)[:4, :6]
    assert figure.data[0].zsmooth is False  # sharp where enlarged
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # row 0 at the top
    if name in ("under contributions", "under a map"):  # paler, but red is still red, and blue blue
        assert (seen[:2, :, 0] - seen[:2, :, 2] > 100).all()
        assert (seen[2:, :, 2] - seen[2:, :, 0] > 100).all()
        assert np.corrcoef(seen.ravel(), COLOURS.ravel())[0, 1] > 0.95
    else:
        assert np.array_equal(seen, COLOURS)


def test_a_mask_over_colours_is_thin_and_says_which_superfeature_is_pointed_at() -> None:
    figure = FIGURES["under a mask"]()
    mask = next(trace for trace in figure.data if trace.name == overlays.MASK)
    assert set(np.asarray(mask.z)[..., 3].ravel().tolist()) == {76}
    assert set(np.asarray(mask.customdata).ravel().tolist()) == {1, 2}


def test_a_grey_picture_is_ink_that_suits_light_and_dark() -> None:
    ramp = np.linspace(0.2, 0.7, 12)
    trace = pixels.picture_trace(ramp, (3, 4))
    assert trace.type == "heatmap"
    assert np.array_equal(np.asarray(trace.z), np.round(np.linspace(0, 255, 12)).reshape(3, 4))
    assert not pixels.in_colour((3, 4))
