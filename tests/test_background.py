"""A long computation as a generator: its shares, its result, its failure, its end."""

from __future__ import annotations

import threading

import pytest

from ked.runs.background import Report, shares


def test_shares_come_in_order_and_the_result_at_the_end() -> None:
    results: list[str] = []

    def work(report: Report) -> str:
        for share in (0.25, 0.5, 1.0):
            report(share)
        return "done"

    assert list(shares(work, results)) == [0.25, 0.5, 1.0]
    assert results == ["done"]


def test_a_failure_is_raised_where_the_shares_are_asked_for() -> None:
    def work(report: Report) -> None:
        report(0.5)
        raise ValueError("broken")

    told = shares(work, [])
    assert next(told) == 0.5
    with pytest.raises(ValueError, match="broken"):
        next(told)


def test_work_that_nobody_waits_for_ends_at_its_next_report() -> None:
    go_on, reached = threading.Event(), []

    def work(report: Report) -> None:
        report(0.1)
        go_on.wait(180)
        report(0.2)
        reached.append("too far")

    told, before = shares(work, []), threading.active_count()
    next(told)
    go_on.set()
    told.close()
    assert threading.active_count() == before
    assert reached in ([], ["too far"])  # it may have passed its report before it was told


def test_work_that_reports_nothing_still_gives_its_result() -> None:
    results: list[int] = []
    assert list(shares(lambda report: 7, results)) == []
    assert results == [7]
