"""A class that follows its lecturer: one small file in KED_HOME holds the view, another one the guesses. No streamlit here.

Whoever has the link reads; the file's name, which cannot be guessed, is known to the lecturer's own tab and to that link.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ked.files.disk import disk_errors, write_json
from ked.files.home import home

_KEPT = 24 * 3600.0  # seconds that the file of a class stays after its last move
TOKEN = re.compile(r"[A-Za-z0-9_-]{8}")


class View(NamedTuple):
    """What a lecturer looks at.

    Attributes:
        stamp: Changes with every move.
        page: The page's name.
        query: Its address, as `explorer.state.settings.to_url` writes it.
    """

    stamp: int
    page: str
    query: Mapping[str, str]


def new_token() -> str:
    """A name for a class that nobody can guess."""
    return secrets.token_urlsafe(6)


def lead(token: str, page: str, query: Mapping[str, str]) -> None:
    """Show the class a view; nothing is written where it is the one that they see already."""
    found = view(token)
    if found is None:
        _sweep()
    if found is None or (found.page, dict(found.query)) != (page, dict(query)):
        _make_folder()
        write_json(_view(token), {"page": page, "query": dict(query)})


def view(token: str) -> View | None:
    """What the lecturer looks at now; None before they have begun."""
    try:
        stamp, content = _view(token).stat().st_mtime_ns, json.loads(_view(token).read_text("utf-8"))
        return View(stamp, str(content["page"]), {str(key): str(text) for key, text in content["query"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def guess(token: str, step: int, letter: str) -> None:
    """Add a guess of the class."""
    _make_folder()
    with disk_errors(_folder()), open(_guesses(token), "a", encoding="utf-8") as file:
        file.write(f"{step}{letter}\n")


def tally(token: str, step: int) -> Counter[str]:
    """Letter -> how many of the class guessed it."""
    try:
        lines = _guesses(token).read_text("utf-8").splitlines()
    except OSError:
        return Counter()
    return Counter(line[1] for line in lines if len(line) == 2 and line[0] == str(step))


def _folder() -> Path:
    return home() / "follow"


def _make_folder() -> None:
    with disk_errors(_folder()):
        _folder().mkdir(parents=True, exist_ok=True)


def _sweep() -> None:
    """Classes of days ago are over."""
    for file in _folder().glob("*"):
        with contextlib.suppress(OSError):  # somebody else may sweep as well
            if time.time() - file.stat().st_mtime > _KEPT:
                file.unlink()


def _view(token: str) -> Path:
    assert TOKEN.fullmatch(token), token
    return _folder() / f"{token}.json"


def _guesses(token: str) -> Path:
    assert TOKEN.fullmatch(token), token
    return _folder() / f"{token}.guesses"
