"""Quick to start: what a command does not need it does not import, and it answers in a part of the time that torch takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from ked.store import list_presets, list_runs

ROOT = Path(__file__).resolve().parent.parent
SLOW = ("torch", "torchvision", "sklearn", "pandas", "scipy", "networkx", "captum", "streamlit")
LIGHT = ("--help", "run --help", "runs", "runs --json", "data list", "study list", "study noise --dry-run", "bench --help")
LIBRARIES = ("ked", "ked.cli", "ked.recipe", "ked.store", "ked.jobs", "ked.library", "ked.studies", "ked.studies.cells")
TINY = "run --methods plain --teacher-hidden 4 --student-hidden 4 --seeds 1 --epochs 1 --teacher-epochs 1"

WATCH = """
import io, json, os, sys, time
slow, until, *steps = json.loads(sys.argv[1])
answers, seen = sys.stdout, {}

def look(word):
    seen.setdefault(word, ([name for name in slow if name in sys.modules], time.process_time()))
    if word == until:
        print(json.dumps(seen), file=answers, flush=True)
        os._exit(0)

class Watch(io.StringIO):
    def write(self, text):
        for word in text.split():
            look(word)
        return len(text)

sys.stdout, sys.stderr = io.StringIO(), Watch()
for step in steps:
    try:
        if step.startswith("import "):
            exec(step)
        else:
            from ked.cli import main
            sys.argv = ["ked", *step.split()]
            main()
    except SystemExit as end:
        assert not end.code, end
    look(step)
look(until)
"""
"""Imports and commands, one after the other in one process; what is slow and was imported, and the CPU seconds so far, after each and
when each word was first written to stderr."""


class Seen(NamedTuple):
    """What was imported by then of all that is slow, and the CPU seconds so far."""

    slow: list[str]
    seconds: float


def _watched(*steps: str, until: str = "the end") -> dict[str, Seen]:
    command = [sys.executable, "-c", WATCH, json.dumps([SLOW, until, *steps])]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return {word: Seen(*found) for word, found in json.loads(done.stdout).items()}


def test_modules_that_compute_nothing_import_nothing_slow() -> None:
    seen = _watched(*(f"import {name}" for name in LIBRARIES), "import ked; ked.Recipe, ked.Run, ked.load_run", "import ked; ked.run")
    *light, heavy, _ = seen
    assert {step: seen[step].slow for step in light} == {step: [] for step in light}
    assert "torch" in seen[heavy].slow


def test_commands_that_compute_nothing_import_nothing_slow() -> None:
    seen = _watched(*LIGHT)
    assert {command: seen[command].slow for command in LIGHT} == {command: [] for command in LIGHT}


def test_a_run_says_so_before_torch_is_there_and_needs_nothing_else_for_its_first_stage() -> None:
    seen = _watched(TINY, until="teacher")
    assert seen["data"].slow == []
    assert seen["teacher"].slow == ["torch"]


def test_a_command_takes_less_than_half_of_torchs_time_and_a_run_begins_in_one_and_a_half_of_it() -> None:
    """CPU time, which other processes do not lengthen; all take turns, and the least of two counts."""
    commands = ("--help", "runs", "data list", "study list")
    rounds = [
        {
            "torch": _watched("import torch")["the end"].seconds,
            "run": _watched(TINY, until="teacher")["teacher"].seconds,
            **{command: _watched(command)["the end"].seconds for command in commands},
        }
        for _ in range(2)
    ]
    ratios = {name: min(one[name] / one["torch"] for one in rounds) for name in ("run", *commands)}
    assert ratios["run"] < 1.5
    assert max(ratios[command] for command in commands) < 0.5, ratios


def test_a_warm_worker_has_imported_all_that_a_run_imports_on_its_way(tmp_path: Path) -> None:
    code = f"""
import importlib, os, sys
from ked import Recipe, jobs
for name in jobs._WARM:
    importlib.import_module(name)
there = set(sys.modules)
os.environ["KED_HOME"] = {str(tmp_path / "home")!r}
from ked import run
sizes = dict(teacher_hidden=(4,), student_hidden=(4,), seeds=1, epochs=1, teacher_epochs=1, dependency_samples=20)
for event in run(Recipe(methods=("plain", "ked"), **sizes)):
    pass
print([name for name in set(sys.modules) - there if not name.startswith("ked.")])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=300, check=True)
    assert done.stdout == "[]\n"


INTERRUPTED = """
import sys

class CtrlC:
    def find_spec(self, name, path, target=None):
        if name == "torch":
            raise KeyboardInterrupt

sys.meta_path.insert(0, CtrlC())
from ked.cli import main
main()
"""


def test_ctrl_c_while_torch_is_imported_ends_the_run_as_cancelled() -> None:
    command = [sys.executable, "-c", INTERRUPTED, *TINY.split()]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)
    (run,) = set(list_runs()) - set(list_presets())
    assert (done.returncode, run.status) == (130, "cancelled")
    assert done.stderr.split() == f"data stopped; finished stages are kept (run {run.id})".split()
