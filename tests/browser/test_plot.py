"""The plot component in a real browser: what is drawn stays, moves, answers clicks and follows the theme."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from laboratory import click_at
from PIL import Image
from playwright.sync_api import Page, Route, expect

ROOT = Path(__file__).resolve().parents[2]
HEIGHT = 300

SCRIPT = f"""
import csv
import io
import json
import math
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer.pictures import theme
from explorer.components.plot import plot


def report(key, event):
    events = st.session_state.setdefault(key + ".events", [])
    if event:
        events.append(event)
    st.text(f"{{key}} " + json.dumps(events))


@st.fragment(run_every=0.5)
def live():
    count = st.session_state.count = st.session_state.get("count", 0) + 1
    figure = theme.figure({HEIGHT})
    figure.add_scatter(x=np.arange(count + 20), y=np.sin(np.arange(count + 20)), name="wave")
    report("live", plot(figure, "live", alt="a wave that grows"))
    st.text(f"updates {{count}}")


live()
st.button("rerun")
twelve = np.arange(12, dtype=np.uint8).reshape(3, 4)
cells = theme.figure({HEIGHT}).add_heatmap(z=twelve, customdata=twelve)
report("cells", plot(cells, "cells", alt="twelve cells"))
pixels = theme.figure({HEIGHT})
pixels.add_image(z=np.full((4, 5, 4), 128, dtype=np.uint8), colormodel="rgba256", customdata=np.arange(20).reshape(4, 5))
theme.pixel_axes(pixels, 4, 5)
report("pixels", plot(pixels, "pixels", alt="twenty pixels"))
heat = theme.figure({HEIGHT}).add_heatmap(
    z=np.array([[0, 4, np.nan], [2, 1, 3]]), zmin=0, zmax=4, showscale=False,
    colorscale=[[0, "#FFFFFF"], [0.5, "rgba(200, 0, 0, 1)"], [1, "#0000C8"]],
)
theme.pixel_axes(heat, 2, 3)
plot(heat, "heat", alt="six cells")
frames = theme.figure({HEIGHT}).add_scatter(x=[0, 1], y=[0, 0])
frames.frames = [go.Frame(name=n, data=[dict(y=[0, float(n)])]) for n in "123"]
steps = [dict(method="animate", label=n, args=[[n], dict(mode="immediate")]) for n in "123"]
frames.update_layout(sliders=[dict(steps=steps)])
if st.checkbox("frames", value=True):
    plot(frames, "frames", alt="three frames")
"""


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str]) -> str:
    return serve(SCRIPT)


@pytest.fixture
def page(open_tab: Callable[..., Page], address: str) -> Page:
    tab = open_tab(viewport={"width": 1000, "height": 1600}, color_scheme="light")
    tab.goto(address)
    expect(tab.locator(".ked-plot .cartesianlayer")).to_have_count(5)
    return tab


def events(page: Page, key: str) -> list[dict[str, object]]:
    return json.loads(page.get_by_text(re.compile(rf"^{key} \[")).inner_text().removeprefix(f"{key} "))


def wait_for_events(page: Page, key: str, count: int) -> list[dict[str, object]]:
    expect(page.get_by_text(re.compile(rf"^{key} \[" + r'.*"event".*' * count + "]$"))).to_be_visible()
    return events(page, key)


def updates(page: Page) -> int:
    return int(page.get_by_text(re.compile(r"^updates \d+$")).inner_text().split()[1])


def wait_for_updates(page: Page, count: int) -> None:
    """Waits until the fragment has run so many times more."""
    goal = updates(page) + count
    page.wait_for_function(f"() => Number(document.body.innerText.match(/updates (\\d+)/)[1]) >= {goal}")


def test_a_click_on_a_cell_or_pixel_arrives_once_and_a_second_click_again(page: Page) -> None:
    click_at(page, "twelve cells", 2, 1)
    (event,) = wait_for_events(page, "cells", 1)
    assert event == {"event": "click", "curve": 0, "name": None, "point": [1, 2], "x": 2, "y": 1, "z": 6, "customdata": 6}
    page.get_by_role("button", name="rerun").click()
    wait_for_updates(page, 2)
    assert len(events(page, "cells")) == 1
    click_at(page, "twelve cells", 2, 1)
    assert len(wait_for_events(page, "cells", 2)) == 2
    click_at(page, "twenty pixels", 3, 2)
    (event,) = wait_for_events(page, "pixels", 1)
    assert (event["point"], event["x"], event["y"], event["customdata"]) == ([2, 3], 3, 2, 13)


def test_a_click_inside_a_live_fragment_arrives_once(page: Page) -> None:
    click_at(page, "a wave that grows", 5, -0.9589)
    (event,) = wait_for_events(page, "live", 1)
    assert event["point"] == 5
    wait_for_updates(page, 3)
    assert len(events(page, "live")) == 1


def test_text_takes_the_new_theme_when_the_visitor_switches(page: Page) -> None:
    tick = "document.querySelector('.ked-plot .xtick text').style.fill"
    light = page.evaluate(tick)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => {tick} !== light", arg=light)
    muted = "getComputedStyle(document.querySelector('.ked-plot')).getPropertyValue('--st-gray-text-color')"
    assert page.evaluate(
        f"(() => {{ const s = document.createElement('i'); s.style.fill = {muted}; return s.style.fill; }})()"
    ) == (page.evaluate(tick))


def test_a_slider_steps_through_frames_in_the_browser(page: Page) -> None:
    figure = page.get_by_role("img", name="three frames")
    figure.locator(".slider-label").filter(has_text="2").first.click(force=True)  # the rail lies above its labels
    page.wait_for_function("() => document.querySelector('[aria-label=\"three frames\"]')._fullData[0].y[1] === 2")


def test_a_figure_follows_its_column_and_one_that_is_removed_is_purged_and_can_come_back(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 1600})
    page.wait_for_function("() => { const n = document.querySelector('.ked-plot');"
                           " return n.offsetWidth < 390 && n._fullLayout.width === n.offsetWidth; }")  # fmt: skip
    page.evaluate("window.old = document.querySelector('[aria-label=\"three frames\"]')")
    page.get_by_text("frames", exact=True).click()
    expect(page.locator(".ked-plot")).to_have_count(4)
    page.wait_for_function("() => !window.old._fullLayout")
    page.get_by_text("frames", exact=True).click()
    expect(page.locator(".ked-plot .cartesianlayer")).to_have_count(4)


def test_height_is_reserved_and_a_missing_library_is_said(open_tab: Callable[[], Page], address: str) -> None:
    tab = open_tab(new=True)
    tab.route("**/plotly.min.js*", lambda route: route.abort())
    tab.goto(address)
    figure = tab.get_by_role("img", name="twelve cells")
    expect(figure).to_contain_text("did not load")
    box = figure.bounding_box()
    assert box is not None
    assert box["height"] == HEIGHT


def test_a_sketch_shows_the_cells_where_the_library_will_draw_them(open_tab: Callable[..., Page], address: str) -> None:
    tab = open_tab(new=True, viewport={"width": 1000, "height": 1800}, color_scheme="light")
    held: list[Route] = []
    tab.route("**/plotly.min.js*", lambda route: held.append(route))
    tab.goto(address)
    sketches = tab.locator(".ked-sketch")
    expect(sketches).to_have_count(2)
    names = ("twenty pixels", "six cells")
    before = [colours(tab, name) for name in names]
    for route in held:
        route.continue_()
    expect(tab.locator(".ked-plot .cartesianlayer")).to_have_count(5)
    expect(sketches).to_have_count(0)
    for name, sketched in zip(names, before, strict=True):
        np.testing.assert_allclose(sketched, colours(tab, name), atol=3)
    assert len({tuple(colour) for colour in before[1]}) == 6, "the cells differ, so a wrong place shows"


def colours(page: Page, name: str) -> np.ndarray:
    """The colours that stand at the middles of the cells of a picture, row by row."""
    figure = page.get_by_role("img", name=name)
    figure.scroll_into_view_if_needed()
    box = figure.bounding_box()
    assert box is not None
    shot = np.asarray(Image.open(io.BytesIO(page.screenshot(clip=box, scale="css"))).convert("RGB")).astype(int)
    rows, columns = (4, 5) if name == "twenty pixels" else (2, 3)
    cell = min((box["width"] - 16) / columns, (HEIGHT - 16) / rows)
    left, top = (box["width"] - cell * columns) / 2, (HEIGHT - cell * rows) / 2
    return np.array([shot[int(top + cell * (r + 0.5)), int(left + cell * (c + 0.5))] for r in range(rows) for c in range(columns)])


def saved(page: Page, alt: str, button: str) -> bytes:
    """The file that a button of a figure's bar gives."""
    figure = page.get_by_role("img", name=alt)
    figure.hover()
    with page.expect_download() as coming:
        figure.get_by_role("button", name=button).click()
    return Path(coming.value.path()).read_bytes()


def test_every_figure_gives_its_data_and_itself(page: Page) -> None:
    table = list(csv.DictReader(io.StringIO(saved(page, "twelve cells", "Download the data as CSV").decode())))
    assert [int(row["value"]) for row in table] == list(range(12))
    assert [(row["x"], row["y"]) for row in table[:5]] == [("0", "0"), ("1", "0"), ("2", "0"), ("3", "0"), ("0", "1")]
    wave = list(csv.DictReader(io.StringIO(saved(page, "a wave that grows", "Download the data as CSV").decode())))
    assert {row["trace"] for row in wave} == {"wave"}
    assert [float(row["y"]) for row in wave[:9]] == pytest.approx([math.sin(x) for x in range(9)])
    assert saved(page, "twelve cells", "Download as PNG").startswith(b"\x89PNG")
    assert b"<svg" in saved(page, "twelve cells", "Download as SVG")[:200]


def test_the_keyboard_opens_the_numbers_under_a_figure_and_saves_them(page: Page) -> None:
    page.get_by_role("img", name="twelve cells").evaluate("node => node.nextElementSibling.firstElementChild.focus()")
    page.keyboard.press("Enter")
    rows = page.locator(".ked-numbers[open] tr")
    expect(rows).to_have_count(13)
    assert [row.split("\t")[1:] for row in rows.all_inner_texts()] == [["x", "y", "value"]] + [
        [str(cell % 4), str(cell // 4), str(cell)] for cell in range(12)
    ]
    page.keyboard.press("Tab")
    with page.expect_download() as coming:
        page.keyboard.press("Enter")
    assert Path(coming.value.path()).read_text().startswith("trace,x,y,value,text\nheatmap 1,0,0,0,")


def test_the_bar_of_a_figure_is_one_stop_of_the_tab_key_and_arrows_move_in_it(page: Page) -> None:
    bar = page.locator("[aria-label='twelve cells'] .modebar")
    expect(bar.locator("[tabindex='0']")).to_have_count(1)
    assert bar.locator(".modebar-btn").count() > 3
    bar.locator("[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    expect(bar.locator(".modebar-btn").nth(1)).to_be_focused()
    expect(bar.locator("[tabindex='0']")).to_have_count(1)


def test_a_figure_far_from_the_view_waits_until_it_comes_near(page: Page) -> None:
    figure, held = page.get_by_role("img", name="a wave that grows"), "node => node._fullData[0]._length"
    page.set_viewport_size({"width": 1000, "height": 300})
    page.get_by_test_id("stMain").evaluate("node => node.scrollTo(0, node.scrollHeight)")
    expect(figure).to_have_attribute("aria-busy", "true")
    before = figure.evaluate(held)
    wait_for_updates(page, 3)
    assert figure.evaluate(held) == before
    page.get_by_test_id("stMain").evaluate("node => node.scrollTo(0, 0)")
    page.wait_for_function("least => document.querySelector('.ked-plot')._fullData[0]._length > least", arg=before + 2)
