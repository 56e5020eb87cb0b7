"""The library of stored runs: a name and tags beside the id, which never changes, and deletion."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable, Mapping
from typing import Any

from ked import jobs
from ked.errors import InvalidInput, Unavailable, quoted
from ked.files.disk import disk_errors
from ked.files.home import home
from ked.runs.run_lock import is_held
from ked.store import Run

NAME_LENGTH = 60
TAG = re.compile(r"\w[\w .+-]{0,23}")
TAGS = 8  # a run may have so many

IN_PROGRESS = ("queued", "running")


def title(run_id: str, info: Mapping[str, Any]) -> str:
    """What people call a run: the name that it was given, else its id."""
    return str(info.get("name") or run_id)


def clean_name(name: str) -> str:
    """A name without needless space; "" stands for none.

    Raises:
        InvalidInput: It is too long or holds what cannot be seen.
    """
    name = " ".join(name.split())
    if len(name) > NAME_LENGTH:
        raise InvalidInput(f"the name that begins with {quoted(name[:20])} has {len(name)} letters; up to {NAME_LENGTH} are allowed.")
    if not name.isprintable():
        raise InvalidInput(f"the name {quoted(name)} holds signs that cannot be seen; use letters, digits and punctuation.")
    return name


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Tags without needless space, each once, in alphabetical order.

    Raises:
        InvalidInput: One is not a tag, or there are too many.
    """
    found = sorted({" ".join(tag.split()) for tag in tags} - {""})
    for tag in found:
        if not TAG.fullmatch(tag):
            allowed = "up to 24 letters, digits, spaces, dots, hyphens and plus signs"
            raise InvalidInput(f"the tag {quoted(tag, 30)} is not allowed: take {allowed}.")
    if len(found) > TAGS:
        raise InvalidInput(f"{len(found)} tags are too many for one run; up to {TAGS} are allowed.")
    return found


def rename(run: Run, name: str) -> None:
    """Give a run a name, or with "" take it away; the id stays."""
    _own(run).update(name=clean_name(name))


def tag(run: Run, tags: Iterable[str]) -> None:
    """Replace a run's tags."""
    _own(run).update(tags=clean_tags(tags))


def delete(run: Run) -> None:
    """Remove a run folder for good; what it shares with other runs stays in the stage cache.

    Raises:
        InvalidInput: The run is a preset, or still in progress.
    """
    if _status(_own(run)) in IN_PROGRESS or is_held(run):  # of a damaged run, too, somebody may be at work
        raise InvalidInput(f"run {run.id} is still in progress; stop it before you delete it.")
    with disk_errors(run.folder):
        doomed = home() / f".deleted-{secrets.token_hex(4)}"  # gone in one step for whoever reads the list meanwhile
        os.rename(run.folder, doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def is_own(run: Run) -> bool:
    """Whether the run lies among the user's own, and so may be changed: presets may not."""
    return run.folder.parent.resolve() == (home() / "runs").resolve()


def _own(run: Run) -> Run:
    if not is_own(run):
        raise InvalidInput(f"run {run.id} ships with the app and stays as it is; train or import one of your own.")
    return run


def _status(run: Run) -> str:
    try:
        return jobs.status(run)
    except Unavailable:
        return "damaged"  # of such a run nothing is left to do but to delete it
