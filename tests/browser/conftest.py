"""What every browser test needs: one Chromium, and a way to serve a Streamlit script until the tests of a module are done."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from laboratory import PATIENCE, Visitor
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from ked.runs import steering
from ked.store import Run

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"
    " --disable-sync"
)

Serve = Callable[..., str]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window; where it is not installed the tests are skipped, except in CI, where they must run."""
    path = shutil.which("chromium")
    if path is None and "CI" not in os.environ:
        pytest.skip("needs Chromium: install it with your package manager, for example `sudo apt install chromium`")
    expect.set_options(timeout=1000 * PATIENCE)  # on a busy machine a page takes its time
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS.split())
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def serve() -> Iterator[Serve]:
    """`serve(script, port=None, env=None) -> address`: runs the Streamlit script until it answers, ours from the project's folder."""
    running: list[subprocess.Popen[str]] = []

    def start(script: Path, port: int | None = None, env: Mapping[str, str] | None = None) -> str:
        port = port or _free_port()
        running.append(_streamlit(Path(script), port, env or {}))
        _wait_for_address(running[-1])
        address = f"http://localhost:{port}"
        _wait_until_it_answers(running[-1], f"{address}/_stcore/health")
        return address

    yield start
    for server in running:
        server.terminate()
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def _streamlit(script: Path, port: int, env: Mapping[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true", f"--server.port={port}"]
    command += ["--browser.gatherUsageStats=false", "--server.fileWatcherType=none"]
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=ROOT if script.is_relative_to(ROOT) else script.parent, env=surroundings, **pipes)  # type: ignore[call-overload, no-any-return]


def _wait_for_address(server: subprocess.Popen[str]) -> None:
    """Reads the server's output until it names its address, then lets a thread read on, so that the pipe never fills up."""
    assert server.stdout is not None
    said = []
    for line in server.stdout:
        said.append(line)
        if "URL:" in line:
            threading.Thread(target=_drain, args=(server,), daemon=True).start()
            return
    pytest.fail("the Streamlit server stopped before it answered:\n" + "".join(said))


def _wait_until_it_answers(server: subprocess.Popen[str], health: str) -> None:
    """A server names its address a moment before it listens there."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(health) as answer:
                assert answer.read() == b"ok"
            return
        except urllib.error.URLError:
            if server.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.05)


def _drain(server: subprocess.Popen[str]) -> None:
    assert server.stdout is not None
    with server.stdout as output:
        for _ in output:
            pass


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The $KED_HOME of all tests of a module, so that the worker is warm and teachers are trained once."""
    folder = tmp_path_factory.mktemp("home")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], home: Path) -> str:
    return serve(ROOT / "explorer/app.py", env={"KED_HOME": str(home), "OMP_NUM_THREADS": "1"})


@pytest.fixture
def visitor(browser: Browser, home: Path) -> Iterator[Callable[..., Visitor]]:
    """`visitor(height=1000)`: a tab in a browser of its own; what has been started for it is stopped after the test."""
    contexts: list[BrowserContext] = []

    def come(height: int = 1000) -> Visitor:
        contexts.append(browser.new_context(viewport={"width": 1400, "height": height}, reduced_motion="reduce"))
        contexts[-1].set_default_timeout(1000 * PATIENCE)
        found = Visitor(contexts[-1].new_page(), home)
        found.page.on("websocket", found.listen)
        return found

    yield come
    for context in contexts:
        context.close()
    for folder in home.glob("runs/*"):
        if Run(folder).status in ("queued", "running"):
            steering.cancel(Run(folder))
