"""What a page looks like, measured: the picture comes first, nothing is cut or lies on something else, and words explain themselves."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

import pytest
from laboratory import RESTING, Visitor
from playwright.sync_api import Page, TimeoutError, expect

DRAWN = """() => document.querySelector('.ked-plot') &&
    ![...document.querySelectorAll('.ked-plot[aria-busy=true]')].some(plot => plot.getBoundingClientRect().top < innerHeight)"""
# Letters of figures that leave their figure or lie on others, and whatever is wider than the screen.
FAULTS = """() => {
    const box = node => node.getBoundingClientRect(), seen = node => node.checkVisibility() && box(node).width > 0, faults = [];
    for (const plot of [...document.querySelectorAll('.ked-plot')].filter(seen)) {
        const around = box(plot);
        const texts = [...plot.querySelectorAll('.main-svg text')].filter(text => seen(text) && text.textContent.trim());
        for (const [i, text] of texts.entries()) {
            const a = box(text), said = `${plot.ariaLabel.slice(0, 30)}: ${text.textContent.slice(0, 30)}`;
            if (a.left < around.left - 2 || a.right > around.right + 2 || a.top < around.top - 2 || a.bottom > around.bottom + 2)
                faults.push(`${said} is cut`);
            for (const other of texts.slice(i + 1)) {
                const b = box(other), wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
                if (wide > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4) faults.push(`${said} × ${other.textContent}`);
            }
        }
    }
    const main = document.querySelector('.stMain');
    if (main.scrollWidth > main.clientWidth) faults.push('the page is wider than the screen');
    return faults;
}"""
# How much of the first figure is in the first screen.
# The middle of the first of these words in view, by its very letters.
PLACE = """word => {
    const nodes = document.createTreeWalker(document.querySelector('.stMain'), NodeFilter.SHOW_TEXT), range = document.createRange();
    for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
        const at = node.textContent.toLowerCase().indexOf(word);
        if (at < 0 || !node.parentElement.checkVisibility()) continue;
        range.setStart(node, at);
        range.setEnd(node, at + word.length);
        const { x, y, width, height } = range.getBoundingClientRect();
        if (width && y > 0 && y + height < innerHeight) return [x + width / 2, y + height / 2];
    }
}"""
FIRST = """() => [...document.querySelectorAll('.ked-plot')].map(plot => plot.getBoundingClientRect())
    .map(({ top, bottom, height }) => (Math.min(bottom, innerHeight) - top) / height)[0]"""


def settled(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(RESTING)
    page.wait_for_function(DRAWN)


@pytest.mark.parametrize("view", ["agreement?run=digits-preset", "explain?run=digits-preset", "chimeras?run=fashion-mnist-preset"])
def test_nothing_is_cut_and_nothing_lies_on_something_else(visitor: Callable[..., Visitor], address: str, view: str) -> None:
    page = visitor().page
    page.goto(f"{address}/{view}")
    for width in (390, 768, 1000):
        settled(page, width, 6000)
        with contextlib.suppress(TimeoutError):  # figures are drawn anew for the new width
            page.wait_for_function(f"() => !({FAULTS})().length", timeout=30_000)
        assert page.evaluate(FAULTS) == []


def test_the_picture_is_in_the_first_screen(visitor: Callable[..., Visitor], address: str) -> None:
    page = visitor().page
    runs = "runs?compare=digits-preset,fashion-mnist-preset"
    for view in ("overview", "superfeatures?run=digits-preset", "train?run=digits-preset", "agreement?run=digits-preset", "studies", runs):
        page.goto(f"{address}/{view}")
        for size in ((1400, 900), (390, 844)):
            settled(page, *size)
            assert page.evaluate(FIRST) > (0.5 if size[0] < 640 else 0.4), (view, size)


def test_a_word_says_what_it_means_where_it_stands(visitor: Callable[..., Visitor], address: str) -> None:
    page = visitor().page
    page.goto(f"{address}/superfeatures?run=digits-preset")
    settled(page, 1400, 900)
    note = page.locator(".ked-word-note")
    expect(note).to_be_hidden()
    page.mouse.move(*page.evaluate(PLACE, "modularity"))
    expect(note).to_contain_text("How much more link strength lies inside the groups")
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()


def test_a_phone_has_words_sharing_and_settings_in_its_bar(visitor: Callable[..., Visitor], address: str) -> None:
    page = visitor(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).page
    page.goto(f"{address}/explain?run=digits-preset")
    settled(page, 390, 844)
    for name in ("Words", "Share", "Undo"):
        box = page.locator(".st-key-header").get_by_role("button", name=name).first.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44, (name, box)
        assert box["y"] < 60
    expect(page.locator(".st-key-controls")).to_be_hidden()
    page.locator(".st-key-phone-settings label").tap()
    expect(page.locator(".st-key-controls")).to_be_visible()
    page.goto(f"{address}/runs")  # a row of the list opens to its other cells, and is marked at its beginning
    settled(page, 390, 844)
    row = page.locator(".ked-table li").nth(1)
    expect(page.get_by_test_id("stDataFrame").first).to_be_hidden()
    row.locator("summary").tap()
    expect(row.locator("dl")).to_contain_text("status")
    row.get_by_role("checkbox").tap()
    expect(page).to_have_url(re.compile("[?&]compare="))
    expect(row.get_by_role("checkbox")).to_be_checked()
