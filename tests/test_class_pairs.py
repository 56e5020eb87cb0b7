"""Classes that are pairs: the grid that their names form, what an answer over it says, and the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.pictures.answer_grid import FAINT, answer_grid
from explorer.words import pairs as words
from ked.data.class_pairs import ClassPairs, class_pairs

DIGITS = tuple("0123456789")
PAIRS = ClassPairs(DIGITS, DIGITS)
GARMENTS = ("T-shirt/top", "Trouser", "Pullover", "Dress")


def test_pairs_are_found_in_the_names_whatever_stands_between() -> None:
    assert class_pairs([a + b for a in DIGITS for b in DIGITS]) == PAIRS
    assert class_pairs([f"{a} + {b}" for a in DIGITS for b in GARMENTS]) == ClassPairs(DIGITS, GARMENTS)


@pytest.mark.parametrize(
    "classes", [DIGITS, ("cat", "dog"), [f"class {number}" for number in range(1, 101)], [str(number) for number in range(100)], []]
)
def test_names_that_are_no_pairs_form_no_grid(classes: list[str]) -> None:
    assert class_pairs(classes) is None


@given(st.integers(0, 9), st.integers(0, 9))
def test_an_answer_that_knows_a_figure_says_which_and_that_the_other_is_open(first: int, second: int) -> None:
    row = np.zeros((10, 10))
    row[first] = 0.1
    assert words.says("It", row.ravel(), PAIRS) == f"**It** reads the first as **{first}** (100 %) and leaves the second open."
    assert words.knows(row.T.ravel(), PAIRS) == (False, True)
    cell = np.zeros((10, 10))
    cell[first, second] = 1
    assert words.knows(cell.ravel(), PAIRS) == (True, True)
    said = words.together(cell.ravel(), [a + b for a in DIGITS for b in DIGITS], [True, False], 10 * first + second)
    assert said == f"Without team 2 the net says **{first}{second}** (100 %), and that is right."


def test_a_cell_of_the_grid_is_its_pair_and_as_clear_as_the_logarithm_of_its_probability() -> None:
    p = np.zeros(100)
    p[27], p[28] = np.exp(-1.0), 1 - np.exp(-1.0)
    (cells,) = answer_grid(p, PAIRS, truth=27).data
    levels = np.array(cells.z)
    assert levels[2, 7] == pytest.approx(-1.0)
    assert np.argmax(levels) == 28
    assert np.sort(levels.ravel())[:-2].tolist() == [-FAINT] * 98
    assert cells.customdata[2][7].tolist() == ["2 and 7", "36.8 %"]
