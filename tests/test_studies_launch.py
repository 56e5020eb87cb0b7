"""Studies that go on by themselves: one process to a study, which others follow and can end; and what it tells them."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from study_samples import TINY, TWO_SEEDS

from ked.cli.studies import _follow
from ked.errors import InvalidInput, Unavailable
from ked.files import jsonl, locks
from ked.files.disk import write_json
from ked.studies import ledger, study_named
from ked.studies.cells import Settings, cells_of
from ked.studies.execution import execute
from ked.studies.launch import MOST, command, look, start, stop
from ked.studies.progress_log import Events, logged

KINDS = ("began", "started", "finished", "started", "finished", "done")


def _kinds(file: Path) -> tuple[str, ...]:
    return tuple(event["kind"] for event in jsonl.read(file)[0])


def _left(home: Path, study: str, *events: dict[str, Any], stopping: bool = False) -> None:
    """What a process leaves in its study's folder; whether it is there, the lock says."""
    folder = home / "studies" / study
    folder.mkdir(parents=True)
    about = {"pid": os.getpid(), "began": time.time(), "stopping": stopping, "settings": asdict(TWO_SEEDS)}
    write_json(folder / "process.json", about)
    (folder / "progress.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events), "utf-8")


def test_a_study_is_started_once_and_can_be_stopped(wait_for: Callable[..., None], one_sentence: Callable[[str], str]) -> None:
    study, settings = study_named("kd-vs-ked"), Settings(seeds=2, teachers=1, fields={"epochs": 2})
    assert look(study) is None
    start(study, settings)
    with pytest.raises(Unavailable, match="already running") as caught:
        start(study, Settings())
    one_sentence(f"So it is: {caught.value}")
    work = look(study)
    assert work is not None
    assert work.active
    assert (work.settings, work.ended, work.message) == (settings, frozenset(), "")
    stop(study)
    wait_for(lambda: not look(study).active)  # type: ignore[union-attr]
    assert look(study) == replace(work, state="stopped", cells=look(study).cells)  # type: ignore[union-attr]
    assert ledger.read(study.name) == {}
    stop(study)  # once more, when nobody is there: nothing happens
    start(study, settings)  # nor does the one that is gone stand in the way
    stop(study)
    wait_for(lambda: not look(study).active)  # type: ignore[union-attr]


def test_no_more_studies_than_there_is_memory_for(ked_home: Path, one_sentence: Callable[[str], str]) -> None:
    with contextlib.ExitStack() as at_work:
        for number in range(MOST):
            _left(ked_home, f"study-{number}")
            at_work.enter_context(locks.locked(ked_home / "studies" / f"study-{number}" / ".process"))
        with pytest.raises(Unavailable, match="'study-0' and 'study-1'") as caught:
            start(study_named("noise"), Settings())
    one_sentence(f"So it is: {caught.value}")
    assert look(study_named("noise")) is None


def test_a_wrong_setting_starts_nothing(ked_home: Path) -> None:
    with pytest.raises(InvalidInput):
        start(study_named("noise"), Settings("large"))
    assert not (ked_home / "studies" / "noise").exists()


BEGAN, DONE = {"kind": "began", "cells": 2}, {"kind": "done"}
ENDS = {
    "killed": ((BEGAN,), False, "broken"),
    "broken": ((BEGAN, {"kind": "broken", "message": "the disk is full."}), False, "broken"),
    "done": ((BEGAN, DONE), False, "done"),
    "stopped": ((BEGAN, {"kind": "stopped"}), True, "stopped"),
    "stopped before it had said a word": ((), True, "stopped"),
    "done before it was stopped": ((BEGAN, DONE), True, "done"),
}


@pytest.mark.parametrize(("events", "stopping", "state"), ENDS.values(), ids=ENDS)
def test_how_a_process_ended_is_told_by_what_it_left(
    events: tuple[dict[str, Any], ...], stopping: bool, state: str, ked_home: Path, one_sentence: Callable[[str], str]
) -> None:
    _left(ked_home, "tiny", *events, stopping=stopping)
    work = look(TINY)
    assert work is not None
    assert (work.state, work.active) == (state, False)
    assert bool(work.message) == (state == "broken")
    if work.message:
        one_sentence(f"So it is: {work.message}")


NOTES = {"pid": 1, "began": 1.0, "stopping": False, "settings": {}}
DAMAGED = [{"pid": "x"}, {"pid": [1]}, {"pid": -1}, {"pid": None}, {"began": "x"}, {"stopping": "x"}, {"settings": {"seeds": "x"}}]


def test_damaged_notes_of_a_process_are_none(ked_home: Path) -> None:
    (ked_home / "studies" / "tiny").mkdir(parents=True)
    texts = ["", "{", "[]", "{}", "null", "[" * 10**5, '{"settings": {"size": 1}}', *(json.dumps(NOTES | one) for one in DAMAGED)]
    for text in texts:
        (ked_home / "studies" / "tiny" / "process.json").write_text(text, "utf-8")
        assert look(TINY) is None
        stop(TINY)
    (ked_home / "studies" / "tiny" / "process.json").write_text(json.dumps(NOTES), "utf-8")
    assert look(TINY) is not None


def test_damaged_lines_of_what_a_process_told_are_passed_over(ked_home: Path) -> None:
    _left(ked_home, "tiny", {"kind": "began", "cells": "x"}, {"kind": "failed", "key": 1}, {"kind": ["done"]}, {"cells": 2}, BEGAN, DONE)
    work = look(TINY)
    assert work is not None
    assert (work.state, work.cells, work.failed) == ("done", 2, {})


def test_a_study_tells_of_each_cell_and_of_its_end(tmp_path: Path) -> None:
    file, cells = tmp_path / "progress.jsonl", cells_of(TINY, TWO_SEEDS)
    with ThreadPoolExecutor(1) as executor:
        passed = [event["kind"] for event in logged(execute(cells, executor), 2, file)]
    assert ("began", *passed, "done") == _kinds(file) == KINDS
    keys = [event["key"] for event in jsonl.read(file)[0] if event["kind"] == "finished"]
    assert sorted(keys) == sorted(cell.key for cell in cells)


def _broken() -> Events:
    yield {"kind": "failed", "cell": cells_of(TINY, TWO_SEEDS)[0], "message": "it did not."}
    raise Unavailable("the disk is full.")


def test_an_end_before_the_last_cell_is_told_too(tmp_path: Path) -> None:
    stopped, broken = tmp_path / "stopped", tmp_path / "broken"
    events = logged(_broken(), 2, stopped)
    next(events)
    events.close()
    assert _kinds(stopped) == ("began", "failed", "stopped")
    with pytest.raises(Unavailable):
        list(logged(_broken(), 2, broken))
    assert _kinds(broken) == ("began", "failed", "broken")
    assert jsonl.read(broken)[0][1]["message"] == "it did not."


def test_ctrl_c_between_two_events_ends_the_cells_at_once() -> None:
    class Interrupting:
        @property
        def name(self) -> str:
            raise KeyboardInterrupt

    ended: list[str] = []

    def events() -> Iterator[dict[str, Any]]:
        try:
            yield {"kind": "started", "cell": Interrupting()}
        finally:
            ended.append("cells")

    going = events()
    with pytest.raises(SystemExit) as left:
        _follow(going, 1)  # type: ignore[arg-type]
    assert left.value.code == 130
    assert ended == ["cells"]


def test_the_command_says_only_what_is_unusual() -> None:
    assert command(TINY, Settings()) == ["study", "tiny"]
    full = Settings("paper", None, 7, 2, {"epochs": 3})
    assert command(TINY, full) == ["study", "tiny", "--scale", "paper", "--seeds", "7", "--teachers", "2", "--epochs", "3"]
