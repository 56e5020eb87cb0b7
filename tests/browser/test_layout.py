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
# Links and choices whose names end in dots.
SHORTENED = """() => [...document.querySelectorAll('.stPageLink a span, [data-testid=stButtonGroup] button p')]
    .filter(node => node.scrollWidth > node.clientWidth + 1).map(node => node.textContent)"""
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
# Words that are hardly told from their ground: less than 4.5 to 1, or 3 to 1 where they are large. Dots are no words, and a slider's
# number stands above the thumb that it belongs to.
FAINT = """() => {
    const parse = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
    const over = (top, ground) => [0, 1, 2].map(i => top[i] * top[3] + ground[i] * (1 - top[3]));
    const light = colour => colour.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const above = node => node ? [getComputedStyle(node), ...above(node.parentElement)] : [];
    const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), faint = [];
    for (let text = nodes.nextNode(); text; text = nodes.nextNode()) {
        const node = text.parentElement, own = getComputedStyle(node);
        if (!/\\w/.test(text.data) || !node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
        if (node.closest('script, style, svg, [disabled], [data-disabled=true], [data-testid=stSliderThumbValue]')) continue;
        const styles = above(node), grounds = styles.map(style => parse(style.backgroundColor));
        const solid = grounds.findIndex(one => one[3] === 1);
        const ground = grounds.slice(0, solid + 1).reduceRight((below, one) => over(one, below), [0, 0, 0]);
        const [r, g, b, a] = parse(own.color), opacity = styles.reduce((all, style) => all * style.opacity, a);
        const [more, less] = [light(over([r, g, b, opacity], ground)), light(ground)].sort((x, y) => y - x);
        const size = parseFloat(own.fontSize), large = size >= 24 || (size >= 18.6 && own.fontWeight >= 700);
        if ((more + 0.05) / (less + 0.05) < (large ? 3 : 4.5)) faint.push(text.data.slice(0, 40));
    }
    return faint;
}"""
# How much of the first figure is in the first screen.
FIRST = """() => [...document.querySelectorAll('.ked-plot')].map(plot => plot.getBoundingClientRect())
    .map(({ top, bottom, height }) => (Math.min(bottom, innerHeight) - top) / height)[0]"""


def settled(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(RESTING)
    page.wait_for_function(DRAWN)


@pytest.mark.parametrize("view", ["agreement?run=digits-preset", "explain?run=digit-pairs-preset", "chimeras?run=fashion-mnist-preset"])
def test_nothing_is_cut_and_nothing_lies_on_something_else(visitor: Callable[..., Visitor], address: str, view: str) -> None:
    page = visitor().page
    page.goto(f"{address}/{view}")
    for width in (390, 768, 1000):
        settled(page, width, 6000)
        with contextlib.suppress(TimeoutError):  # figures are drawn anew for the new width
            page.wait_for_function(f"() => !({FAULTS})().length", timeout=30_000)
        assert page.evaluate(FAULTS) == []


@pytest.mark.parametrize("view", ["overview", "studies", "attributions?run=digits-preset"])
def test_names_are_whole_and_told_from_a_dark_ground_on_screens_of_middle_width(
    visitor: Callable[..., Visitor], address: str, view: str
) -> None:
    page = visitor(color_scheme="dark").page
    page.goto(f"{address}/{view}")
    for width in (768, 1000):
        settled(page, width, 900)
        assert page.evaluate(SHORTENED) == []
        page.wait_for_function(f"() => !({FAINT})().filter(said => !/^[a-z_]+$/.test(said)).length")  # icons are no letters


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
    title = page.locator(".main-svg .cbtitle text").first  # a figure's letters, and the name of a fold
    title.scroll_into_view_if_needed()
    box = title.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(note).to_contain_text("How strongly two features act together")
    page.get_by_text("How exactly M communities were found").scroll_into_view_if_needed()
    page.mouse.move(*page.evaluate(PLACE, "communities"))
    expect(note).to_contain_text("A group of nodes with more links inside")


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


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_words_are_told_from_their_ground_also_in_what_opens(visitor: Callable[..., Visitor], address: str, scheme: str) -> None:
    page = visitor(viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True, is_mobile=True).page
    page.goto(f"{address}/explain?run=digits-preset")
    settled(page, 390, 844)
    page.locator(".st-key-phone-settings label").tap()
    strip = page.locator(".st-key-strip .ked-plot").bounding_box()
    assert strip is not None
    assert strip["width"] / 10 / 1.18 >= 44, "each sample is large enough for a finger"
    assert page.evaluate(FAINT) == []
    page.get_by_role("button", name="Share").first.tap()
    expect(page.get_by_text("The link as a QR code")).to_be_visible()
    page.wait_for_function(f"() => !({FAINT})().length")  # it opens by and by
