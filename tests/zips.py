"""Archives of runs as tests take them apart and put them together."""

from __future__ import annotations

import io
import zipfile

from ked.library.archive import export_run
from ked.store import Run

Files = dict[str, bytes]


def exported(run: Run) -> Files:
    """The files of a run's archive."""
    file = io.BytesIO()
    export_run(run, file)
    with zipfile.ZipFile(file) as found:
        return {name: found.read(name) for name in found.namelist()}


def zipped(files: Files) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return file
