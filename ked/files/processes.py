"""The processes that are ours: the command line, the app, and what both start. A program that imports us stays as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import MutableMapping, Sequence
from typing import IO

from ked.files.home import home
from ked.files.shipped import TOP


def let_threads_sleep(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let a thread of OpenMP that has nothing to do sleep soon, in the processes of this environment.

    By default it waits in a loop that keeps its core busy; two trainings on the same cores then stand still, each 10 to 100 times
    slower. Has to be said before torch is first imported.
    """
    environment.setdefault("GOMP_SPINCOUNT", "10000")


def surroundings() -> dict[str, str]:
    """The environment of a process of ours: it finds our packages, installed or not, and its threads sleep."""
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join([str(TOP), *filter(None, [environment.get("PYTHONPATH")])])
    let_threads_sleep(environment)
    return environment


def start(arguments: Sequence[str], log: IO[bytes], lock: int) -> subprocess.Popen[bytes]:
    """`python -m ked` with these arguments, in a process that outlives this one and the terminal, and works in the same home.

    Args:
        arguments: What the command line is told.
        log: Takes what the process writes.
        lock: The descriptor of a lock, which goes over to the process without a gap.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "ked", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # closing the server's terminal does not end it
        cwd=TOP,  # from where it imports: not from the folder in which somebody happens to be
        env=surroundings() | {"KED_HOME": str(home().absolute())},
        pass_fds=(lock,),
    )


def for_this_machine(host: str) -> bool:
    """Whether a server that listens to this host name or address hears this machine alone."""
    return host in ("localhost", "::1") or host.startswith("127.")
