"""Where the things lie that come with the program: finished runs, results of studies, pages, the icon."""

from __future__ import annotations

from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
"""The folder that holds our packages: site-packages, or the repository."""


def shipped(packed: str, in_repository: str) -> Path:
    """A file or folder that comes with the program: packed inside a package where that is installed, else the repository's.

    Args:
        packed: Its place in the wheel, such as "ked/presets"; `pyproject.toml` says what is packed where.
        in_repository: Its place in the repository, such as "assets/presets".
    """
    installed = TOP / packed
    return installed if installed.exists() else TOP / in_repository
