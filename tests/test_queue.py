"""Who starts next: visitors take turns, nobody waits for ever, and no more wait than may."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ked import jobs
from ked.errors import InvalidInput, Unavailable
from ked.jobs import run_queue, workers
from ked.jobs.run_queue import Waiting, in_order, turn_of
from ked.jobs.slots import Slot, count
from ked.recipe import Recipe
from ked.store import create_run

# A day at the queue: a visitor puts a run in line, or (None) the first in line starts.
DAYS = st.lists(st.sampled_from(["ann", "bob", "cleo", None]), max_size=40)


def day(moves: list[str | None]) -> tuple[list[Waiting], list[Waiting]]:
    """Who has started and who still waits, in their order."""
    started, line, turn = list[Waiting](), list[Waiting](), 0
    for since, visitor in enumerate(moves):
        if visitor is not None:
            line = in_order([*line, Waiting(f"run-{since}", visitor, turn_of(visitor, line, turn), since)])
        elif line:
            started.append(line.pop(0))
            turn = max(turn, started[-1].turn)
    return started, line


def whose(items: list[Waiting]) -> str:
    return " ".join(item.visitor for item in items)


@pytest.mark.parametrize(
    ("moves", "order"),
    [
        (["ann", "ann", "ann"], "ann ann ann"),
        (["ann", "ann", "ann", "bob"], "ann bob ann ann"),
        (["ann", "ann", "bob", "bob", "cleo"], "ann bob cleo ann bob"),
        (["ann", "ann", "ann", None, "bob"], "ann bob ann"),
        (["ann", "bob", "ann", None, None, "bob", "cleo"], "ann bob cleo"),
    ],
)
def test_visitors_take_turns(moves: list[str | None], order: str) -> None:
    assert whose(day(moves)[1]) == order


@given(DAYS)
def test_the_runs_of_one_visitor_start_in_the_order_in_which_they_came(moves: list[str | None]) -> None:
    started, line = day(moves)
    for visitor in ("ann", "bob", "cleo"):
        mine = [item.since for item in [*started, *line] if item.visitor == visitor]
        assert mine == sorted(mine)


@given(DAYS, st.sampled_from(["ann", "bob", "cleo"]))
def test_a_first_run_waits_for_at_most_two_of_each_other_visitor(moves: list[str | None], visitor: str) -> None:
    if visitor in whose(day(moves)[1]):
        return
    before = day([*moves, visitor])[1]
    mine = next(index for index, item in enumerate(before) if item.visitor == visitor)
    others = [item.visitor for item in before[:mine]]
    assert all(others.count(other) <= 2 for other in others)


def test_nobody_is_pushed_back_for_ever_by_visitors_who_keep_coming() -> None:
    moves: list[str | None] = ["ann", "ann", None]
    for index in range(5):
        moves += [f"newcomer-{index}", None]
    assert "ann" in whose(day(moves)[0][1:3])


def test_the_queue_on_disk_has_the_same_order() -> None:
    with run_queue.locked():
        for run, visitor in (("a-1", "ann"), ("a-2", "ann"), ("b-1", "bob")):
            run_queue.add(run, visitor)
    assert [item.run for item in run_queue.waiting()] == ["a-1", "b-1", "a-2"]
    assert [run_queue.position(run) for run in ("a-1", "a-2", "b-1", "no-such-run")] == [0, 2, 1, None]
    with run_queue.locked():
        run_queue.started(run_queue.waiting()[0])
        run_queue.add("c-1", "cleo")
        assert run_queue.remove("a-2")
        assert not run_queue.remove("a-2")
    assert [(item.run, item.turn) for item in run_queue.waiting()] == [("b-1", 1), ("c-1", 2)]


ITEM = {"run": "b-1", "visitor": "bob", "turn": 1, "since": 1.0}
CHANGES = [("turn", "x"), ("turn", None), ("turn", 1.5), ("since", "x"), ("since", float("nan")), ("visitor", 7), ("run", "../b-1")]
DAMAGE = {
    "torn": '{"run": "b-',
    "nothing": "null",
    "a list": "[1]",
    "too deep": "[" * 10**5,
    "of another form": '{"colour": "red"}',
    **{f"{name} = {value!r}": json.dumps(ITEM | {name: value}) for name, value in CHANGES},
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_place_in_the_queue_is_a_sentence_about_its_run_and_the_others_go_on(
    damage: str, small_recipe: Recipe, one_sentence: Callable[[str], str]
) -> None:
    run = create_run(small_recipe)
    with run_queue.locked():
        run_queue.add("a-1", "ann")
        (run_queue.folder() / run.id).write_text(DAMAGE[damage])
        (run_queue.folder() / "no-run").write_text(DAMAGE[damage])
        (run_queue.folder() / "a-folder").mkdir()
        run_queue.add("c-1", "ann")
    assert [item.run for item in run_queue.waiting()] == ["a-1", "c-1"]
    assert (run_queue.position("c-1"), run_queue.position(run.id)) == (1, None)
    with run_queue.locked():
        workers.clear_damage()
    assert sorted(run_queue.names()) == ["a-1", "c-1"]
    assert jobs.status(run) == "failed"
    assert "place in the queue was damaged" in one_sentence(run.info["message"])


@pytest.mark.parametrize("turn", ["", "x", "null", "[]", "1e999", "[" * 10**5])
def test_a_damaged_count_of_turns_begins_again(turn: str) -> None:
    with run_queue.locked():
        run_queue.add("a-1", "ann")
        (run_queue.folder() / ".turn").write_text(turn)
        run_queue.add("b-1", "bob")
        run_queue.started(run_queue.waiting()[0])
        run_queue.add("a-2", "ann")
    assert [(item.run, item.turn) for item in run_queue.waiting()] == [("b-1", 1), ("a-2", 2)]


def test_a_full_queue_takes_no_more(monkeypatch: pytest.MonkeyPatch, one_sentence: Callable[[str], str]) -> None:
    monkeypatch.setenv("KED_QUEUE", "2")
    with run_queue.locked():
        run_queue.add("a-1", "ann")
        run_queue.check_room()
        run_queue.add("b-1", "bob")
        with pytest.raises(Unavailable) as refusal:
            run_queue.check_room()
    assert "2 runs are already waiting" in one_sentence(str(refusal.value))


# Slots


def test_there_are_no_more_slots_than_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KED_JOBS", "3")
    slots = [Slot() for _ in range(4)]
    assert [slot.try_acquire() for slot in slots] == [True, True, True, False]
    assert slots[0].try_acquire(), "what holds one already needs no second one"
    slots[1].release()
    slots[1].release()
    assert [slot.held for slot in slots] == [True, False, True, False]
    with slots[3] as last:
        assert last.held
        assert not slots[1].acquire(give_up=lambda: True)
    assert slots[1].acquire()
    for slot in slots:
        slot.release()


@pytest.mark.parametrize("text", ["none", "0", "-1", "1.5"])
def test_a_wrong_number_of_slots_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch, one_sentence: Callable[[str], str]
) -> None:
    monkeypatch.setenv("KED_JOBS", text)
    with pytest.raises(InvalidInput, match="KED_JOBS") as refusal:
        count()
    assert repr(text) in one_sentence(str(refusal.value))


def test_the_slot_of_a_killed_process_is_free(monkeypatch: pytest.MonkeyPatch, wait_for: Callable[..., None]) -> None:
    monkeypatch.setenv("KED_JOBS", "1")
    slot = Slot()
    if (child := os.fork()) == 0:
        Slot().acquire()
        time.sleep(60)
        os._exit(0)
    try:
        wait_for(lambda: not (slot.try_acquire() and slot.release() is None))
        os.kill(child, signal.SIGKILL)
        wait_for(slot.try_acquire)
    finally:
        os.waitpid(child, 0)
    slot.release()
