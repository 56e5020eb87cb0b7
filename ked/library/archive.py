"""Runs as zip files: what is handed on, and what is taken in only after every byte of it was looked at."""

from __future__ import annotations

import contextlib
import lzma
import os
import secrets
import stat
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ked import jobs, run_tables
from ked.errors import InvalidInput, Unavailable, quoted
from ked.files import zips
from ked.files.disk import disk_errors, write_json
from ked.files.drafts import draft
from ked.files.home import home
from ked.library import IN_PROGRESS, reproduction
from ked.library.validation import check_whole
from ked.methods import METHODS
from ked.store import Run, load_run, new_id

STORED = (
    "run.json", "events.jsonl", "superfeatures.json", "superfeatures-student.json", "samples.safetensors", "attributions.safetensors",
    *(f"{stage}.safetensors" for stage in ("teacher", "explaining", "dependency", *(f"student-{name}" for name in METHODS))),
)  # fmt: skip
ADDED = ("results.csv", "curves.csv", "reproduce.py")  # made from the stored files: read by people, passed over by an import

LIMIT = 1024**3  # bytes that an archive's files may have together
_EVENTS_LIMIT = 64 * 1024**2  # bytes of a file that is read line by line
_TEXT_LIMIT = 4 * 1024**2  # bytes of a file that is read as a whole, and takes more as Python's objects
_TABLE_LIMIT = 64 * 1024  # bytes of the archive's table of contents, which names some twenty files
_BLOCK = 1024**2
_BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, OSError, ValueError, OverflowError,
)  # fmt: skip


def export_run(run: Run, file: IO[bytes]) -> None:
    """Write a run that has ended as a zip: its files, results.csv, curves.csv and reproduce.py.

    Equal runs give equal bytes. Of a run that did not finish there is no result to tabulate or to reproduce.

    Raises:
        InvalidInput: The run is still in progress.
    """
    if jobs.status(run) in IN_PROGRESS:
        raise InvalidInput(f"run {run.id} is still in progress; export it when it has ended.")
    added = {"curves.csv": run_tables.as_csv(run_tables.curves(run))}
    if run.status == "done":
        added |= {"results.csv": run_tables.as_csv(run_tables.results(run)), "reproduce.py": reproduction.script(run)}
    with zipfile.ZipFile(file, "w") as archive:
        for name in STORED:
            if (run.folder / name).is_file():
                archive.writestr(_entry(name), (run.folder / name).read_bytes())
        for name in sorted(added):
            archive.writestr(_entry(name), added[name])


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    entry.compress_type = zipfile.ZIP_STORED if name.endswith(".safetensors") else zipfile.ZIP_DEFLATED
    return entry


def import_run(file: Path | IO[bytes], visitor: str = "") -> Run:
    """Take in a run that was exported, under its own id or, where that exists already, under a new one; it is `visitor`'s.

    Nothing is unpickled or executed, file names are compared with a list and never followed, sizes are counted while
    unpacking, and every file is read as the app would read it before the run appears.

    Raises:
        InvalidInput: With one sentence; then nothing stays behind.
    """
    with disk_errors(home()), draft(home() / f".import-{secrets.token_hex(4)}") as folder:
        with _broken_zips(), zips.opened(file, _TABLE_LIMIT) as archive:
            _unpack(archive, folder)
        info = check_whole(folder)
        return _settle(folder, info | ({"visitor": visitor} if visitor else {}))


@contextlib.contextmanager
def _broken_zips() -> Iterator[None]:
    try:
        yield
    except (InvalidInput, Unavailable):
        raise
    except FileNotFoundError as error:
        raise InvalidInput(f"there is no file {quoted(error.filename)} to import.") from None
    except (PermissionError, IsADirectoryError) as error:
        raise InvalidInput(f"the file {quoted(error.filename)} cannot be read ({error.strerror}).") from None
    except _BROKEN as error:
        raise InvalidInput("this is not a zip file, or it is damaged; import one that KED Explorer exported.") from error


def _unpack(archive: zipfile.ZipFile, folder: Path) -> None:
    entries = archive.infolist()
    for entry in entries:
        _check_entry(entry)
    if len({entry.filename for entry in entries}) < len(entries):
        raise InvalidInput("a file is in the archive twice; export the run again.")
    if sum(entry.file_size for entry in entries) > LIMIT:
        raise _too_large()
    left = LIMIT
    for entry in entries:
        if entry.filename in STORED:
            left -= _unpack_file(archive, entry, folder / entry.filename, left)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    """Refuse what no export writes: by name, by kind, by size as announced."""
    name = entry.filename
    if name not in (*STORED, *ADDED):
        raise InvalidInput(f"{quoted(name)} does not belong into the archive of a run; import one that KED Explorer exported.")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise InvalidInput(f"{name!r} in the archive is a link or something else that is no file; export the run again.")
    if entry.file_size > _limit(name):
        raise InvalidInput(f"{name!r} in the archive would take {entry.file_size / 1e6:.0f} MB, more than is allowed.")


def _limit(name: str) -> int:
    """Bytes that a file of this name may have."""
    if name.endswith(".json"):
        return _TEXT_LIMIT
    return LIMIT if name.endswith(".safetensors") else _EVENTS_LIMIT


def _unpack_file(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Copy one file, counting: what an archive announces of its sizes need not be true."""
    size, most = 0, min(left, _limit(entry.filename))
    with archive.open(entry) as source, disk_errors(target.parent), open(target, "wb") as copy:
        while block := source.read(_BLOCK):
            size += len(block)
            if size > most:
                raise _too_large()
            copy.write(block)
    return size


def _too_large() -> InvalidInput:
    return InvalidInput(f"the archive's files take more than {LIMIT / 1e9:.1f} GB; no run is that large.")


def _settle(folder: Path, info: dict[str, Any]) -> Run:
    """Give the folder its place among the runs."""
    runs = home() / "runs"
    with disk_errors(runs):
        runs.mkdir(parents=True, exist_ok=True)
    name = info["id"] if _is_free(info["id"]) else new_id(info["recipe"]["dataset"])
    kept = {key: value for key, value in info.items() if key not in ("pid", "pid_started")}  # of another machine
    write_json(folder / "run.json", kept | {"id": name, "imported": time.time()})
    with disk_errors(runs):
        os.rename(folder, runs / name)
    return Run(runs / name)


def _is_free(run_id: str) -> bool:
    if (home() / "runs" / run_id).exists():
        return False
    with contextlib.suppress(InvalidInput):
        load_run(run_id)
        return False
    return True
