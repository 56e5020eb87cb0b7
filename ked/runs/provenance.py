"""What computed a run: versions of the packages, and the commit of this code."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

_PACKAGES = ("torch", "numpy", "scikit-learn", "scikit-network", "python-louvain")
_HERE = Path(__file__).resolve()


def provenance() -> dict[str, Any]:
    """The entries "versions" and "commit" of run.json."""
    versions = {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}
    return {"versions": versions, "commit": commit()}


@functools.cache
def commit(file: Path = _HERE) -> str:
    """The git commit of a file's repository, with a "+" if tracked files were changed since; "" where there is none.

    Read once a process, as the code is. A repository that only happens to lie around the file, as around an installed
    package, is not its own.
    """
    if _git(file, "ls-files", "--error-unmatch", file.name) is None:
        return ""
    return _git(file, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+") or ""


def _git(file: Path, *arguments: str) -> str | None:
    """What git says in the file's folder; None where it refuses or is not there."""
    command = ["git", "-C", str(file.parent), *arguments]
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0"}  # to read must not write
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, env=environment, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
