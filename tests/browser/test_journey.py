"""A visitor's way through the pages in a real browser: look, train, explain, and pass the address on."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from laboratory import RESTING, Visitor, click_at, shown
from playwright.sync_api import Page, expect

SHORT = "data=digits&ep=4&tep=2&seeds=2&th=32,32&sh=12&methods=plain,ked"
GRAPH, ACCURACY, ANSWERS = "Graph of 64 features", "Validation accuracy against epochs", "Class probabilities"
COUNT = """alt => (document.querySelector(`.ked-plot[aria-label^='${alt}']`)?._fullData ?? [])
    .filter(line => line.visible === true && (!line.fill || line.fill === 'none') && !line.name.endsWith(', here'))
    .reduce((sum, line) => sum + line._length, 0)"""


def no_complaint(page: Page) -> None:
    assert page.get_by_test_id("stException").all_inner_texts() == []
    assert page.get_by_test_id("stAlertContentError").all_inner_texts() == []


def query(page: Page) -> dict[str, str]:
    return {key: texts[0] for key, texts in parse_qs(urlsplit(page.url).query).items()}


def wait_for_query(page: Page, **expected: str) -> None:
    """Waits until the address says so."""
    for key, text in expected.items():
        expect(page).to_have_url(re.compile(rf"[?&]{key}={text}(&|$)"))


def points(page: Page) -> int:
    """How many epochs the accuracy curves show, all methods together."""
    return int(page.evaluate(COUNT, ACCURACY))


def wait_for_points(page: Page, more_than: int) -> int:
    """Waits until the accuracy curves have grown past so many epochs."""
    page.wait_for_function(f"([alt, count]) => ({COUNT})(alt) > count", arg=[ACCURACY, more_than])
    return points(page)


def values(page: Page, alt: str) -> list[list[float]]:
    """What the figure draws."""
    return shown(page, alt).evaluate(
        "node => node._fullData.map(t => Array.from(t.x ?? [])).filter(x => typeof x[0] === 'number')"
    )


def turn_to(page: Page, title: str) -> None:
    page.get_by_test_id("stTopNavLink").filter(has_text=title).click()
    expect(page.get_by_test_id("stTopNavLink").filter(has_text=title)).to_have_attribute("aria-current", "page")


def test_a_visitor_looks_trains_explains_and_passes_the_address_on(address: str, visitor: Callable[..., Visitor]) -> None:
    page = visitor().page
    look(page, address)
    train(page, address)
    explain(page, address)
    pass_on(page, visitor().page)


def look(page: Page, address: str) -> None:
    """Superfeatures: the preset is there; M and a clicked feature change what is seen, and the address."""
    page.goto(f"{address}/superfeatures?data=digits")
    shown(page, f"{GRAPH} in 4 communities")
    expect(page.get_by_role("combobox", name=re.compile("Run"))).to_have_value(re.compile("^digits-preset"))
    page.get_by_role("slider", name="Superfeatures M").press("ArrowRight")
    shown(page, f"{GRAPH} in 5 communities")
    expect(page.get_by_text(re.compile(r"^⬤ \d+\s*\d+ pixels$"))).to_have_count(5)
    wait_for_query(page, m="5")
    click_at(page, GRAPH, 4, 3)
    wait_for_query(page, node="28")
    expect(page.get_by_role("heading", name=re.compile("^Links of "))).to_be_visible()
    shown(page, "How strongly each pixel depends on the chosen one")
    assert 1 <= int(query(page)["sf"]) <= 5
    no_complaint(page)


def train(page: Page, address: str) -> None:
    """Train: a short run's curves appear and end in a table."""
    turn_to(page, "Train")
    block = shown(page, ACCURACY).page.get_by_test_id("stMainBlockContainer").bounding_box()
    assert block is not None
    assert block["width"] > 1200
    wait_for_query(page, m="5", node="28")
    page.goto(f"{address}/train?data=digits")
    mu = page.get_by_role("slider", name="Explanations' share μ")
    mu.press("ArrowLeft")
    wait_for_query(page, mu="0.65")
    expect(page.get_by_text(re.compile("^To compute: KED. Reused: teacher"))).to_be_visible()
    mu.press("ArrowRight")  # there and back is the very same μ: no digit of it is lost on the way
    expect(page.get_by_text("Everything in this recipe is already computed")).to_be_visible()
    expect(page).not_to_have_url(re.compile("mu="))
    page.goto(f"{address}/train?{SHORT}")
    expect(page.get_by_text(re.compile("^To compute: teacher"))).to_be_visible()
    press_train(page)
    expect(page.locator(".st-key-status")).to_contain_text("finished")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    shown(page, "Test accuracy of each method")
    wait_for_points(page, more_than=7)
    assert points(page) == 8  # two students, four epochs
    expect(page.get_by_text("Everything in this recipe is already computed")).to_be_visible()
    no_complaint(page)


def press_train(page: Page) -> str:
    """Starts a run and waits until the page shows it, and no longer the preset; returns its id."""
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page).to_have_url(re.compile("run=digits-[0-9a-f]{8}"))
    run = query(page)["run"]
    expect(page.get_by_role("combobox", name="Run")).to_have_value(re.compile(f"^{run}"))
    page.wait_for_function(RESTING)  # nothing of the preset is left; a quick run may have its own table by now
    return run


def explain(page: Page, address: str) -> None:
    """Explain: another sample is a click away, and a smaller coalition gives another answer."""
    page.goto(f"{address}/explain?data=digits")
    shown(page, ANSWERS)
    click_at(page, "20 test samples", 3.5 + 2 * 8 * 1.18, 3.5)
    wait_for_query(page, i="2")
    expect(page.get_by_role("heading", name=re.compile("test sample 2$"))).to_be_visible()
    page.wait_for_function(
        "alt => { window.before = JSON.stringify(document.querySelector(`.ked-plot[aria-label^='${alt}']`)._fullData"
        ".map(t => Array.from(t.x ?? []))); return true; }",
        arg=ANSWERS,
    )
    switches = page.get_by_test_id("stButtonGroup").filter(has_text="Superfeatures that take part")
    switches.get_by_role("button", name="2", exact=True).click()
    wait_for_query(page, on="1011")
    expect(page.get_by_text("Explaining nets answer with the switched-on superfeatures only")).to_be_visible()
    page.wait_for_function(
        "alt => JSON.stringify(document.querySelector(`.ked-plot[aria-label^='${alt}']`)._fullData"
        ".map(t => Array.from(t.x ?? []))) !== window.before",
        arg=ANSWERS,
    )
    no_complaint(page)


def pass_on(page: Page, other: Page) -> None:
    """Whoever opens the copied address sees the same view."""
    other.goto(page.url)
    shown(other, ANSWERS)
    expect(other.get_by_role("heading", name=re.compile("test sample 2$"))).to_be_visible()
    expect(other.get_by_text("Explaining nets answer with the switched-on superfeatures only")).to_be_visible()
    headings = page.get_by_test_id("stMainBlockContainer").get_by_role("heading").all_inner_texts()
    expect(other.get_by_test_id("stMainBlockContainer").get_by_role("heading")).to_have_text(headings)
    assert values(other, ANSWERS) == values(page, ANSWERS)
    assert query(other) == query(page)
    no_complaint(other)
