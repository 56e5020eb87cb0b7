"""The lesson from start to end in a real browser, and a view that is shared and followed."""

from __future__ import annotations

import re
from collections.abc import Callable

from laboratory import RESTING, Visitor, click_at, shown
from playwright.sync_api import Page, expect

from explorer.words.lesson import STEPS


def choose(page: Page, option: str) -> None:
    page.get_by_test_id("stButtonGroup").locator("button", has_text=option).click()


def guess(page: Page, option: str) -> None:
    choose(page, option)
    expect(page.get_by_text("Now:")).to_be_visible()
    page.wait_for_function(RESTING)


def learnt(page: Page, number: int) -> None:
    """Waits for the answer of a step, then goes on to the next."""
    expect(page.get_by_test_id("stAlertContentSuccess")).to_be_visible()
    if number < len(STEPS):
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_role("heading", name=f"{number + 1} of 5 · {STEPS[number].title}")).to_be_visible()
        page.wait_for_function(RESTING)


def tab_to(page: Page, name: str) -> None:
    """Tab until the focus is on what has this name, which is in sight then."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(_FOCUSED).startswith(name):
            return
    raise AssertionError(f"no Tab leads to {name!r}")


_FOCUSED = "() => { const { ariaLabel, innerText } = document.activeElement; return (ariaLabel ?? innerText).replace(/^[⬤ ]+/, ''); }"


def test_the_lesson_is_done_with_keys_alone_and_the_focus_is_never_lost(visitor: Callable[..., Visitor], address: str) -> None:
    """A press that switches off, or takes away, what was pressed brings the focus to what came of it."""
    page = visitor().page
    page.goto(f"{address}/lesson?lesson=2")
    focused = page.locator("*:focus")
    expect(page.get_by_role("radio", name="Anywhere")).to_be_enabled()
    page.wait_for_function(RESTING)
    tab_to(page, "Anywhere")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(focused).to_have_text(re.compile("^Now: Choose a pixel"))
    page.wait_for_function(RESTING)
    tab_to(page, "Pixel")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stAlertContentSuccess")).to_be_visible()
    page.wait_for_function(RESTING)
    page.get_by_test_id("stAlertContentSuccess").scroll_into_view_if_needed()
    tab_to(page, "arrow_forward")
    page.keyboard.press("Enter")
    expect(focused).to_have_text(f"3 of 5 · {STEPS[2].title}")
    page.wait_for_function(RESTING)
    tab_to(page, "visibility")
    page.keyboard.press("Enter")
    expect(focused).to_have_text(re.compile("The answer: One cell"))


def test_the_lesson_is_done_by_hand(visitor: Callable[..., Visitor], address: str) -> None:
    page = visitor().page
    page.goto(f"{address}/lesson")
    expect(page.get_by_role("heading", name="1 of 5")).to_be_visible()
    guess(page, "The first digit")
    page.get_by_text("Team 2 may speak").click()
    learnt(page, 1)
    guess(page, "Mostly in its own digit")
    click_at(page, "Two digits side by side; choose a pixel", 3, 2)
    learnt(page, 2)
    guess(page, "One cell")
    choose(page, "Together")
    shown(page, "Bars that add up")
    learnt(page, 3)
    guess(page, "Both alike")
    page.get_by_role("slider", name="Epochs of training").press("End")
    learnt(page, 4)
    guess(page, "Better")
    page.get_by_role("button", name="Show the study").click()
    learnt(page, 5)
    page.get_by_role("textbox", name="Your sentence").fill("A team of pixels.")
    page.get_by_role("textbox", name="Your sentence").press("Control+Enter")
    expect(page.get_by_text("A superfeature is a team of input features")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="5 of 5")).to_be_visible()
    expect(page.get_by_test_id("stAlertContentSuccess")).to_be_visible()


def test_a_shared_link_opens_the_same_view_and_follows_its_lecturer(visitor: Callable[..., Visitor], address: str) -> None:
    lecturer = visitor().page
    lecturer.goto(f"{address}/superfeatures?data=digits&m=5")
    shown(lecturer, "Graph of 64 features in 5 communities")
    lecturer.get_by_role("button", name="Share").click()
    lecturer.get_by_text("A class follows me").click()
    link = lecturer.get_by_test_id("stCode").filter(has_text="follow=")
    expect(link).to_be_visible()
    student = visitor().page
    student.goto(link.inner_text().strip())
    shown(student, "Graph of 64 features in 5 communities")
    lecturer.keyboard.press("Escape")
    lecturer.get_by_role("slider", name="Superfeatures M").first.press("ArrowRight")
    shown(student, "Graph of 64 features in 6 communities")
    lecturer.get_by_test_id("stTopNavLink").filter(has_text="Explain").click()
    expect(student).to_have_url(re.compile("/explain"))
    expect(student.get_by_role("heading", name="What does each superfeature say?")).to_be_visible()


def test_on_a_phone_the_answer_comes_into_view_with_what_leads_on(visitor: Callable[..., Visitor], address: str) -> None:
    page = visitor(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).page
    page.goto(f"{address}/lesson")
    expect(page.get_by_text("First guess, then try.")).to_be_visible()
    page.wait_for_function(RESTING)
    page.get_by_test_id("stButtonGroup").locator("button", has_text="The first digit").tap()
    shown(page, "Two digits side by side")
    page.get_by_text("Team 2 may speak").tap()
    expect(page.locator(".st-key-lesson-answer")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Next")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "20")
    expect(page.locator(".st-key-header").get_by_text("expand_more").first).to_be_hidden()
    page.get_by_role("button", name="Next").tap()
    expect(page.get_by_role("heading", name="2 of 5")).to_be_in_viewport()
