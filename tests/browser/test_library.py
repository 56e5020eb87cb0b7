"""The run library in a real browser: rows of the table are marked with the mouse."""

from __future__ import annotations

import re
from collections.abc import Callable

from laboratory import RESTING, Visitor
from playwright.sync_api import Locator, expect

EDGE, ROW = 15, 35  # pixels: the middle of the column of marks, the height of a row


# Whether a row's words are painted. The table's tree for screen readers comes later, and on a busy machine sometimes not at all.
PAINTED = """([row, height]) => {
    const canvas = document.querySelector('[data-testid=stDataFrame] canvas'), scale = window.devicePixelRatio;
    if (!canvas?.width) return false;
    const { data } = canvas.getContext('2d').getImageData(40 * scale, height * (row + 1) * scale + 4, 200 * scale, (height - 8) * scale);
    return data.some((value, at) => value !== data[at % 4]);
}"""


def mark(table: Locator, row: int) -> None:
    """Clicks the mark at the beginning of a row, once its cells are there and the page is at rest; row 0 is below the header."""
    table.page.wait_for_function(PAINTED, arg=[row, ROW])
    table.page.wait_for_function(RESTING)
    table.click(position={"x": EDGE, "y": ROW * (row + 1) + ROW / 2})


def test_rows_marked_with_the_mouse_are_compared_and_named_in_the_address(address: str, visitor: Callable[[], Visitor]) -> None:
    me = visitor()
    me.page.goto(f"{address}/runs")
    table = me.page.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible()
    mark(table, 0)
    expect(me.page).to_have_url(re.compile("[?&]compare="))
    mark(table, 1)
    expect(me.page.get_by_role("heading", name="2 runs side by side")).to_be_visible()
    two = me.page.url
    me.page.reload()
    expect(me.page.get_by_role("heading", name="2 runs side by side")).to_be_visible()
    assert me.page.url == two
    mark(me.page.get_by_test_id("stDataFrame").first, 0)
    expect(me.page.get_by_role("heading", name="2 runs side by side")).to_have_count(0)
