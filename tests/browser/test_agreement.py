"""The cases of the agreement page in a real browser: a click on a picture explains that very sample."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from laboratory import click_at
from playwright.sync_api import Page, expect

from ked import data
from ked.agreements import survey
from ked.matching import match
from ked.store import load_run


def test_a_click_on_the_third_of_the_worst_cases_explains_it(open_tab: Callable[[], Page], address: str) -> None:
    run = load_run("digits-preset")
    x, y = data.load("digits").part("test")
    student, teacher = run.student("architecture"), run.explaining()
    found = survey(student, teacher, x, y, pairs=match(student.groups, teacher.groups), tau=run.recipe.tau)
    third = int(found.samples["spearman"][0].argsort()[2])

    tab = open_tab()
    tab.goto(f"{address}/agreement?data=digits&student=architecture&agree=spearman")
    side = 8 * 1.18  # the third of five samples in the upper row
    click_at(tab, "Explained least alike", 2 * side + 4, 4)
    tab.wait_for_url("**/explain**")
    expect(tab.get_by_role("heading", name=f"test sample {third}")).to_be_visible()
    asked = parse_qs(urlsplit(tab.url).query)
    assert asked["i"] == [str(third)]
    assert asked["student"] == ["architecture"]
