"""The moments that a visitor can go back to are the epochs that are kept, and each shows the latest net that was there then."""

from __future__ import annotations

import pytest

from explorer.timeline.history import History
from explorer.timeline.moments import Moment, at_moments, moments
from ked.runs.snapshots import COUNT, spread
from ked.store import Run


def told(**epochs: tuple[int, int]) -> History:
    """A history in which stages, named with _ for -, have finished so many of so many epochs."""
    history = History(Run.__new__(Run))
    for name, (done, whole) in epochs.items():
        history.stages[name.replace("_", "-").replace("--", "+")] = {"epoch": done, "epochs": whole, "validation": []}
    return history


def names(history: History) -> list[str]:
    return [moment.name for moment in moments(history)]


def test_nothing_has_happened_yet() -> None:
    assert moments(told()) == []
    assert moments(told(teacher=(0, 5))) == []


def test_phases_come_one_after_the_other_and_students_share_their_epochs() -> None:
    history = told(teacher=(2, 2), explaining=(1, 2), student_plain=(3, 3), student_ked=(1, 3))
    assert names(history) == ["teacher-1", "teacher-2", "explaining-1", "students-1", "students-2", "students-3"]
    assert moments(history)[-1].label == "students, epoch 3 of 3"


@pytest.mark.parametrize("epochs", [24, 25, 60, 1000])
def test_no_phase_has_more_moments_than_nets_are_kept_and_the_latest_is_among_them(epochs: int) -> None:
    for done in {1, epochs // 2, epochs - 1, epochs}:
        found = [moment.epoch for moment in moments(told(teacher=(done, epochs)))]
        assert len(found) <= COUNT
        assert found[-1] == done
        assert set(found[:-1]) <= spread(epochs)


def test_a_student_that_goes_on_comes_after_the_epochs_of_the_one_it_continues() -> None:
    history = told(student_ked=(4, 4), student_ked__chimera=(1, 2))
    assert history.epochs_before("ked+chimera") == 4
    assert names(history) == [f"students-{epoch}" for epoch in range(1, 6)]
    assert moments(history)[-1].epochs == 6


def test_each_moment_shows_the_latest_net_that_was_there_then() -> None:
    phase = [Moment("students", epoch, 9) for epoch in (1, 3, 6, 9)]
    assert at_moments((2, 6), phase) == {"students-3": 0, "students-6": 1, "students-9": 1}
    assert at_moments((1, 2), phase, offset=4) == {"students-6": 1, "students-9": 1}
    assert at_moments((), phase) == {}
