"""`python -m ked runs`: every run there is, its id whole, for people and for scripts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from command_line import Ked

from ked.store import RUN_ID, Run, list_presets

LONG = f"{'digits-' * 10}0a1b2c3d"
BROKEN = "digits-broken"


@pytest.fixture
def runs(small_run: Run, ked_home: Path) -> list[str]:
    """Two runs and one that is damaged, with ids as long as they come."""
    for name in ("digits-whole", LONG, BROKEN):
        (ked_home / "runs" / name).mkdir(parents=True)
        (ked_home / "runs" / name / "run.json").write_bytes((small_run.folder / "run.json").read_bytes())
    (ked_home / "runs" / BROKEN / "run.json").write_text("{")
    assert RUN_ID.fullmatch(LONG)
    return ["digits-whole", LONG, BROKEN, *(preset.id for preset in list_presets())]


def test_in_a_pipe_every_run_is_one_line_with_its_whole_id(ked: Ked, runs: list[str]) -> None:
    answer = ked("runs")
    assert answer.code == 0
    for run in runs:
        (line,) = [line for line in answer.out.splitlines() if run in line]
        assert ("damaged" in line) == (run == BROKEN)
        assert ("plain,kd,ked" in re.split(r"[\s│]+", line)) == (run in ("digits-whole", LONG))


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_on_a_terminal_ids_are_whole_however_narrow_it_is(
    ked: Ked, runs: list[str], columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # stdout is taken for a terminal
    answer = ked("runs")
    assert answer.code == 0
    assert all(run in answer.out for run in runs)


def test_a_terminal_that_is_wide_enough_is_kept_to(ked: Ked, small_run: Run, ked_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (ked_home / "runs" / "digits-whole").mkdir(parents=True)
    (ked_home / "runs" / "digits-whole" / "run.json").write_bytes((small_run.folder / "run.json").read_bytes())
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    lines = ked("runs").out.splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) > 6, "what does not fit is wrapped"


def test_json_has_the_same_runs_and_says_what_is_damaged(ked: Ked, runs: list[str]) -> None:
    answer = ked("runs", "--json")
    assert (answer.code, answer.err) == (0, "")
    (line,) = answer.out.splitlines()
    found = {row["run"]: row for row in json.loads(line)["runs"]}
    assert list(found)[3:] == runs[3:]
    assert set(found) == set(runs)
    assert found["digits-whole"] == {
        "run": "digits-whole", "name": "", "status": "done", "before": None, "dataset": "digits",
        "methods": ["plain", "kd", "ked"], "superfeatures": 4,
    }  # fmt: skip
    assert found[BROKEN]["status"] == "damaged"
    assert BROKEN in found[BROKEN]["message"]
