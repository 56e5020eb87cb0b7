"""What every browser test needs: one Chromium, the app, and a way to serve a Streamlit script."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from laboratory import Visitor
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright
from served import PATIENCE, App, served

from ked.runs import steering
from ked.store import Run

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"
    " --disable-sync"
)

OpenTab = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window; where it is not installed the tests are skipped, except in CI, where they must run."""
    path = shutil.which("chromium")
    if path is None and "CI" not in os.environ:
        pytest.skip("needs Chromium: install it with your package manager, for example `sudo apt install chromium`")
    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS.split())
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def used(browser: Browser) -> BrowserContext:
    """A browser profile with one tab, which has the programs of pages at hand: there a page opens in half of a new one's time."""
    return browser.new_context()


@pytest.fixture
def open_tab(browser: Browser, used: BrowserContext) -> Iterator[OpenTab]:
    """`open_tab(**options)`: a tab in a browser profile of its own, which nothing is remembered in; it waits patiently.

    It asks for no motion unless told otherwise: drawn without a graphics card, that takes more than all the rest.
    The first is one that was used before, unless it is to be `new` or of another kind.
    """
    contexts: list[BrowserContext] = []

    def come(new: bool = False, **options: Any) -> Page:
        options = {"viewport": {"width": 1400, "height": 1000}, "reduced_motion": "reduce", **options}
        again = not new and used not in contexts and options.keys() <= {"viewport", "color_scheme", "reduced_motion"}
        contexts.append(used if again else browser.new_context(**options))
        contexts[-1].set_default_timeout(1000 * PATIENCE)
        return _as_new(used, **options) if again else contexts[-1].new_page()

    yield come
    for context in contexts:
        if context is not used:
            context.close()
        elif context.pages:
            context.pages[0].goto("about:blank")


def _as_new(used: BrowserContext, viewport: ViewportSize, **media: Any) -> Page:
    """Its tab without what it remembers; another one where it was closed, or its history has almost no place left."""
    used.clear_cookies()
    if used.pages and used.pages[0].evaluate("history.length") > 20:
        used.pages[0].close()
    page = used.pages[0] if used.pages else used.new_page()
    page.set_viewport_size(viewport)
    page.emulate_media(**{"color_scheme": "light", **media})
    return page


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """`serve(script)`: the address of a server that runs this Streamlit script, with the app's theme, until the module's tests are done."""
    with ExitStack() as servers:

        def start(script: str) -> str:
            folder = tmp_path_factory.mktemp("script")
            shutil.copytree(ROOT / "explorer/.streamlit", folder / ".streamlit")
            (folder / "script.py").write_text(script, encoding="utf-8")
            return servers.enter_context(served(script=folder / "script.py", cwd=folder, env={"PYTHONPATH": str(ROOT)})).address

        yield start


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The $KED_HOME of all browser tests, so that one worker is warm and teachers are trained once."""
    folder = tmp_path_factory.mktemp("home")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def app(home: Path) -> Iterator[App]:
    """The app, which keeps its worker warm."""
    with served("--port", "0", cwd=ROOT, env={"KED_HOME": str(home), "KED_WARM_SECONDS": "600"}) as app:
        yield app


@pytest.fixture(scope="session")
def address(app: App) -> str:
    return app.address


@pytest.fixture
def visitor(open_tab: OpenTab, home: Path) -> Iterator[Callable[..., Visitor]]:
    """`visitor(height=1000, **options)`: somebody with a tab of their own; what has been started for them is stopped after the test."""
    visitors: list[Visitor] = []

    def come(height: int = 1000, **options: Any) -> Visitor:
        seen = {"viewport": {"width": 1400, "height": height}}
        visitors.append(Visitor(open_tab(**seen | options), home))
        visitors[-1].page.on("websocket", visitors[-1].listen)
        return visitors[-1]

    yield come
    for one in visitors:
        one.page.remove_listener("websocket", one.listen)
    _stop_all(home)


@pytest.fixture(scope="module")
def resident(browser: Browser, home: Path) -> Iterator[Visitor]:
    """Somebody whose tab stays open from one test of a module to the next."""
    with browser.new_context(viewport={"width": 1400, "height": 1000}, reduced_motion="reduce") as context:
        context.set_default_timeout(1000 * PATIENCE)
        one = Visitor(context.new_page(), home)
        one.page.on("websocket", one.listen)
        yield one
    _stop_all(home)


def _stop_all(home: Path) -> None:
    for folder in home.glob("runs/*"):
        if Run(folder).status in ("queued", "running"):
            steering.cancel(Run(folder))
