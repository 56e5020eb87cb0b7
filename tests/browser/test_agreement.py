"""The cases of the agreement page in a real browser: a click on a picture explains that very sample."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from laboratory import PATIENCE
from playwright.sync_api import Browser, expect

from ked import data
from ked.agreement import survey
from ked.matching import match
from ked.store import load_run

MILLISECONDS = 1000 * PATIENCE


def test_a_click_on_the_third_of_the_worst_cases_explains_it(browser: Browser, address: str) -> None:
    run = load_run("digits-preset")
    x, y = data.load("digits").part("test")
    student, teacher = run.student("architecture"), run.explaining()
    found = survey(student, teacher, x, y, pairs=match(student.groups, teacher.groups), tau=run.recipe.tau)
    third = int(found.samples["spearman"][0].argsort()[2])

    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    tab = context.new_page()
    tab.goto(f"{address}/agreement?student=architecture&agree=spearman")
    strip = tab.locator(".ked-plot[aria-label^='They explain these least alike']")
    expect(strip.locator(".cartesianlayer")).to_be_visible(timeout=MILLISECONDS)
    # Where the third of five samples in the upper row is, in pixels of the figure.
    place = strip.evaluate(
        """node => { const {xaxis, yaxis} = node._fullLayout, side = 8 * 1.18;
            return {x: xaxis._offset + xaxis.d2p(2 * side + 4), y: yaxis._offset + yaxis.d2p(4)}; }"""
    )
    strip.click(position=place)
    tab.wait_for_url("**/explain**", timeout=MILLISECONDS)
    expect(tab.get_by_role("heading", name=f"test sample {third}")).to_be_visible(timeout=MILLISECONDS)
    asked = parse_qs(urlsplit(tab.url).query)
    assert asked["i"] == [str(third)]
    assert asked["student"] == ["architecture"]
    context.close()
