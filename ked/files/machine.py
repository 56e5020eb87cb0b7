"""What this machine has."""

from __future__ import annotations

from pathlib import Path

import psutil

_CGROUP = Path("/sys/fs/cgroup/memory.max")  # what a container may take; "max" where that is all there is


def memory() -> int:
    """Bytes of memory of the machine, or of the container that this process runs in."""
    limit = _CGROUP.read_text("utf-8").strip() if _CGROUP.is_file() else "max"
    machine = int(psutil.virtual_memory().total)
    return min(machine, int(limit)) if limit.isdecimal() else machine
