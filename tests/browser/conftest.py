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
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
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


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[OpenTab]:
    """`open_tab(**options)`: a tab in a browser profile of its own, which nothing is remembered in; it waits patiently."""
    contexts: list[BrowserContext] = []

    def come(**options: Any) -> Page:
        contexts.append(browser.new_context(**{"viewport": {"width": 1400, "height": 1000}, **options}))
        contexts[-1].set_default_timeout(1000 * PATIENCE)
        return contexts[-1].new_page()

    yield come
    for context in contexts:
        context.close()


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

    def come(height: int = 1000, **options: Any) -> Visitor:
        seen = {"viewport": {"width": 1400, "height": height}, "reduced_motion": "reduce"}
        found = Visitor(open_tab(**seen | options), home)
        found.page.on("websocket", found.listen)
        return found

    yield come
    for folder in home.glob("runs/*"):
        if Run(folder).status in ("queued", "running"):
            steering.cancel(Run(folder))
