"""What `.plot()` and `.open()` ask: the app's figures and the app itself, where they are installed. The method needs neither."""

from __future__ import annotations

import atexit
import socket
import subprocess
import sys
import time
import webbrowser
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from ked.errors import Unavailable

_DRAWS = "explorer.notebook"  # by its name, as ked stands below it
_PATIENCE = 120.0  # seconds until a server that does not answer is given up
_servers: dict[str, subprocess.Popen[bytes]] = {}  # address -> the one that this process has started


def check_packages() -> None:
    """See to it that what draws is installed, which the library does without."""
    if not (find_spec("streamlit") and find_spec("plotly") and find_spec(_DRAWS.partition(".")[0])):
        raise Unavailable("this needs packages that are not installed; get them with pip install 'ked-explorer[app]'.")


def figure(name: str, *about: Any, **options: Any) -> Any:
    """A plotly figure of something; `Unavailable` where nothing is installed that draws it."""
    check_packages()
    return getattr(import_module(_DRAWS), name)(*about, **options)


def browse(page: str, browser: bool = True, **query: str) -> str:
    """Open the app at an address, which is returned; it is started the first time, and ends with this process.

    Raises:
        Unavailable: The app is not installed, or does not start.
    """
    check_packages()
    address = next((address for address, server in _servers.items() if server.poll() is None), None) or _started()
    shown = f"{address}/{page}?{urlencode(query)}"
    if browser:
        webbrowser.open(shown)
    return shown


def _started() -> str:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    address, nowhere = f"http://localhost:{port}", subprocess.DEVNULL
    command = [sys.executable, "-m", "ked", "app", f"--port={port}"]
    server = subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    atexit.register(server.terminate)
    until = time.monotonic() + _PATIENCE
    while server.poll() is None and time.monotonic() < until:
        try:
            with urlopen(f"{address}/_stcore/health", timeout=5):
                _servers[address] = server
                return address
        except (URLError, OSError):
            time.sleep(0.1)
    server.terminate()
    raise Unavailable("the app does not start; `ked app` says why.")
