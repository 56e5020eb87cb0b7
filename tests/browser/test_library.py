"""The run library in a real browser: rows of the table are marked with the mouse."""

from __future__ import annotations

import re
from collections.abc import Callable

from laboratory import Visitor, mark
from playwright.sync_api import expect


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
    mark(me.page.get_by_test_id("stDataFrame").first, 0, set_before=True)
    expect(me.page.get_by_role("heading", name="2 runs side by side")).to_have_count(0)
