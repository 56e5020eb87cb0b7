"""The Train page stands still while a run grows on it: what a visitor looks at does not jump away."""

from __future__ import annotations

from collections.abc import Callable

from laboratory import RESTING, Visitor
from playwright.sync_api import expect

RUN = "data=digits&ep=12&tep=6&seeds=2&th=32,32&sh=12&methods=plain,ked"
WATCH = """
window.shifts = [];
new PerformanceObserver(list => list.getEntries().forEach(entry => entry.hadRecentInput || window.shifts.push({
    value: entry.value,
    what: entry.sources.map(({ node, previousRect: a, currentRect: b }) => (node?.dataset?.testid ?? node?.nodeName) + ' '
        + (node?.textContent ?? '').slice(0, 40) + ` ${a.y} -> ${b.y}`),
}))).observe({ type: 'layout-shift' });
"""


def test_nothing_jumps_while_a_run_grows(visitor: Callable[..., Visitor], address: str) -> None:
    me = visitor(reduced_motion="no-preference")
    me.train(address, RUN)
    expect(me.page.get_by_role("button", name="Stop")).to_be_visible()
    me.ticks(2)
    me.page.evaluate(WATCH)
    expect(me.page.get_by_test_id("stDataFrame")).to_be_visible()
    me.page.wait_for_function(RESTING)
    shifts = me.page.evaluate("window.shifts")
    # Below 0.1 a page counts as steady (the measure CLS).
    assert sum(shift["value"] for shift in shifts) < 0.1, [s for s in shifts if s["value"] > 0.005]
