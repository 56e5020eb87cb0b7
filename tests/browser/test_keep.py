"""Nothing takes the view away: zoom, hidden traces and the place on the page outlive updates, reruns and themes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

ROOT = Path(__file__).resolve().parents[2]
WAVE = "a wave whose range follows the data"

SCRIPT = f"""
from pathlib import Path

import numpy as np
import streamlit as st

from explorer.pictures import theme
from explorer.components.plot import plot


@st.fragment(run_every=0.5)
def live():
    count = st.session_state.count = st.session_state.get("count", 0) + 1
    x = np.arange(count + 20)
    wave = theme.figure(300, showlegend=True)
    wave.add_scatter(x=x, y=np.sin(x), name="sine")
    wave.add_scatter(x=x, y=np.cos(x) * count, name="growing")
    wave.update_xaxes(range=[0, count + 20])
    wave.update_yaxes(range=[-count, count])
    plot(wave, "wave", alt={WAVE!r})
    st.text(f"updates {{count}}")


live()
st.container(height=900)  # above what comes and goes: put up anew, it would leave the page short for a moment
if st.button("another control"):
    st.text("pressed")
"""


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str]) -> str:
    return serve(SCRIPT)


@pytest.fixture
def page(open_tab: Callable[..., Page], address: str) -> Page:
    tab = open_tab(viewport={"width": 1000, "height": 750}, color_scheme="light")
    tab.goto(address)
    tab.wait_for_function("() => document.querySelector('.ked-plot')?.ariaBusy === 'false'")
    return tab


def box_of(page: Page, alt: str) -> dict[str, float]:
    box = page.get_by_role("img", name=alt).bounding_box()
    assert box is not None
    return {**box}


def drag(page: Page, alt: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drags between two places, each as shares of the figure's width and height."""
    box = box_of(page, alt)
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=6)
    page.mouse.up()


def ranges(page: Page) -> list[Any]:
    return page.get_by_role("img", name=WAVE).evaluate("n => [[...n._fullLayout.xaxis.range], [...n._fullLayout.yaxis.range]]")


def shown(page: Page) -> int:
    """How many points the wave has, which says how many updates have been drawn."""
    return page.get_by_role("img", name=WAVE).evaluate("n => n._fullData[0]._length")


def wait_for_updates(page: Page, count: int) -> None:
    wanted = shown(page) + count
    page.wait_for_function(
        "([alt, wanted]) => document.querySelector(`[aria-label='${alt}']`)._fullData[0]._length >= wanted", arg=[WAVE, wanted]
    )


def view(page: Page) -> list[Any]:
    """What the visitor has made of the page: zoom, hidden traces, place."""
    rest = page.get_by_role("img", name=WAVE).evaluate(
        "node => [node._fullData.map(t => t.visible), document.querySelector('[data-testid=stMain]').scrollTop]"
    )
    return [ranges(page), *rest]


def test_updates_a_rerun_and_a_theme_leave_zoom_hidden_traces_and_place(page: Page) -> None:
    begin = view(page)
    page.mouse.move(500, 300)
    page.mouse.wheel(0, 60)
    page.wait_for_function("() => document.querySelector('[data-testid=stMain]').scrollTop === 60")
    drag(page, WAVE, (0.3, 0.3), (0.5, 0.6))
    legend = page.get_by_role("img", name=WAVE).locator(".legendtoggle").nth(1)
    legend.dispatch_event("mousedown")
    legend.dispatch_event("mouseup")
    page.wait_for_function(
        "alt => document.querySelector(`[aria-label='${alt}']`)._fullData[1].visible === 'legendonly'", arg=WAVE
    )
    wait_for_updates(page, 1)
    page.get_by_role("img", name=WAVE).evaluate("node => { node.mark = 'the same node'; }")
    wanted = view(page)
    assert all(now != before for now, before in zip(wanted, begin, strict=True))
    wait_for_updates(page, 4)
    assert view(page) == wanted
    # Between two updates: of one that a click breaks off, the browser may take down what it holds.
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
        " && ([...document.querySelectorAll('button')].find(node => node.textContent === 'another control').click(), true)"
    )
    expect(page.get_by_text("pressed")).to_be_visible()
    wait_for_updates(page, 1)
    assert view(page) == wanted
    page.emulate_media(color_scheme="dark")
    wait_for_updates(page, 2)
    assert view(page) == wanted
    assert page.get_by_role("img", name=WAVE).evaluate("node => node.mark") == "the same node"


def test_a_double_click_leads_to_the_newest_range_and_follows_it_from_there(page: Page) -> None:
    drag(page, WAVE, (0.3, 0.3), (0.5, 0.6))
    wait_for_updates(page, 2)
    (low, _), _ = ranges(page)
    assert low > 0
    box = box_of(page, WAVE)
    page.mouse.dblclick(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"])
    wait_for_updates(page, 2)
    now = "n => [n._fullLayout.xaxis.range, n._fullLayout.yaxis.range, n._fullData[0]._length]"  # at once: updates go on
    for _ in range(2):
        (low, high), (bottom, top), count = page.get_by_role("img", name=WAVE).evaluate(now)
        assert (low, bottom) == (0, -top)
        assert high == count == top + 20
        wait_for_updates(page, 1)
