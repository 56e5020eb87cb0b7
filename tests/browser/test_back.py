"""The browser's Back and Forward, undo and redo: the view before comes back, with its controls, its address and its figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

DIGITS = "data=digits"
M, MU = "Superfeatures M", "Explanations' share μ"


@pytest.fixture
def page(open_tab: Callable[[], Page]) -> Page:
    return open_tab()


def at(page: Page, path: str, **query: str) -> None:
    """Waits until the address is this one, and the page has come to rest."""
    page.wait_for_function(
        """([path, query]) => location.pathname === path
            && JSON.stringify(Object.fromEntries([...new URLSearchParams(location.search)].sort())) === query
            && document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'""",
        arg=[path, _json(query | {"data": "digits"})],
    )


def _json(query: dict[str, str]) -> str:
    return "{" + ",".join(f'"{key}":"{query[key]}"' for key in sorted(query)) + "}"


def communities(page: Page, count: int) -> None:
    """Waits until control and graph both show so many superfeatures; a control that Back has moved is new, and the old one goes last."""
    expect(page.get_by_role("slider", name=M).first).to_have_value(str(count))
    expect(page.locator(f".ked-plot[aria-label^='Graph of 64 features in {count} communities'] .cartesianlayer")).to_be_visible()


def turn_to(page: Page, title: str) -> None:
    page.get_by_test_id("stTopNavLink").filter(has_text=title).click()


def steps(page: Page) -> int:
    return page.evaluate("history.length")


def test_back_and_forward_restore_every_view_of_a_page(page: Page, address: str) -> None:
    page.goto(f"{address}/superfeatures?{DIGITS}&m=5")
    communities(page, 5)
    for count in (6, 7):
        page.get_by_role("slider", name=M).first.press("ArrowRight")
        at(page, "/superfeatures", m=str(count))
        communities(page, count)
    page.go_back()
    at(page, "/superfeatures", m="6")
    communities(page, 6)
    page.go_back()
    at(page, "/superfeatures", m="5")
    communities(page, 5)
    page.go_forward()
    at(page, "/superfeatures", m="6")
    communities(page, 6)
    page.get_by_role("slider", name=M).first.press("ArrowLeft")  # a new move from here on
    at(page, "/superfeatures", m="5")
    page.go_back()
    at(page, "/superfeatures", m="6")
    communities(page, 6)


def test_back_leads_across_pages_and_a_turn_is_one_step(page: Page, address: str) -> None:
    page.goto(f"{address}/superfeatures?{DIGITS}&m=7")
    communities(page, 7)
    before = steps(page)
    turn_to(page, "Train")
    at(page, "/train", m="7")
    assert steps(page) == before + 1
    page.get_by_role("slider", name=MU).press("ArrowLeft")
    at(page, "/train", m="7", mu="0.65")
    turn_to(page, "Explain")
    at(page, "/explain", m="7", mu="0.65")
    assert steps(page) == before + 3
    page.go_back()
    at(page, "/train", m="7", mu="0.65")
    expect(page.get_by_role("slider", name=MU)).to_have_value("0.65")
    page.go_back()
    at(page, "/train", m="7")
    expect(page.get_by_role("slider", name=MU)).to_have_value("0.7")
    page.go_back()
    at(page, "/superfeatures", m="7")
    communities(page, 7)
    page.go_forward()
    page.go_forward()
    at(page, "/train", m="7", mu="0.65")
    expect(page.get_by_role("slider", name=MU)).to_have_value("0.65")
    page.get_by_role("slider", name=M).first.press("ArrowRight")
    at(page, "/train", m="8", mu="0.65")
    page.evaluate("history.go(-3)")  # at once to the first page, which forgets what came later
    at(page, "/superfeatures", m="7")
    communities(page, 7)


def test_back_on_explain_shows_the_sample_before(page: Page, address: str) -> None:
    page.goto(f"{address}/explain?{DIGITS}&m=5&i=3")
    heading = page.get_by_role("heading", name=re.compile(r"test sample \d+$"))
    expect(heading).to_have_text(re.compile("test sample 3$"))
    menu = page.get_by_test_id("stButtonGroup").filter(has_text="Superfeatures that take part")
    menu.get_by_role("button", name="2", exact=True).click()
    at(page, "/explain", m="5", i="3", on="1011")
    page.go_back()
    at(page, "/explain", m="5", i="3")
    expect(page.get_by_text("Explaining nets answer with the switched-on superfeatures only")).to_have_count(0)
    expect(menu.get_by_role("button", name="2", exact=True)).to_have_attribute("aria-pressed", "true")


def test_a_drag_is_one_step_and_one_undo_whose_key_belongs_to_a_text_field_while_it_is_typed_in(page: Page, address: str) -> None:
    page.goto(f"{address}/train?{DIGITS}&m=5")
    slider = page.get_by_role("slider", name=MU)
    expect(slider).to_have_value("0.7")
    before, thumb = steps(page), slider.locator("xpath=../..").bounding_box()
    assert thumb is not None
    page.mouse.move(thumb["x"] + thumb["width"] / 2, thumb["y"] + thumb["height"] / 2)
    page.mouse.down()
    for move in range(1, 5):
        shown = slider.input_value()
        page.mouse.move(thumb["x"] - 12 * move, thumb["y"] + thumb["height"] / 2)
        expect(slider).not_to_have_value(shown)
    page.mouse.up()
    at(page, "/train", m="5", mu=slider.input_value())
    page.get_by_role("button", name="Undo").click()
    at(page, "/train", m="5")
    expect(slider).to_have_value("0.7")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    assert steps(page) == before + 2  # to the place of the drag, and back
    page.get_by_role("slider", name=M).first.press("ArrowRight")
    at(page, "/train", m="6")
    page.get_by_role("button", name="More settings").click()
    page.get_by_role("tab", name="Nets").click()
    field = page.get_by_role("textbox", name="Teacher widths")
    field.press("1")
    field.press("Control+z")
    page.get_by_role("slider", name=M).first.press("ArrowRight")  # had the key gone further, this would lead back to 5
    at(page, "/train", m="7")


def test_undo_and_redo_by_button_and_by_keyboard(page: Page, address: str) -> None:
    page.goto(f"{address}/superfeatures?{DIGITS}&m=5")
    communities(page, 5)
    undo, redo = (page.get_by_role("button", name=name) for name in ("Undo", "Redo"))
    expect(undo).to_be_disabled()
    page.get_by_role("slider", name=M).first.press("ArrowRight")
    communities(page, 6)
    expect(redo).to_be_disabled()
    undo.click()
    at(page, "/superfeatures", m="5")
    communities(page, 5)
    redo.click()
    at(page, "/superfeatures", m="6")
    communities(page, 6)
    page.keyboard.press("Control+z")
    at(page, "/superfeatures", m="5")
    communities(page, 5)
    page.keyboard.press("Control+Shift+z")
    at(page, "/superfeatures", m="6")
    communities(page, 6)
    expect(page).to_have_title(re.compile("KED Explorer"))
    assert parse_qs(urlsplit(page.url).query) == {"data": ["digits"], "m": ["6"]}
