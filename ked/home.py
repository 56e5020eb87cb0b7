"""Where runs, caches and downloads live."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """$KED_HOME, or a folder in the user's data directory."""
    return Path(os.environ.get("KED_HOME") or platformdirs.user_data_dir("ked-explorer", appauthor=False)).expanduser()
