"""Every press of a button that counts is taken once and in order, whatever becomes of the messages that tell of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.components.presses import Press, fresh


class Browser:
    """What `presses.js` does: it tells of a press with all before it that were not taken yet."""

    def __init__(self, row: str) -> None:
        self.row, self.number = row, 0
        self.open: list[dict[str, Any]] = []

    def press(self, do: str) -> None:
        self.number += 1
        self.open = [*self.open, {"row": self.row, "number": self.number, "do": do}]

    def hear(self, taken: Press | None) -> None:
        if taken is not None and taken.row == self.row:
            self.open = [press for press in self.open if press["number"] > taken.number]


# What happens one after the other: a press, a look of the server at what it was told last (perhaps of long ago), an answer, a new page.
MOVES = st.lists(st.sampled_from(["press", "told", "look", "look", "answer", "again"]), max_size=200)


@given(MOVES)
def test_each_press_is_taken_once_and_in_order(moves: list[str]) -> None:
    browser, told, last = Browser("row-0"), [], None
    made: list[tuple[str, int]] = []
    taken: list[tuple[str, int]] = []
    for count, move in enumerate([*moves, "told", "look"]):
        if move == "press":
            browser.press("batch")
            made.append((browser.row, browser.number))
        if move == "told" or (move == "again" and not browser.open):
            told = browser.open
        if move == "look":
            new = fresh(told, last)
            taken += [(press.row, press.number) for press in new]
            last = new[-1] if new else last
        if move == "answer":
            browser.hear(last)
        if move == "again" and not browser.open:
            browser = Browser(f"row-{count}")
    assert taken == made


NONE = {
    "nothing": None,
    "a text": "batch",
    "texts": ["batch"],
    "no number": [{"row": "a", "number": "1", "do": "batch"}],
    "no row": [{"number": 1, "do": "batch"}],
    "nothing to do": [{"row": "a", "number": 1, "do": None}],
}


@pytest.mark.parametrize("told", NONE.values(), ids=NONE)
def test_what_is_no_press_is_passed_over(told: Any) -> None:
    assert fresh(told, None) == []


def test_a_browser_that_tells_of_more_than_anybody_can_press_is_heard_in_part() -> None:
    told = [{"row": "x" * 99, "number": number, "do": "batch"} for number in range(5000)]
    found = fresh(told, None)
    assert len(found) == 1000
    assert len(found[0].id) < 50
