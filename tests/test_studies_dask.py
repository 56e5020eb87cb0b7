"""Studies on a Dask cluster: a worker that is killed in the middle of a study costs no cell."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from study_samples import TINY, TWO_SEEDS

from ked.errors import Unavailable
from ked.store import list_runs
from ked.studies import ledger
from ked.studies.cells import cells_of
from ked.studies.execution import execute
from ked.studies.executors import dask

TESTS = Path(__file__).resolve().parent
STUDY = replace(
    TINY,
    axis={f"M = {count}": {"superfeatures": count} for count in (1, 2, 3, 4)},
    fields=dict(TINY.fields) | {"epochs": 80},
)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """One process of the cluster, with this test's $KED_HOME."""
    paths = os.pathsep.join((str(TESTS.parent), str(TESTS), os.environ.get("PYTHONPATH", "")))
    command = [sys.executable, "-m", f"distributed.cli.{arguments[0]}", *arguments[1:], "--no-dashboard"]
    with open(folder / f"{arguments[0]}-{time.monotonic_ns()}.log", "wb") as log:
        return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": paths}, cwd=folder, stdout=log, stderr=log)


@pytest.fixture
def cluster(tmp_path: Path, ked_home: Path, wait_for: Callable[..., None]) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler, and its two workers."""
    address = f"tcp://127.0.0.1:{(port := _free_port())}"
    scheduler = _start(tmp_path, "dask_scheduler", "--host", "127.0.0.1", "--port", str(port))
    workers = [_start(tmp_path, "dask_worker", address, "--nthreads", "1", "--no-nanny") for _ in range(2)]
    wait_for(lambda: _answers(port))  # the scheduler has torch's and dask's imports before it
    yield address, workers
    for process in (*workers, scheduler):
        process.kill()
        process.wait(180)


def _running() -> int:
    return sum(run.info["status"] == "running" for run in list_runs())


def test_a_worker_that_is_killed_in_mid_study_costs_no_cell(
    cluster: tuple[str, list[subprocess.Popen[bytes]]], wait_for: Callable[..., None]
) -> None:
    address, workers = cluster
    cells, started = cells_of(STUDY, TWO_SEEDS), 0
    with dask(address) as executor:
        for event in execute(cells, executor, here=False):
            assert event["kind"] in ("started", "finished"), event
            started += event["kind"] == "started"
            if started == len(cells) and workers[0].poll() is None:
                wait_for(lambda: _running() == 2)  # one at each worker, which has one thread
                workers[0].kill()
                workers[0].wait(180)
    assert set(ledger.read("tiny")) == {cell.key for cell in cells}
    assert len([run for run in list_runs() if "cell" in run.info]) == len(cells), "what was cut off goes on in its run"


def test_an_address_where_nobody_answers_is_one_sentence(one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(Unavailable, match="no Dask scheduler") as caught, dask(f"tcp://127.0.0.1:{_free_port()}", patience=0.5):
        pass
    one_sentence(str(caught.value))
