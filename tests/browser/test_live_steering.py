"""The live laboratory in a real browser: a run is paused, stepped, slowed, changed, stopped, killed and taken up again.

It is one long run in one tab; each test has it at rest, where the test before has left it.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from laboratory import (
    LONG,
    Visitor,
    of,
    told,
)
from playwright.sync_api import Page, expect
from served import App

from ked.files import jsonl
from ked.runs import steering
from ked.store import Run


@pytest.fixture
def me(resident: Visitor, address: str) -> Visitor:
    """The visitor who watches the run, which rests, with an epoch of KED behind it at least."""
    if resident.page.url == "about:blank":
        resident.train(address, LONG)
        resident.until(lambda: of(resident.run, "epoch", "student-ked"))
    if told(resident.run)[-1]["kind"] != "paused":
        resident.rest()
    return resident


def test_a_paused_run_rests_and_goes_on_by_one_batch_or_to_the_end_of_an_epoch(me: Visitor) -> None:
    run = me.run
    whole, before = me.whole, told(run)
    me.says("paused")
    me.ticks(3)
    assert told(run) == before
    me.press("batch")
    me.until(lambda: len(told(run)) >= len(before) + 2)
    step, rest = told(run)[len(before) :]
    assert (step["kind"], rest["kind"]) == ("step", "paused")
    assert (step["epoch"], step["step"]) == (before[-1]["epoch"], before[-1]["step"])
    assert cards(me.page, f"epoch {step['epoch']}, batch {step['step']} of") == expected_cards(step)
    me.press("epoch")
    me.until(lambda: told(run)[-1]["kind"] == "paused" and told(run)[-1]["epoch"] == step["epoch"] + 1)
    me.ticks(3)
    since = told(run)[len(before) + 2 :]
    assert since[-1]["step"] == 1
    assert [event["epoch"] for event in since if event["kind"] == "epoch"] == [step["epoch"]]
    me.stands_at(f"students, epoch {step['epoch']} of 500")
    assert me.points(more_than=step["epoch"] - 1) == step["epoch"]  # what came last is drawn, though no more comes
    me.press("pause")
    me.offers("Pause")
    me.until(lambda: of(run, "epoch", "student-ked")[-1]["epoch"] > step["epoch"] + 1)
    assert me.whole == whole  # fragments alone have run


def cards(page: Page, place: str) -> list[str]:
    """Number after number on the cards of the batch at that place."""
    expect(page.locator(".ked-term small").first).to_have_text(re.compile(place))
    return page.locator(".ked-term b").all_inner_texts()


def expected_cards(step: dict[str, Any]) -> list[str]:
    """The loss, its three terms and each superfeature's share of the third, from what the run has told."""
    weighted = {name: sum(values) / len(values) * step["weights"][name] for name, values in step["loss"].items()}
    assert list(weighted) == ["ce", "prediction", "explanation"]
    assert len(step["explanations"]) == 4
    sums = [f"{value:.3f}" for value in (sum(weighted.values()), *weighted.values())]
    return sums + [f"{value:.4f}" for value in step["explanations"]]


def test_each_press_counts_once_however_long_server_and_run_take(app: App, me: Visitor) -> None:
    run = me.run
    before, ordered = len(told(run)), len(orders(me.run))
    with standstill(app.pid, run.info["pid"]):
        for _ in range(10):
            me.press("batch")
    for _ in range(10):
        me.press("batch")
    me.until(lambda: sum(event["kind"] == "step" for event in told(run)[before:]) >= 20)
    me.until(lambda: told(run)[-1]["kind"] == "paused")
    me.ticks(3)
    assert sum(event["kind"] == "step" for event in told(run)[before:]) == 20
    assert orders(run)[ordered:] == ["step"] * 20
    for _ in range(5):
        for words in ("Pause", "Resume training"):  # what the button offers after the press
            me.press("pause")
            me.offers(words)
    assert orders(run)[ordered + 20 :] == ["play", "pause"] * 5


@contextmanager
def standstill(*processes: int) -> Iterator[None]:
    """Processes that do nothing until the block ends: what comes for them meanwhile comes all at once."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def orders(run: Run) -> list[str]:
    return [order["do"] for order in jsonl.read(run.folder / steering.CONTROL)[0]]


def test_slow_motion_shows_every_batch(me: Visitor) -> None:
    run = me.run
    me.press("pause")
    me.offers("Pause")
    menu = me.page.get_by_role("combobox", name="Speed")
    menu.click()
    me.ticks(3)
    me.page.get_by_role("option", name="2 batches a second").click()
    me.until(lambda: steering.asked(run).slow == 0.5)
    begin = len(told(run))
    me.until(lambda: sum(event["kind"] == "step" for event in told(run)[begin:]) >= 4)
    steps = [event for event in told(run)[begin:] if event["kind"] == "step"][1:]
    assert [(e["epoch"] - steps[0]["epoch"]) * e["steps"] + e["step"] - steps[0]["step"] for e in steps] == list(range(len(steps)))
    assert steps[-1]["time"] - steps[0]["time"] > 0.45 * (len(steps) - 1)
    expect(me.page.locator(".ked-term")).to_have_count(4 + 4)
    me.says("training")
    assert menu.input_value() == "2 batches a second"
    menu.click()
    me.page.get_by_role("option", name="full speed").click()
    me.until(lambda: steering.asked(run).slow == 0)
    expect(me.page.locator(".ked-term")).to_have_count(0)
    assert menu.input_value() == "full speed"


def test_settings_change_from_the_next_batch_on_and_become_part_of_the_recipe(me: Visitor) -> None:
    run = me.run
    at = told(run)[-1]
    me.page.get_by_role("button", name="Change").click()
    body = me.page.get_by_test_id("stPopoverBody")
    mu, temperature = (body.get_by_role("spinbutton", name=name) for name in ("Explanations' share μ", "Temperature T"))
    mu.fill("0.25")
    temperature.fill("5")
    me.ticks(4)
    assert (mu.input_value(), temperature.input_value()) == ("0.25", "5")
    body.get_by_role("button", name="From the next batch on").click()
    caption = f"KED, from epoch {at['epoch']}, batch {at['step']} on: "
    said = me.page.get_by_test_id("stCaptionContainer").filter(has_text=caption)
    expect(said).to_contain_text("Explanations' share μ 0.25")
    expect(said).to_contain_text("Temperature T 5")
    assert {(c.stage, *c.place, c.setting, c.value) for c in run.recipe.changes} == {
        ("student-ked", at["epoch"], at["step"], "mu", 0.25),
        ("student-ked", at["epoch"], at["step"], "temperature", 5.0),
    }
    me.page.keyboard.press("Escape")
    me.press("batch")
    step = me.until(lambda: [event for event in told(run)[-2:] if event["kind"] == "step" and event["step"] == at["step"]])[0]
    lam = run.recipe.lam
    assert step["weights"]["prediction"] == pytest.approx(25 * lam * 0.75)
    expect(me.page.get_by_text(f"= {25 * lam * 0.75:.3g} ×")).to_be_visible()


def test_a_stopped_run_is_resumed_where_it_was(me: Visitor) -> None:
    run = me.run
    me.press("stop")
    me.says("stopped")
    assert run.status == "cancelled"
    expect(me.button("stop")).to_have_count(0)
    done, ended = of(run, "epoch", "student-ked")[-1]["epoch"], len(told(run))
    assert me.points(more_than=done - 1) == done
    me.press("resume")
    me.offers("Pause")
    assert me.points(more_than=done) > done
    assert any(event["kind"] == "epoch" and event["epoch"] == done + 1 for event in told(run)[ended:])


def test_a_killed_run_says_so_and_goes_on_where_it_was(me: Visitor) -> None:
    """That it ends with the numbers of one that was not killed is tested without a browser, with the jobs."""
    run = me.run
    os.kill(run.info["pid"], signal.SIGKILL)
    expect(me.page.get_by_text("ended without a word")).to_be_visible()
    done = of(run, "epoch", "student-ked")[-1]["epoch"]
    me.press("resume")
    me.offers("Pause")
    me.until(lambda: of(run, "epoch", "student-ked")[-1]["epoch"] > done)
