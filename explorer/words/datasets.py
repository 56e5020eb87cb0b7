"""Which data sets there are at this moment, and what people call them. No streamlit here."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ked.data import SOURCES, is_foreign, is_user_file, planted_spec, recorded, user_files
from ked.errors import InvalidInput, Unavailable
from ked.files.home import home
from ked.store import Run


class Titles(Mapping[str, str]):
    """Name -> title of every data set: those of the table, the visitors' own, and what else runs were made of, or recorded with.

    All but the table is looked up each time. A name of the third kind means something only as long as such a run is stored: no address
    makes data to order, or opens a file of the server's, that nobody at its command line has made a run of.

    No two titles are alike, because the browser answers with the title that was chosen.
    """

    def __getitem__(self, name: str) -> str:
        if name in SOURCES:
            return SOURCES[name].title
        return _own()[name] if is_user_file(name) else _titles_of_runs()[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*SOURCES, *user_files.listed(), *_of_runs()))

    def __len__(self) -> int:
        return len(SOURCES) + len(user_files.listed()) + len(_of_runs())


def _own() -> dict[str, str]:
    titles: dict[str, str] = {}
    for name, about in user_files.listed().items():
        column = f", class {user_files.harmless(about.label)[:30]}" if about.label and about.label != user_files.USUAL_LABEL else ""
        title = f"{about.file}{column}"
        titles[name] = title if title not in titles.values() else f"{title} ({name[-4:]})"
    return titles


def columns_asked(name: str) -> dict[str, Any]:
    """How runs took the columns of a table that they were made of by its path: a recipe's label, drop and keep; for others as usual."""
    return _of_runs().get(name, _USUAL)


def is_by_path(name: str) -> bool:
    """Whether a name is the path of a file on this machine."""
    made = name.startswith(planted_spec.PREFIX) or recorded.is_recorded(name)
    return not (name in SOURCES or is_user_file(name) or is_foreign(name) or made)


def described(name: str) -> str:
    """What people call data that are neither in the table nor on the shelf, by their name alone, whether or not they are here."""
    if recorded.is_recorded(name):
        return f"{name.removeprefix(recorded.PREFIX)} (recorded)"
    if is_by_path(name):
        return f"{user_files.harmless(Path(name).name)} (by its path)"
    return name.replace(":", ": ").replace(",", ", ").replace("=", " ")


def _titles_of_runs() -> dict[str, str]:
    titles: dict[str, str] = {}
    for name in _of_runs():
        title = described(name)
        titles[name] = title if title not in titles.values() else f"{title} {len(titles) + 1}"
    return titles


def _of_runs() -> dict[str, dict[str, Any]]:
    """What stored runs were made of beside the table and the shelf and can be had here: made to order, recorded, files -> their columns."""
    found = {}
    for path in sorted((home() / "runs").glob("*/run.json")):
        with contextlib.suppress(OSError):
            name, columns = _made_of(path, path.stat().st_mtime_ns)
            made = name.startswith(planted_spec.PREFIX) or recorded.is_recorded(name)
            if made or (name and is_by_path(name) and os.path.exists(name)):
                found[name] = columns
    return found


@functools.lru_cache(maxsize=4096)
def _made_of(path: Path, version: int) -> tuple[str, dict[str, Any]]:
    """Data set of a run, by its run.json, and how its columns were taken; "" where that cannot be read."""
    try:
        recipe = Run(path.parent).recipe
    except (InvalidInput, Unavailable):
        return "", _USUAL
    return recipe.dataset, {name: getattr(recipe, name) for name in _USUAL}


_USUAL: dict[str, Any] = {"label": None, "drop": (), "keep": ()}
