"""Figures of what branches look at, and the sentences about channel groups, show the numbers that they were given."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.pictures import maps, theme
from explorer.words import explain

SHAPE = (4, 6)


def cell(values: np.ndarray | None, *lines: str) -> maps.Cell:
    return maps.Cell(np.linspace(0, 1, 24), values, lines, "superfeature 1")


def test_every_map_lies_on_its_own_picture_in_one_colour_and_on_one_scale() -> None:
    values = [np.full(SHAPE, float(number)) for number in range(5)]
    drawing = maps.sheet([cell(v, "a") for v in values], SHAPE, "#0077BB", limit=9.0, columns=2, width=200)
    pictures, tints = drawing.data[::2], drawing.data[1::2]
    assert [float(tint.z[0, 0]) for tint in tints] == [0, 1, 2, 3, 4]
    assert len({(trace.x0, trace.y0) for trace in pictures}) == 5
    for picture, tint in zip(pictures, tints, strict=True):
        assert (picture.x0, picture.y0) == (tint.x0, tint.y0)
        assert (tint.zmin, tint.zmax) == (0, 9)
        assert tint.z.shape == SHAPE  # anything else is not drawn
        assert [colour for _, colour in tint.colorscale] == [theme.faded("#0077BB", 0), theme.faded("#0077BB", 0.85)]


def test_pictures_do_not_overlap_and_all_are_in_view() -> None:
    drawing = maps.sheet([cell(None, "a", "b")] * 7, SHAPE, "#0077BB", limit=1.0, columns=3, width=200)
    boxes = [(shape.x0, shape.x1, shape.y0, shape.y1) for shape in drawing.layout.shapes]
    for i, (left, right, top, bottom) in enumerate(boxes):
        assert drawing.layout.xaxis.range[0] <= left < right <= drawing.layout.xaxis.range[1]
        assert drawing.layout.yaxis.range[1] <= top < bottom <= drawing.layout.yaxis.range[0]
        for l2, r2, t2, b2 in boxes[i + 1 :]:
            assert right <= l2 or r2 <= left or bottom <= t2 or b2 <= top


def test_a_picture_without_a_map_is_shown_bare_with_its_text() -> None:
    drawing = maps.sheet([cell(None, "student <b>off</b>")], SHAPE, "#0077BB", limit=1.0, columns=1, width=200, head="head")
    assert len(drawing.data) == 1
    assert [annotation.text for annotation in drawing.layout.annotations] == ["head", "student <b>off</b>"]


def test_colour_pictures_are_drawn_too() -> None:
    colour = maps.Cell(np.random.default_rng(0).random(3 * 24), np.ones(SHAPE), (), "")
    assert maps.sheet([colour], (3, *SHAPE), "#0077BB", limit=1.0, columns=1, width=200).data[0].type == "image"


def test_links_of_groups_are_told_as_multiples_of_chance() -> None:
    heat = maps.group_links(np.array([[1.5, 0.75], [0.75, np.nan]])).data[0]
    assert heat.z[0] == pytest.approx([0.5, -0.25])
    assert list(heat.text[0]) == ["1.50×", "0.75×"]
    assert heat.text[1][1] == "–"
    assert heat.zmax == -heat.zmin == 0.5


def test_channels_are_counted_from_one() -> None:
    assert explain.channels(range(62, 124)) == "channels 63–124"
    assert explain.channels((4,)) == "channel 5"


@pytest.mark.parametrize(
    ("inside", "verdict"), [(1.0, "Nearly."), (0.7, "More than not."), (0.5, "Not quite."), (0.3, "No."), (0.2, "No.")]
)
def test_the_verdict_on_independence_follows_the_numbers(inside: float, verdict: str) -> None:
    said = explain.independence(inside, 0.25, 4)
    assert said.startswith(f"Are the 4 groups independent? **{verdict}** {100 * inside:.1f} % of all link strength")
    assert "25.0 %" in said
    assert ("no more than" in said) == (inside <= 0.25)


def test_one_group_or_no_links_have_a_sentence_of_their_own() -> None:
    assert "one group only" in explain.independence(1.0, 1.0, 1)
    assert "no links at all" in explain.independence(float("nan"), 0.25, 4)
