"""What a study at work tells those who follow it from another process: a file of JSON objects, one event a line."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from ked.errors import Unavailable
from ked.files import jsonl
from ked.files.disk import disk_errors
from ked.run_form import Form

Events = Generator[dict[str, Any], None, None]


def logged(events: Events, count: int, file: Path) -> Events:
    """Pass the events of `ked.studies.execution.execute` on, and add each to a file.

    Lines: "began" with the number of cells; "known", "started", "finished" or "failed" with the cell's key (and a message);
    at the end "done", "stopped", or "broken" with a message. A process that was killed leaves no end. Each has the time, in seconds
    since 1970.
    """

    def tell(kind: str, **more: Any) -> None:
        with disk_errors(file.parent):
            jsonl.append(file, {"kind": kind, "time": time.time(), **more})

    tell("began", cells=count)
    try:
        with contextlib.closing(events):
            for event in events:
                tell(event["kind"], key=event["cell"].key, **({"message": event["message"]} if "message" in event else {}))
                yield event
    except (KeyboardInterrupt, GeneratorExit):
        tell("stopped")
        raise
    except Unavailable as error:
        tell("broken", message=str(error))
        raise
    tell("done")


class Told(Form):
    """One line of the file; what its kind does not need is empty."""

    kind: Literal["began", "known", "started", "finished", "failed", "done", "stopped", "broken"]
    cells: int = 0
    key: str = ""
    message: str = ""


def read(file: Path) -> list[Told]:
    """What was told so far; lines that are damaged are passed over."""
    found = []
    for line in jsonl.read(file)[0]:
        with contextlib.suppress(ValidationError):
            found.append(Told.model_validate(line))
    return found
