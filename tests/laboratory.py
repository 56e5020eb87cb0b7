"""A tab on the live laboratory of the train page: what a visitor does there, sees, and waits for."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, WebSocket, expect
from served import PATIENCE
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from ked.runs import steering
from ked.store import Run

NETS = "data=digits&th=32,32&sh=12,12&tep=3"
LONG, SHORT = f"{NETS}&ep=500&seeds=16&methods=ked,shuffled,noise", f"{NETS}&ep=40&seeds=2&methods=plain,ked"
ACCURACY, MASK, OVERLAY, ANSWERS = "Validation accuracy against", "Superfeatures over", "Contributions", "Class probabilities"
ALTS = [ACCURACY, MASK, OVERLAY, ANSWERS]
STEERS = ("pause", "batch", "epoch")  # the buttons of the row that counts presses; the first one plays, too

CURVE = """([alt, net]) => (document.querySelector(`.ked-plot[aria-label^='${alt}']`)?._fullData ?? [])
    .filter(line => line.name === net).reduce((most, line) => Math.max(most, line._length ?? 0), 0)"""
# What figures show at a moment, in their own numbers.
VIEW = """alts => alts.map(alt => [...document.querySelectorAll(`.ked-plot[aria-label^='${alt}']`)].map(node => JSON.stringify([
    node.style.opacity, node._fullData?.map(t => [t.z, t.x, t.y, t.marker?.color, t.text]),
    node._fullLayout?.annotations.map(a => a.text), node._fullLayout?.shapes.map(s => s.x0)])).join())"""
# Moves the slider from place to place, quicker than it tells the server; says which figures changed at each, once those have that should.
SWEEP = f"""async ([alts, places, wanted]) => {{
    const slider = document.querySelector('.ked-scrubber input'), view = {VIEW}, changed = [], last = performance.now() + 180000;
    for (const [step, place] of places.entries()) {{
        const before = view(alts);
        slider.value = place;
        slider.dispatchEvent(new Event('input'));
        do {{
            await new Promise(requestAnimationFrame);
            const now = view(alts);
            changed[step] = alts.filter((_, at) => now[at] !== before[at]);
        }} while (`${{changed[step]}}` !== `${{wanted[step]}}` && performance.now() < last);
    }}
    return changed;
}}"""
RESTING = "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"


def into_view(page: Page, alt: str) -> None:
    """Scrolls to the first figure whose words begin so, as soon as there is one: at once, as a page that changes may put up another."""
    page.wait_for_function(
        "alt => { const node = document.querySelector(`.ked-plot[aria-label^='${alt}']`);"
        " node?.scrollIntoView({ block: 'nearest' }); return node; }",
        arg=alt,
    )


def shown(page: Page, alt: str) -> Locator:
    """The first figure whose words begin so, in view and up to date: what is far from the view is drawn when it comes near."""
    into_view(page, alt)
    found = page.locator(f".ked-plot[aria-label^='{alt}']").first
    expect(found).to_have_attribute("aria-busy", "false")
    return found


def click_at(page: Page, alt: str, x: float, y: float) -> None:
    """Clicks the place of a figure with these data coordinates."""
    found = shown(page, alt)
    place = found.evaluate(
        """(node, [x, y]) => {
            const { xaxis, yaxis } = node._fullLayout;
            return { x: xaxis._offset + xaxis.l2p(x), y: yaxis._offset + yaxis.l2p(y) };
        }""",
        [x, y],
    )
    found.click(position=place)


@dataclass
class Visitor:
    """A tab, and the script runs that the server has told it of: for each the fragments that ran, none for the whole page."""

    page: Page
    home: Path
    reruns: list[tuple[str, ...]] = field(default_factory=list)

    def listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._hear)

    def _hear(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            message = ForwardMsg.FromString(frame)
            if message.WhichOneof("type") == "new_session":
                self.reruns.append(tuple(message.metadata.run.fragment_ids))

    @property
    def whole(self) -> int:
        """How often the whole page ran."""
        return sum(not fragments for fragments in self.reruns)

    def ticks(self, count: int) -> None:
        """Waits until fragments have run so many times more."""
        goal = len(self.reruns) + count
        self.until(lambda: len(self.reruns) >= goal)

    def until(self, fact: Callable[[], Any]) -> Any:
        """Waits for a fact that is not on the page; its value."""
        end = time.monotonic() + PATIENCE
        while not (found := fact()):
            assert time.monotonic() < end, "waited in vain"
            self.page.wait_for_timeout(20)
        return found

    @property
    def run(self) -> Run:
        """The run that the address names."""
        return Run(self.home / "runs" / parse_qs(urlsplit(self.page.url).query)["run"][0])

    def button(self, key: str) -> Locator:
        """A button that steers; the slider through time has a Play of its own."""
        if key in STEERS:
            return self.page.locator(".ked-presses button").nth(STEERS.index(key))
        return self.page.locator(f"[class*='st-key-{key}-']").get_by_role("button")

    def press(self, key: str) -> None:
        self.button(key).click()

    def offers(self, words: str) -> None:
        """Waits until the button that pauses or plays says so."""
        expect(self.button("pause")).to_have_text(re.compile(f"{words}$"))

    def says(self, words: str) -> None:
        """Waits until the run's status is in these words."""
        expect(self.page.locator(".st-key-status")).to_contain_text(words)

    def points(self, net: str = "KED", more_than: int = 0) -> int:
        """How many epochs a net's accuracy curve has on screen; waits until they are more than so many."""
        into_view(self.page, ACCURACY)
        wait = f"([alt, net, least]) => ({CURVE})([alt, net]) > least"
        self.page.wait_for_function(wait, arg=[ACCURACY, net, more_than])
        return int(self.page.evaluate(CURVE, [ACCURACY, net]))

    def stands_at(self, moment: str) -> None:
        """Waits until the slider through time stands there."""
        expect(self.page.locator(".ked-scrubber output")).to_have_text(moment)

    def scrub(self, at: int) -> None:
        """Moves the slider through time as a hand does."""
        self.slider.evaluate("(node, at) => { node.value = at; node.dispatchEvent(new Event('input')); }", at)

    @property
    def slider(self) -> Locator:
        """The slider through time."""
        return self.page.locator(".ked-scrubber input")

    def train(self, address: str, query: str) -> Run:
        """Opens the address and presses Train; waits until the run is on screen."""
        self.page.goto(f"{address}/train?{query}")
        expect(self.page.get_by_text(re.compile("^(To compute|Everything)"))).to_be_visible()
        self.page.get_by_role("button", name="Train", exact=True).click()
        expect(self.page).to_have_url(re.compile("run=digits-[0-9a-f]{8}"))
        return self.run

    def rest(self) -> None:
        """Pauses the run, unless that was asked for already, and waits until it does rest."""
        if not steering.asked(self.run).paused:
            self.press("pause")
        self.offers("Resume training")
        self.until(lambda: told(self.run)[-1]["kind"] == "paused")


def told(run: Run) -> list[dict[str, Any]]:
    return run.events()[0]


def of(run: Run, kind: str, stage: str) -> list[dict[str, Any]]:
    return [event for event in told(run) if event["kind"] == kind and event.get("stage") == stage]


EDGE, ROW = 15, 35  # pixels: the middle of the column of marks, the height of a row


# Whether a row's words are painted. The table's tree for screen readers comes later, and on a busy machine sometimes not at all.
PAINTED = """([row, height]) => {
    const canvas = document.querySelector('[data-testid=stDataFrame] canvas'), scale = window.devicePixelRatio;
    if (!canvas?.width) return false;
    const { data } = canvas.getContext('2d').getImageData(40 * scale, height * (row + 1) * scale + 4, 200 * scale, (height - 8) * scale);
    return data.some((value, at) => value !== data[at % 4]);
}"""


# Whether a row's mark is set: its square is full of ink then. The table learns which are a moment after it has painted its cells, and
# would forget a click before that.
MARKED = """([row, height, edge]) => {
    const canvas = document.querySelector('[data-testid=stDataFrame] canvas'), scale = window.devicePixelRatio;
    const { data } = canvas.getContext('2d').getImageData(scale, height * (row + 1.5) * scale, 2 * edge * scale, 1);
    return data.filter((red, at) => at % 4 === 0 && Math.abs(red - data[0]) > 40).length > 5 * scale;
}"""


def mark(table: Locator, row: int, *, set_before: bool = False) -> None:
    """Clicks the mark at the beginning of a row, once its cells are there and the page is at rest; row 0 is below the header.

    `set_before`: whether it is set already, and so to be taken away.
    """
    table.page.wait_for_function(PAINTED, arg=[row, ROW])
    table.page.wait_for_function(f"arg => ({MARKED})(arg) === {str(set_before).lower()}", arg=[row, ROW, EDGE])
    table.page.wait_for_function(RESTING)
    table.click(position={"x": EDGE, "y": ROW * (row + 1) + ROW / 2})
