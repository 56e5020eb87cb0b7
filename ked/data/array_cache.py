"""Arrays that take long to read from their source and are therefore kept on disk."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ked.data.locations import own_folder

Arrays = dict[str, np.ndarray]


def kept(name: str, stamp: Any, make: Callable[[], Arrays]) -> Arrays:
    """The arrays that `make` returns, from disk if they were kept there before with the same stamp.

    stamp: anything that JSON can hold and that changes whenever the source does.
    Arrays from disk are mapped into memory, not read.  A full or read-only disk only means that nothing is kept.
    """
    digest = hashlib.sha256(json.dumps(stamp).encode()).hexdigest()[:16]
    folder = own_folder() / "kept" / f"{name}-{digest}"
    try:
        return read(folder)
    except (OSError, ValueError, TypeError, EOFError):  # not there, or damaged: read the source again
        arrays = make()
    try:
        write(folder, arrays)
    except OSError:
        return arrays
    return read(folder)  # mapped, so that what was made can be given back


def read(folder: Path) -> Arrays:
    """The arrays that were written there, mapped; raises OSError, ValueError, TypeError or EOFError where they are not, or damaged."""
    names = json.loads((folder / "names.json").read_text())
    return {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names}


def write(folder: Path, arrays: Arrays) -> None:
    """Write arrays into a new folder, in place of what was there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        for name, array in arrays.items():
            np.save(new / f"{name}.npy", array, allow_pickle=False)
        (new / "names.json").write_text(json.dumps(list(arrays)))
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        os.replace(new, folder)  # at once, so that nobody ever reads half of it
    finally:
        shutil.rmtree(new, ignore_errors=True)
