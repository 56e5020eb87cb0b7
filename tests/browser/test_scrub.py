"""The scrubber in a real browser: plots of a group move together without the server, which hears of it once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

TESTS = str(Path(__file__).resolve().parents[1])
GRAPH, MASK, CURVES, LATE = "a graph of 64 pixels", "a mask of 64 pixels", "curves with a playhead", "a student's bar"
PACE, GRACE = 6000 / 20, 1000  # milliseconds: a tick while 20 are played, and how long the button then still says Pause
COUNT = """alt => { window.drawn = 0;
    document.querySelector(`[aria-label="${alt}"]`).on('plotly_afterplot', () => { window.drawn += 1; }); }"""

SCRIPT = f"""
import sys
from pathlib import Path

import numpy as np
import streamlit as st
sys.path.append({TESTS!r})
from films import with_frames

from explorer.pictures import frames, graphs, overlays, theme
from explorer.state import session
from explorer.pictures.curves import learning_curves
from explorer.components.plot import plot
from explorer.components.scrubber import scrubber

st.session_state.reruns = st.session_state.get("reruns", 0) + 1
session.begin("scrub")

@st.cache_resource
def pictures(count):
    rng = np.random.default_rng(0)
    w = rng.random((64, 64)) ** 6
    graph, mask = [], []
    for t in range(count):
        labels = (np.arange(64) // 8 + t) % 8 // 2
        groups = [np.flatnonzero(labels == m).tolist() for m in range(4)]
        graph.append((f"e{{t}}", graphs.dependency_graph((w + w.T) * (labels[:, None] == labels), groups, (8, 8))))
        mask.append((f"e{{t}}", overlays.superfeature_mask(groups, (8, 8), image=rng.random(64))))
    return with_frames(graph[-1][1], graph), with_frames(mask[-1][1], mask)

ticks = [(f"e{{t}}", f"teacher, epoch {{t}} of 19") for t in range(20)]
st.text(f"at {{scrubber('run', ticks)!r}}, {{st.session_state.reruns}} reruns")
graph, mask = pictures(20)
for column, shown, name, alt in zip(st.columns(2), (graph, mask), ("graph", "mask"), ({GRAPH!r}, {MASK!r})):
    with column:
        plot(shown, name, alt=alt, group="run")
accuracy = {{"plain": np.linspace(0.2, 0.9, 20)[:, None] + [0, 0.01], "ked": np.linspace(0.3, 0.95, 20)[:, None] + [0, 0.02]}}
line = {{"type": "line", "y0": 0, "y1": 1, "xref": "x", "yref": "y domain"}}
marks = [frames.Change(f"e{{t}}", {{}}, {{"shapes": [{{**line, "x0": t, "x1": t}}]}}) for t in range(20)]
curves = frames.moving(learning_curves(accuracy, height=220), marks)
curves.update_layout(showlegend=True)
plot(curves, "curves", alt={CURVES!r}, group="run")
bars = [(f"e{{t}}", theme.figure(120).add_bar(x=["a", "b"], y=[t, 2])) for t in (8, 12)]
plot(with_frames(bars[0][1], bars), "late", alt={LATE!r}, group="run")
if st.button("another control"):
    st.text("pressed")
if st.button("from afar"):
    session.put(tick="e3")
    st.rerun()

@st.fragment(run_every=0.5)
def growing():
    count = st.session_state.count = st.session_state.get("count", 1) + st.session_state.get("growing", 0)
    st.session_state.growing = int(st.checkbox("growing"))
    ticks = [(f"g{{t}}", f"moment {{t}}") for t in range(count)]
    scrubber("live", ticks)
    shown = [(name, theme.figure(120).add_bar(x=["a"], y=[t + 1])) for t, (name, _) in enumerate(ticks)]
    plot(with_frames(shown[0][1], shown), "growing", alt="a bar that grows", group="live")

growing()
"""


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str]) -> str:
    return serve(SCRIPT)


@pytest.fixture
def page(open_tab: Callable[..., Page], address: str, request: pytest.FixtureRequest) -> Page:
    new = "stopped" in request.fixturenames  # a clock that is stopped stays so in its browser profile
    tab = open_tab(new, viewport={"width": 1100, "height": 1500}, color_scheme="light")
    tab.goto(address)
    ready(tab)
    return tab


def ready(page: Page) -> None:
    expect(page.locator(".ked-plot .cartesianlayer")).to_have_count(5)
    page.wait_for_function("() => window.kedScrub?.run && document.querySelector('.ked-plot')._fullData")


def slider(page: Page, which: int = 0) -> Locator:
    return page.get_by_role("slider", name="Moment of the training").nth(which)


def go(page: Page, at: int, which: int = 0) -> None:
    """Moves the slider there as a hand does: input on the way, change at the end."""
    slider(page, which).evaluate(
        "(node, at) => { node.value = at; node.dispatchEvent(new Event('input')); node.dispatchEvent(new Event('change')); }", at
    )


def wait_for_playhead(page: Page, x: int) -> None:
    page.wait_for_function(
        "([alt, x]) => document.querySelector(`[aria-label='${alt}']`)._fullLayout.shapes.at(-1)?.x0 === x", arg=[CURVES, x]
    )


def rows_of(page: Page) -> str:
    """The colours of the graph's first column, which say at which tick it stands, once it is drawn."""
    graph = page.get_by_role("img", name=GRAPH)
    expect(graph).to_have_attribute("aria-busy", "false")
    return graph.evaluate(
        "node => [...Array(8).keys()].map(r => node._fullData.at(-1).marker.color[8 * r]).join()"
    )


def said(page: Page) -> tuple[str, int]:
    tick, reruns = re.fullmatch(r"at '(.*)', (\d+) reruns", page.get_by_text(re.compile("^at ")).inner_text()).groups()
    return tick, int(reruns)


def test_plots_of_a_group_move_together_and_the_server_hears_of_it_once(page: Page) -> None:
    (at_first, reruns), newest = said(page), rows_of(page)
    assert at_first == ""
    slider(page).evaluate("node => [15, 8, 7].forEach((at) => { node.value = at; node.dispatchEvent(new Event('input')); })")
    wait_for_playhead(page, 7)
    expect(page.locator(".ked-scrubber output").first).to_have_text("teacher, epoch 7 of 19")
    assert rows_of(page) != newest
    expect(page.get_by_text(re.compile(rf"^at 'e7', {reruns + 1} reruns$"))).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?t=e7$"))
    go(page, 19)
    wait_for_playhead(page, 19)
    assert rows_of(page) == newest
    expect(page).to_have_url(re.compile(r"/$"))


def test_every_tick_shows_the_figure_of_that_tick(page: Page) -> None:
    looks = []
    for at in (0, 5, 10, 15, 5):
        go(page, at)
        wait_for_playhead(page, at)
        looks.append(rows_of(page))
    assert looks[1] == looks[4]
    assert len(set(looks)) == 4


def test_a_plot_shows_its_latest_frame_is_pale_before_its_first_and_is_drawn_when_it_changes_alone(page: Page) -> None:
    page.evaluate(COUNT, LATE)
    for at, height, opacity in ((19, 12, "1"), (9, 8, "1"), (3, 8, "0.3"), (12, 12, "1")):
        go(page, at)
        page.wait_for_function(
            "([alt, height, opacity]) => { const n = document.querySelector(`[aria-label=\"${alt}\"]`);"
            " return n._fullData[0].y[0] === height && n.style.opacity === opacity; }",
            arg=[LATE, height, opacity],
        )
    expect(page.get_by_role("img", name=LATE)).to_have_attribute("aria-busy", "false")
    assert page.evaluate("window.drawn") == 2


def test_the_keyboard_moves_it_and_the_address_opens_at_the_same_tick(page: Page) -> None:
    slider(page).focus()
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    wait_for_playhead(page, 3)
    expect(slider(page)).to_have_attribute("aria-valuetext", "teacher, epoch 3 of 19")
    expect(page).to_have_url(re.compile(r"t=e3$"))
    look = rows_of(page)
    page.reload()
    ready(page)
    wait_for_playhead(page, 3)
    assert rows_of(page) == look


def test_what_the_server_asks_for_moves_the_slider(page: Page) -> None:
    go(page, 11)
    expect(page.get_by_text(re.compile("^at 'e11'"))).to_be_visible()
    page.get_by_role("button", name="from afar").click()
    wait_for_playhead(page, 3)
    expect(slider(page)).to_have_value("3")


def button(page: Page, words: str) -> Locator:
    """The button that plays and pauses, while it says so."""
    return page.get_by_role("button", name=words).first


@pytest.fixture
def stopped(page: Page) -> Page:
    """The page with its clock at rest: its timers run when the test lets time pass, however slow the machine is."""
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    return page


def test_play_goes_to_the_end_and_pause_stops_it(stopped: Page) -> None:
    go(stopped, 12)
    button(stopped, "Replay").click()
    stopped.clock.run_for(2.5 * PACE)
    expect(slider(stopped)).to_have_value("14")
    button(stopped, "Pause").click()
    stopped.clock.run_for(100 * PACE)
    expect(slider(stopped)).to_have_value("14")
    button(stopped, "Replay").click()
    stopped.clock.run_for(20 * PACE + GRACE)
    expect(slider(stopped)).to_have_value("19")
    expect(button(stopped, "Replay")).to_be_visible()
    stopped.clock.resume()
    wait_for_playhead(stopped, 19)


def test_whoever_reaches_for_pause_as_the_end_comes_begins_nothing_anew(stopped: Page) -> None:
    go(stopped, 17)
    button(stopped, "Replay").click()
    stopped.clock.run_for(3.5 * PACE)  # it has come to its end by itself
    button(stopped, "Pause").click()
    stopped.clock.run_for(100 * PACE)
    expect(slider(stopped)).to_have_value("19")
    go(stopped, 17)
    button(stopped, "Replay").click()
    button(stopped, "Pause").hover()
    stopped.mouse.down()
    stopped.clock.run_for(100 * PACE)
    expect(button(stopped, "Replay")).to_be_visible()
    stopped.mouse.up()  # a press that began on Pause
    stopped.clock.run_for(100 * PACE)
    expect(slider(stopped)).to_have_value("19")
    button(stopped, "Replay").click()
    expect(slider(stopped)).to_have_value("0")


def test_a_tick_draws_every_figure_once(page: Page) -> None:
    """What a tick of figures of 784 pixels takes is measured by `tests/benchmarks/laboratory.py`."""
    drawn = page.evaluate(
        """async (alts) => {
            const slider = document.querySelector('.ked-scrubber input');
            const nodes = alts.map(alt => document.querySelector(`[aria-label='${alt}']`));
            const counts = nodes.map(() => 0);
            nodes.forEach((node, i) => node.on('plotly_afterplot', () => { counts[i] += 1; }));
            for (let at = 0; at < 10; at += 1) {
                const done = nodes.map(node => new Promise(resolve => node.once('plotly_afterplot', resolve)));
                slider.value = at;
                slider.dispatchEvent(new Event('input'));
                await Promise.all(done);
            }
            return counts;
        }""",
        [GRAPH, MASK, CURVES],
    )
    assert drawn == [10, 10, 10]


def test_zoom_and_hidden_traces_survive_scrubbing_and_another_control(page: Page) -> None:
    figure = page.get_by_role("img", name=CURVES)
    box = figure.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 120, steps=6)
    page.mouse.up()
    figure.locator(".legendtoggle").nth(1).dispatch_event("mousedown")
    figure.locator(".legendtoggle").nth(1).dispatch_event("mouseup")
    page.wait_for_function(
        "alt => document.querySelector(`[aria-label='${alt}']`)._fullData.some(t => t.visible === 'legendonly')", arg=CURVES
    )
    state = "node => [node._fullLayout.xaxis.range, node._fullLayout.yaxis.range, node._fullData.map(t => t.visible)]"
    wanted = figure.evaluate(state)
    for at in (4, 9):
        go(page, at)
        wait_for_playhead(page, at)
        assert figure.evaluate(state) == wanted
    expect(page.get_by_text(re.compile("^at 'e9'"))).to_be_visible()
    page.get_by_role("button", name="another control").click()
    expect(page.get_by_text("pressed")).to_be_visible()
    assert figure.evaluate(state) == wanted


def test_new_ticks_are_followed_from_the_end_and_only_from_there(page: Page) -> None:
    height = "() => document.querySelector('[aria-label=\"a bar that grows\"]')._fullData[0].y[0]"
    page.evaluate(COUNT, "a bar that grows")
    page.get_by_text("growing", exact=True).click()
    page.wait_for_function(f"() => ({height})() > 4")
    assert page.evaluate(f"() => window.drawn <= ({height})()"), "once for each new moment, whichever comes first, it or its tick"
    assert slider(page, 1).evaluate("node => node.value === node.max")
    go(page, 1, which=1)
    page.wait_for_function(f"() => ({height})() === 2")
    most = int(slider(page, 1).evaluate("node => node.max"))
    page.wait_for_function("most => +document.querySelectorAll('.ked-scrubber input')[1].max > most + 2", arg=most)
    assert page.evaluate(height) == 2
    assert slider(page, 1).input_value() == "1"
    expect(page).to_have_url(re.compile("t=g1"))
