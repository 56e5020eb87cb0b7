"""Drawing in a real browser: every stroke is answered, and a lit superfeature is lit everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable

from laboratory import ANSWERS, RESTING, Visitor, click_at, shown
from playwright.sync_api import Page, expect

THREE = [(0.3, 0.25), (0.5, 0.15), (0.68, 0.25), (0.65, 0.4), (0.5, 0.48), (0.66, 0.58), (0.7, 0.75), (0.5, 0.88), (0.28, 0.78)]
ZERO = [(0.5, 0.15), (0.3, 0.35), (0.3, 0.65), (0.5, 0.85), (0.7, 0.65), (0.7, 0.35), (0.5, 0.15)]
BARS = "node => node._fullData.map(t => Array.from(t.x ?? []))"


def stroke(page: Page, points: list[tuple[float, float]]) -> None:
    """Draws through these places of the sheet, as shares of its sides."""
    sheet = page.locator(".ked-draw canvas")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def says(page: Page, answer: str) -> None:
    expect(page.locator(".stMarkdown").filter(has_text=re.compile(f"^The explaining teacher says {answer} "))).to_be_visible()


def plotted(page: Page, alt: str) -> object:
    return shown(page, alt).evaluate(BARS)


def opened(visitor: Callable[..., Visitor], address: str) -> Visitor:
    found = visitor()
    found.page.goto(f"{address}/explain?data=digits&what=own")
    expect(found.page.locator(".ked-draw canvas")).to_be_visible()
    found.page.wait_for_function(RESTING)
    return found


def test_every_stroke_is_answered_by_the_fragment_alone_and_the_eraser_takes_it_back(
    visitor: Callable[..., Visitor], address: str
) -> None:
    tab = opened(visitor, address)
    page = tab.page
    whole = tab.whole
    expect(page.locator(".ked-plot")).to_have_count(0)
    stroke(page, THREE)
    says(page, "3")
    three = plotted(page, ANSWERS)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Draw something here")).to_be_visible()
    stroke(page, ZERO)
    says(page, "0")
    tab.until(lambda: plotted(page, ANSWERS) != three)
    assert tab.whole == whole
    page.get_by_role("button", name="Eraser").click()
    page.get_by_role("slider", name="Width").fill("0.3")
    stroke(page, ZERO)
    expect(page.get_by_text("Draw something here")).to_be_visible()


def test_the_keyboard_draws_and_a_drawing_outlives_a_look_at_another_page(visitor: Callable[..., Visitor], address: str) -> None:
    page = opened(visitor, address).page
    sheet = page.locator(".ked-draw canvas")
    sheet.focus()
    for _ in range(8):
        page.keyboard.press("ArrowUp")
    for _ in range(18):
        page.keyboard.press("Shift+ArrowDown")
    says(page, "1")
    page.get_by_test_id("stTopNavLink").filter(has_text="Data").click()
    expect(page.get_by_role("heading", name="What is in the data?")).to_be_visible()
    page.get_by_test_id("stTopNavLink").filter(has_text="Explain").click()
    says(page, "1")
    inked = page.locator(".ked-draw canvas").evaluate(
        "node => node.getContext('2d').getImageData(0, 0, node.width, node.height).data.filter((v, i) => i % 4 === 0 && v > 128).length"
    )
    assert inked > 1000


def swipe(page: Page, over: str, top: float, bottom: float) -> None:
    """A finger goes down over an element from one share of its height to another, or up."""
    element = page.locator(over).first
    element.evaluate("node => node.scrollIntoView({ block: 'center' })")
    box = element.bounding_box()
    assert box is not None
    x, steps = box["x"] + box["width"] / 2, [top + step / 8 * (bottom - top) for step in range(9)]
    finger = page.context.new_cdp_session(page)
    for number, share in enumerate(steps):
        point = {"x": x, "y": box["y"] + share * box["height"]}
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove" if number else "touchStart", "touchPoints": [point]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_on_a_telephone_a_finger_draws_on_the_sheet_scrolls_over_figures_and_keys_get_into_the_menu(
    open_tab: Callable[..., Page], address: str
) -> None:
    page = open_tab(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(f"{address}/explain?data=digits&what=own")
    expect(page.locator(".ked-draw canvas")).to_be_visible()
    page.wait_for_function(RESTING)
    expect(page.get_by_test_id("stSidebarNavLink").first).to_be_hidden()  # else Tab would go through what nobody sees
    page.get_by_test_id("stExpandSidebarButton").press("Enter")
    expect(page.get_by_test_id("stSidebarNavLink").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stExpandSidebarButton")).to_be_focused()
    swipe(page, ".ked-draw canvas", 0.15, 0.85)
    says(page, "1")
    figure = page.locator(".ked-plot").first
    swipe(page, ".ked-plot", 0.8, 0.2)
    page.wait_for_function("node => node.getBoundingClientRect().top < 200", arg=figure.element_handle())


def test_a_click_on_a_superfeature_lights_it_up_everywhere(visitor: Callable[..., Visitor], address: str) -> None:
    tab = visitor()
    page = tab.page
    page.goto(f"{address}/explain?data=digits")
    bar = shown(page, "Bars from the base")
    page.wait_for_function(RESTING)
    middle = bar.evaluate("node => node._fullData[0].base[2] + node._fullData[0].x[2] / 2")
    click_at(page, "Bars from the base", middle, 2)
    expect(page).to_have_url(re.compile("[?&]sf=2"))
    expect(page.locator(".stMarkdown").filter(has_text="Superfeature 2 is highlighted: for")).to_be_visible()
    expect(page.get_by_role("button", name="◉ 2")).to_be_visible()
