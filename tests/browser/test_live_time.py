"""The live laboratory in a real browser: the slider through time, a run that grows, and two tabs that watch it."""

from __future__ import annotations

import re
from collections.abc import Callable

from laboratory import (
    ACCURACY,
    ALTS,
    ANSWERS,
    LONG,
    MASK,
    OVERLAY,
    RESTING,
    SHORT,
    SWEEP,
    VIEW,
    Visitor,
    of,
    shown,
)
from playwright.sync_api import expect

from ked.runs import steering


def test_scrubbing_a_finished_run_moves_everything_without_the_server(address: str, visitor: Callable[..., Visitor]) -> None:
    me = visitor(height=3500)  # all figures are in view, where they follow
    run = me.train(address, SHORT)
    me.until(lambda: run.status == "done")
    me.says("finished")
    expect(me.page.get_by_test_id("stDataFrame")).to_be_visible()
    me.points(more_than=39)
    for alt in ALTS:
        shown(me.page, alt)
    newest = int(me.slider.get_attribute("max") or 0)
    assert newest == 3 + 3 + 24 - 1  # moments: of both teachers all, of the students as many as are kept
    me.page.wait_for_function(RESTING)
    before, at_end = list(me.reruns), view(me)
    wanted = [
        [ACCURACY, OVERLAY, ANSWERS],  # from one epoch of the students to another: superfeatures stand
        [ACCURACY, OVERLAY, ANSWERS],  # to the explaining teacher
        [ACCURACY, MASK, OVERLAY, ANSWERS],  # to the teacher, before its last epoch
    ]
    assert me.page.evaluate(SWEEP, [ALTS, [newest - 12, 4, 1], wanted]) == wanted
    assert me.reruns == before
    expect(me.page).to_have_url(re.compile("[?&]t=teacher-2(&|$)"))
    assert me.whole == sum(not fragments for fragments in before)
    me.page.wait_for_function(RESTING)
    there = view(me)
    assert there != at_end
    me.page.reload()
    me.stands_at("teacher, epoch 2 of 3")
    me.page.wait_for_function("([alts, view]) => `${(" + VIEW + ")(alts)}` === `${view}`", arg=[ALTS, there])


def view(me: Visitor) -> list[str]:
    """What accuracy, mask, overlays and answers show."""
    return list(me.page.evaluate(VIEW, ALTS))


def test_while_a_run_grows_the_newest_moment_is_followed_and_what_was_chosen_stays(
    address: str, visitor: Callable[[], Visitor]
) -> None:
    """An older moment that was gone to, the pinned sample, the student."""
    me = visitor()
    me.train(address, LONG)
    me.points(more_than=5)
    me.page.get_by_role("spinbutton", name="Sample").fill("7")
    me.page.keyboard.press("Enter")
    expect(me.page.get_by_role("heading", name=re.compile("^Test sample 7: "))).to_be_visible()
    student = me.page.get_by_role("combobox", name="Student")
    student.focus()
    me.page.keyboard.type("shuffled")
    expect(me.page.get_by_role("option", name=re.compile("shuffled"))).to_be_visible()
    me.page.keyboard.press("Enter")
    expect(me.page).to_have_url(re.compile("[?&]student=shuffled"))
    me.scrub(2)
    me.stands_at("teacher, epoch 3 of 3")
    expect(me.page).to_have_url(re.compile("[?&]t=teacher-3(&|$)"))
    newest = int(me.slider.get_attribute("max") or 0)
    me.until(lambda: int(me.slider.get_attribute("max") or 0) > newest)
    assert me.slider.input_value() == "2"
    me.stands_at("teacher, epoch 3 of 3")
    assert me.points("teacher") == 3
    me.scrub(int(me.slider.get_attribute("max") or 0))
    expect(me.page).not_to_have_url(re.compile("[?&]t="))
    again = me.points(more_than=5)
    assert me.points(more_than=again) > again
    assert me.slider.input_value() == me.slider.get_attribute("max")
    expect(me.page.get_by_role("heading", name=re.compile("^Test sample 7: "))).to_be_visible()
    assert "shuffled" in str(student.input_value())
    expect(me.page).to_have_url(re.compile("[?&]i=7"))


def test_two_tabs_agree_within_two_seconds_of_ticks_and_the_run_goes_on_without_the_one_that_began_it(
    address: str, visitor: Callable[[], Visitor]
) -> None:
    me, other = visitor(), visitor()
    run = me.train(address, LONG)
    me.until(lambda: of(run, "epoch", "student-ked"))
    other.page.goto(me.page.url)
    other.offers("Pause")
    other.points()
    me.press("pause")
    me.until(lambda: steering.asked(run).paused)
    ticks = len(other.reruns)
    other.until(lambda: other.button("pause").inner_text().endswith("Resume training"))
    assert len(other.reruns) - ticks <= 4  # a tick comes every second, however long it takes a busy machine to draw it
    other.press("pause")
    me.offers("Pause")
    assert not steering.asked(run).paused
    me.page.close()
    done = len(of(run, "epoch", "student-ked"))
    assert other.points(more_than=done) > done
    assert other.run == run
    other.offers("Pause")
