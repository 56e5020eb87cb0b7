"""The processes that are ours, and the one that imports us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ked.files import processes

IMPORTED = """
import json, os, sys
before = dict(os.environ)
import ked
print(json.dumps([dict(os.environ) == before, "torch" in sys.modules]))
"""


def test_to_import_the_library_changes_nothing_in_the_process_that_does() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, env=environment, check=True)
    assert json.loads(done.stdout) == [True, False]


@pytest.mark.parametrize(("before", "after"), [(None, "10000"), ("7", "7")])
def test_threads_sleep_soon_unless_somebody_has_said_otherwise(
    before: str | None, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    if before:
        monkeypatch.setenv("GOMP_SPINCOUNT", before)
    assert processes.surroundings()["GOMP_SPINCOUNT"] == after
    assert os.environ.get("GOMP_SPINCOUNT") == before


def test_the_surroundings_of_our_processes_lead_to_our_packages(tmp_path: Path) -> None:
    (tmp_path / "ked.py").write_text("raise SystemExit('the wrong one')", "utf-8")
    command = [sys.executable, "-P", "-c", "import ked, explorer; print(ked.__file__)"]
    done = subprocess.run(command, cwd=tmp_path, env=processes.surroundings(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.strip()) == Path(processes.__file__).parents[1] / "__init__.py"


@pytest.mark.parametrize(
    ("host", "alone"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("::", False), ("10.1.2.3", False)],
)
def test_only_a_loopback_host_hears_this_machine_alone(host: str, alone: bool) -> None:
    assert processes.for_this_machine(host) is alone
