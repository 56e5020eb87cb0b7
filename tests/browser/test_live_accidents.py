"""The live laboratory in a real browser: a run is watched from two tabs, lost and found, killed and taken up again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from laboratory import (
    LONG,
    NETS,
    Visitor,
    of,
    told,
)
from playwright.sync_api import expect
from served import served
from visitor import ROOT, TITLES

from ked.recipe import Recipe
from ked.runs import pipeline, steering
from ked.store import Run, create_run

# Tabs


def test_a_run_goes_on_without_its_tab_and_is_found_again_by_its_address(address: str, visitor: Callable[[], Visitor]) -> None:
    me = visitor()
    run = me.train(address, LONG)
    me.points()
    link = me.page.url
    me.page.close()
    done = len(of(run, "epoch", "student-ked"))
    later = visitor()
    later.until(lambda: len(of(run, "epoch", "student-ked")) > done + 2)
    later.page.goto(link)
    assert later.points(more_than=done) > done
    assert later.run == run
    later.offers("Pause")


def test_two_tabs_on_a_run_agree_within_two_seconds_of_ticks(address: str, visitor: Callable[[], Visitor]) -> None:
    me, other = visitor(), visitor()
    run = me.train(address, LONG)
    me.until(lambda: of(run, "epoch", "student-ked"))
    other.page.goto(me.page.url)
    other.offers("Pause")
    other.points()
    me.press("pause")
    me.until(lambda: steering.asked(run).paused)
    ticks = len(other.reruns)
    other.until(lambda: other.button("pause").inner_text().endswith("Play"))
    assert len(other.reruns) - ticks <= 4  # a tick comes every half second, however long it takes a busy machine to draw it
    other.press("pause")
    me.offers("Pause")
    assert not steering.asked(run).paused


# Accidents


def test_a_killed_run_says_so_and_ends_with_the_numbers_of_one_that_was_not(
    address: str, visitor: Callable[[], Visitor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = visitor()
    run = me.train(address, f"{NETS}&ep=200&seeds=2&methods=ked")  # no other test's, which the cache would have
    me.until(lambda: of(run, "epoch", "student-ked"))
    os.kill(run.info["pid"], signal.SIGKILL)
    killed = len(told(run))
    expect(me.page.get_by_text("ended without a word")).to_be_visible()
    assert of(run, "epoch", "student-ked")[-1]["epoch"] < 200
    me.press("resume")
    me.says("finished")
    expect(me.page.get_by_test_id("stDataFrame")).to_be_visible()
    since = [event["epoch"] for event in told(run)[killed:] if event["kind"] == "epoch" and event["stage"] == "student-ked"]
    assert since[-1] == 200
    monkeypatch.setenv("KED_HOME", str(tmp_path))
    assert run.info["summary"]["accuracy"] == uninterrupted(run.recipe).info["summary"]["accuracy"]


def uninterrupted(recipe: Recipe) -> Run:
    """The same recipe computed here and at once, with the jobs' number of threads: another one rounds otherwise."""
    run, threads = create_run(recipe), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in pipeline.run(recipe, into=run):
            pass
    finally:
        torch.set_num_threads(threads)
    return run


def test_a_tab_whose_server_is_gone_says_so(home: Path, visitor: Callable[[], Visitor]) -> None:
    me = visitor()
    with served("--port", "0", cwd=ROOT, env={"KED_HOME": str(home)}) as app:
        me.page.goto(f"{app.address}/data")
        expect(me.page.get_by_role("heading", name=TITLES["data"])).to_be_visible()
    expect(me.page.get_by_role("dialog").filter(has_text="Connection error")).to_be_visible()
