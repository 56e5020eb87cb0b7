"""The Train page stands still while a run grows on it: what a visitor looks at does not jump away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ked.runs import steering
from ked.store import Run

ROOT = Path(__file__).resolve().parents[2]
RUN = "ep=12&tep=6&seeds=2&th=32,32&sh=12&methods=plain,ked"
WATCH = """
window.shifts = [];
new PerformanceObserver(list => list.getEntries().forEach(entry => entry.hadRecentInput || window.shifts.push({
    value: entry.value,
    what: entry.sources.map(({ node }) => (node?.dataset?.testid ?? node?.nodeName) + ' ' + (node?.textContent ?? '').slice(0, 40)),
}))).observe({ type: 'layout-shift' });
"""


@pytest.fixture(scope="module")
def address(serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    yield serve(ROOT / "explorer/app.py", env={"KED_HOME": str(home), "OMP_NUM_THREADS": "1"})
    for run in home.glob("runs/*"):
        steering.cancel(Run(run))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    yield context.new_page()
    context.close()


def test_nothing_jumps_while_a_run_grows(page: Page, address: str) -> None:
    page.goto(f"{address}/train?{RUN}")
    expect(page.get_by_text(re.compile("^To compute: teacher"))).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page).to_have_url(re.compile("run=digits-[0-9a-f]{8}"), timeout=30_000)
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=30_000)
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    expect(page.get_by_test_id("stDataFrame")).to_be_visible(timeout=120_000)
    page.wait_for_timeout(500)
    shifts = page.evaluate("window.shifts")
    # Below 0.1 a page counts as steady (the measure CLS).
    assert sum(shift["value"] for shift in shifts) < 0.1, [s for s in shifts if s["value"] > 0.005]
