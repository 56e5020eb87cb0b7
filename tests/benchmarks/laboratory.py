"""How quickly the app answers in a browser: `python tests/benchmarks/laboratory.py` prints medians over several rounds as JSON.

Needs Chromium. A server and a $KED_HOME of its own are started and thrown away.

- preset_seconds: from a cold browser's request to the preset's picture, for digits and Fashion-MNIST.
- first_point_seconds: from the click on *Train* to the first live point of a curve.
- live_updates_per_second: of the accuracy chart of one tab while two jobs train.
- watched_slowdown: epochs a second of one training while no tab watches it, over those while one does, minus 1; the two take turns
  within the run, and what opening the page costs is not counted. watching_cores: processor seconds a second that server and browser
  take for it, which do not depend on what else the machine does.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"
    " --disable-sync"
)
PORT, ROUNDS = 8650, 3
POINTS = "[aria-label^='Validation accuracy'] .scatterlayer .trace"
EPOCHS = 31  # of the run that is begun: the axis ends there, as that of the run on screen before does not
RECIPE = f"data=digits&th=200,200&sh=20,20&methods=plain,ked&seeds=5&tep={EPOCHS}&ep={EPOCHS}"
ITS_POINT = """epochs => { const node = document.querySelector("[aria-label^='Validation accuracy']");
    return node?._fullLayout?.xaxis?.range[1] === epochs && node._fullData.some(line => line._length > 0); }"""


@contextmanager
def served(home: str) -> Iterator[str]:
    """The app's address, with its worker warm."""
    command = [sys.executable, "-m", "streamlit", "run", "explorer/app.py", "--server.headless=true", f"--server.port={PORT}"]
    environment = {**os.environ, "KED_HOME": home, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        address = f"http://localhost:{PORT}"
        while not _answers(address):
            time.sleep(0.1)
        try:
            yield address
        finally:
            server.terminate()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def preset_seconds(browser: Browser, address: str, dataset: str) -> float:
    """A new browser profile opens the first page."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page, began = context.new_page(), time.perf_counter()
    page.goto(f"{address}/superfeatures?data={dataset}")
    page.locator("[aria-label^='Graph of'] .scatterlayer .trace").first.wait_for(state="attached", timeout=60_000)
    seconds = time.perf_counter() - began
    context.close()
    return seconds


def first_point_seconds(browser: Browser, address: str, seed: int) -> float:
    """A visitor who has looked at the page for a while presses Train, with a recipe that nothing is known of."""
    page = _page(browser, f"{address}/train?{RECIPE}&seed={seed}")
    page.get_by_text("To compute: teacher").wait_for()
    page.locator(POINTS).first.wait_for(state="attached", timeout=60_000)
    button = page.get_by_role("button", name="Train", exact=True)
    began = time.perf_counter()
    button.click()
    page.wait_for_function(ITS_POINT, arg=EPOCHS, timeout=60_000)
    seconds = time.perf_counter() - began
    page.get_by_text("finished").first.wait_for(timeout=120_000)
    page.context.close()
    return seconds


def updates_per_second(browser: Browser, address: str, home: str, seconds: float = 10.0) -> float:
    """How often the accuracy chart of a tab changes while two jobs are at work."""
    runs = [_start(home, seed, teacher_epochs=3000, epochs=3000) for seed in (901, 902)]
    page = _page(browser, f"{address}/train?run={runs[0]}")
    page.locator(POINTS).first.wait_for(state="attached", timeout=60_000)
    page.evaluate(
        "() => { window.seen = 0; const node = document.querySelector(\"[aria-label^='Validation accuracy']\");"
        " node.on('plotly_afterplot', () => { window.seen += 1; }); }"
    )
    page.wait_for_timeout(1000 * seconds)
    seen = page.evaluate("() => window.seen")
    page.context.close()
    for run in runs:
        _ked(home, f"from ked.store import load_run; jobs.cancel(load_run('{run}'))")
        _wait(home, run)
    return float(seen) / seconds


def watching(browser: Browser, address: str, home: str, seconds: float = 12.0) -> list[dict[str, float]]:
    """One long training, alone and watched by turns: its epochs a second, and the cores that server and browser are busy with."""
    run = _start(home, 200, teacher_epochs=40, epochs=20_000, methods=("plain", "ked"), teacher_hidden=(200, 200))
    events, rounds = Path(home, "runs", run, "events.jsonl"), []
    page = browser.new_context(viewport={"width": 1400, "height": 1400}).new_page()
    while not (events.exists() and '"student-plain","epochs"' in events.read_text()):
        time.sleep(0.2)
    for _ in range(ROUNDS):
        page.goto("about:blank")
        alone, _ = _pace(events, seconds)
        page.goto(f"{address}/train?run={run}")
        page.locator(POINTS).first.wait_for(state="attached", timeout=60_000)
        page.wait_for_timeout(4000)  # the page has been opened; now it is watched
        watched, cores = _pace(events, seconds)
        rounds.append({"alone": alone, "watched": watched, "cores": cores})
    page.context.close()
    _ked(home, f"from ked.store import load_run; jobs.cancel(load_run('{run}'))")
    _wait(home, run)
    return rounds


def _pace(events: Path, seconds: float) -> tuple[float, float]:
    """Epochs a second for so long, and processor seconds a second of this program's server and browser."""
    before, used, began = events.read_text().count('"kind":"epoch"'), _busy(), time.perf_counter()
    time.sleep(seconds)
    took = time.perf_counter() - began
    return (events.read_text().count('"kind":"epoch"') - before) / took, (_busy() - used) / took


def _busy() -> float:
    """Processor seconds of the server and the browser so far; trainings are worker processes, and not among them."""
    ours = [one for one in psutil.Process().children(recursive=True) if {"worker", "spawn"}.isdisjoint(" ".join(one.cmdline()).split())]
    return sum(sum(one.cpu_times()[:2]) for one in ours)


def _wait(home: str, run: str, ends: tuple[str, ...] = ("done", "failed", "cancelled")) -> Path:
    """Waits until a run has ended; its folder."""
    folder = Path(home, "runs", run)
    while json.loads((folder / "run.json").read_text())["status"] not in ends:
        time.sleep(0.2)
    return folder


def _start(home: str, seed: int, **settings: Any) -> str:
    return _ked(home, f"from ked.recipe import Recipe; print(jobs.submit(Recipe(seed={seed}, **{settings!r})).id)")


def _ked(home: str, code: str) -> str:
    command, environment = [sys.executable, "-c", f"from ked import jobs; {code}"], {**os.environ, "KED_HOME": home}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _page(browser: Browser, address: str) -> Page:
    page = browser.new_context(viewport={"width": 1400, "height": 1400}).new_page()
    page.goto(address)
    page.locator("h1").wait_for(timeout=60_000)
    return page


def main() -> None:
    """All figures, medians over the rounds; a watched training and one that is not take turns."""
    with tempfile.TemporaryDirectory() as home, served(home) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS.split())
        preset_seconds(browser, address, "digits")  # the server's own first request
        _wait(home, _start(home, 900, epochs=1, teacher_epochs=1, seeds=1))  # the worker is warm now
        presets = {name: _median(lambda name=name: preset_seconds(browser, address, name)) for name in ("digits", "fashion-mnist")}
        points = [first_point_seconds(browser, address, 100 + number) for number in range(ROUNDS)]
        updates = updates_per_second(browser, address, home)
        rounds = watching(browser, address, home)
        browser.close()
    found = {
        "preset_seconds": presets,
        "first_point_seconds": {"median": statistics.median(points), "all": points},
        "live_updates_per_second_with_two_jobs": updates,
        "watched_slowdown": statistics.median(one["alone"] / one["watched"] - 1 for one in rounds),
        "watching_cores": statistics.median(one["cores"] for one in rounds),
        "watching": rounds,
        "load": os.getloadavg()[0],
    }
    print(json.dumps(found, indent=1))


def _median(measure: Any) -> float:
    return statistics.median(measure() for _ in range(ROUNDS))


if __name__ == "__main__":
    main()
