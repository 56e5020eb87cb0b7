"""A report in a browser without a network: its pictures are drawn and its slider moves them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from explorer.report.document import report
from ked.store import PRESETS, Run

DRAWN = "() => [...document.querySelectorAll('.ked-plot')].every(node => node._fullData?.length)"
DOTS = "() => JSON.stringify(document.querySelector(\"[aria-label^='Validation accuracy']\")._fullData.map(t => [t.x, t.y]))"


@pytest.fixture
def page(open_tab: Callable[..., Page], tmp_path: Path) -> Page:
    file = tmp_path / "report.html"
    file.write_text(report(Run(PRESETS / "digits-preset")), encoding="utf-8")
    tab = open_tab(viewport={"width": 1200, "height": 900}, offline=True)
    tab.goto(file.as_uri())
    return tab


def test_a_report_opens_offline_and_its_slider_moves_the_training(page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.wait_for_function(DRAWN)
    page.locator("[aria-label^='Validation accuracy']").scroll_into_view_if_needed()  # who cannot be seen is not drawn anew
    newest = page.evaluate(DOTS)
    page.locator(".ked-scrubber input").evaluate("node => { node.value = 1; node.dispatchEvent(new Event('input')); }")
    expect(page.locator(".ked-scrubber output")).to_contain_text("teacher, epoch ")
    page.wait_for_function(f"newest => ({DOTS})() !== newest", arg=newest)
    assert not complaints
