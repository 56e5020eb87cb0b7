"""The app as people start it, `ked app` in a process of its own, or a Streamlit script: until it answers."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PATIENCE = 180  # seconds; on a busy machine everything takes its time


class App(NamedTuple):
    """A server at work.

    Attributes:
        address: What it says its address is.
        said: What it has said before that, line by line.
        pid: Of its process.
    """

    address: str
    said: list[str]
    pid: int


@contextlib.contextmanager
def served(
    *options: str,
    cwd: Path,
    env: Mapping[str, str],
    ked: Sequence[str] = (sys.executable, "-m", "ked"),
    script: Path | None = None,
) -> Iterator[App]:
    """`ked app` with these options, or another script in its place, started in a folder with this environment; it ends with the block."""
    command = [*ked, "app", *options]
    if script:
        command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={_free_port()}"]
    surroundings = {**os.environ, "STREAMLIT_SERVER_HEADLESS": "true", "KED_WARM_SECONDS": "0", "OMP_NUM_THREADS": "1", **env}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=cwd, env=surroundings, **pipes) as server:  # type: ignore[call-overload]
        app = _listen(server)
        listener = threading.Thread(target=server.stdout.read)  # on and on, so that the pipe never fills up
        listener.start()
        try:
            _wait_until_it_answers(server, app.address)
            yield app
        finally:
            server.terminate()
            listener.join()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def _listen(server: subprocess.Popen[str]) -> App:
    """What the server says until it names its address."""
    assert server.stdout is not None
    said: list[str] = []
    for line in server.stdout:
        if named := re.search(r"URL: (http\S+)", line):
            return App(named[1], said, server.pid)
        said.append(line.strip())
    raise AssertionError("the app stopped before it answered:\n" + "\n".join(said))


def _wait_until_it_answers(server: subprocess.Popen[str], address: str) -> None:
    """A server names its address a moment before it listens there."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health") as answer:
                assert answer.read() == b"ok"
            return
        except urllib.error.URLError:
            if server.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.05)
