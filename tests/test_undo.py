"""Undo: every settled move can be taken back and done again, and a drag is one move."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from explorer.state.undo import LIMIT, Undo

VIEWS = st.lists(st.fixed_dictionaries({"m": st.integers(0, 3), "mu": st.integers(0, 3)}), min_size=1, max_size=12)


def after(views: list[dict[str, int]], apart: float = 10.0) -> Undo:
    undo = Undo()
    for i, view in enumerate(views):
        undo.settle(view, i * apart)
    return undo


def without_repeats(views: list[dict[str, int]]) -> list[dict[str, int]]:
    return [view for i, view in enumerate(views) if i == 0 or view != views[i - 1]]


@given(VIEWS)
def test_undo_walks_back_through_every_view_and_redo_forward_again(views: list[dict[str, int]]) -> None:
    undo, distinct = after(views), without_repeats(views)
    assert [undo.undo() for _ in range(len(undo.past))] == distinct[-2::-1]
    assert [undo.redo() for _ in range(len(undo.future))] == distinct[1:]


@given(VIEWS, VIEWS, st.integers(0, 11))
def test_a_new_move_after_undo_forgets_what_was_taken_back(views: list[dict[str, int]], more: list[dict[str, int]], steps: int) -> None:
    undo = after(views)
    for _ in range(min(steps, len(undo.past))):
        undo.undo()
    kept = [*undo.past, undo.present]
    for i, view in enumerate(more):
        undo.settle(view, 1000 + 10 * i)
    expected = without_repeats([*kept, *more])
    assert [*undo.past, undo.present] == expected
    assert undo.future == [] or len(expected) == len(kept)


def test_a_drag_of_one_slider_is_one_move() -> None:
    undo = after([{"m": m, "mu": 0} for m in range(5)], apart=0.3)
    assert undo.undo() == {"m": 0, "mu": 0}
    assert undo.past == []


def test_quick_moves_of_two_sliders_are_two_moves() -> None:
    undo = after([{"m": 4, "mu": 0}, {"m": 5, "mu": 0}, {"m": 5, "mu": 1}, {"m": 5, "mu": 2}], apart=0.3)
    assert [undo.undo(), undo.undo()] == [{"m": 5, "mu": 0}, {"m": 4, "mu": 0}]


def test_the_same_move_right_after_undo_can_be_taken_back_again() -> None:
    undo = after([{"m": 4}, {"m": 5}])
    undo.undo()
    undo.settle({"m": 5}, 10.1)
    assert undo.undo() == {"m": 4}


def test_what_the_page_corrects_is_part_of_the_move() -> None:
    undo = after([{"m": 4, "run": "a"}, {"m": 5, "run": "a"}])
    undo.amend({"m": 5, "run": ""})
    assert undo.undo() == {"m": 4, "run": "a"}
    undo.amend({"m": 4, "run": "b"})
    undo.settle({"m": 4, "run": "b"}, 99)
    assert undo.redo() == {"m": 5, "run": ""}


def test_names_say_what_undo_and_redo_would_change() -> None:
    undo = after([{"m": 4, "mu": 0}, {"m": 5, "mu": 0}, {"m": 5, "mu": 1}])
    assert undo.names() == ({"mu"}, set())
    undo.undo()
    assert undo.names() == ({"m"}, {"mu"})
    assert Undo().names() == (set(), set())


def test_the_stack_is_bounded() -> None:
    undo = after([{"m": i} for i in range(3 * LIMIT)])
    assert len(undo.past) == LIMIT
    assert undo.past[0] == {"m": 2 * LIMIT - 1}
