"""Under what a run's results are remembered, for the `hash_funcs` of `st.cache_data` and `st.cache_resource`.

Streamlit hashes the arguments of a call. A run stands for its folder, which tells it from another home's run of the same id, and
for the version of its run.json, so that what was remembered of a run in progress is not taken for what came out of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ked.store import Run

Hashes = dict[str | type[Any], Callable[[Any], Any]]  # as Streamlit wants them


def folder(run: Run) -> str:
    """Stays as long as the run does: for what itself takes in what is new."""
    return str(run.folder.absolute())


def version(run: Run) -> tuple[str, int]:
    """Changes whenever the run's status or results do; of a run that was deleted, or is damaged, the version is 0."""
    try:
        return folder(run), (run.folder / "run.json").stat().st_mtime_ns
    except OSError:  # Streamlit would make an error of its own of it; whoever then reads the run says what is wrong
        return folder(run), 0


BY_FOLDER: Hashes = {Run: folder}
BY_VERSION: Hashes = {Run: version}
