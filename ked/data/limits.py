"""What a user's own data may be at most and must be at least, and the checks that every format shares."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ked.errors import InvalidInput, quoted
from ked.files import machine

LABEL = "label"  # the column of a CSV file that holds the class where nothing else is said
FILE_BYTES = 1 << 30
SHELF_BYTES = 10 << 30  # of all files that are kept together (`ked.data.user_files`)
UNPACKED_BYTES = 2 << 30  # of everything in an archive together
TABLE_BYTES = 32 << 20  # of an archive's table of contents, some 300 000 names
MEMBER_BYTES = 32 << 20  # of one picture in an archive
PICTURE_SIDE = 4096  # rows and columns of one picture before it is made smaller
SAMPLES = 1_000_000
FILES = 2 * SAMPLES  # below a folder, those that are no pictures too
FEATURES = 12_288  # 3 x 64 x 64; the dependency matrix has a row and a column for each
SHARE = 0.125  # of the machine's memory that one data set may take while it is read
AS_NUMBERS = 12  # bytes of a value while a table is read: 8 as it comes, 4 as it is used
AS_BYTES = 2  # of a value of pictures that are kept as bytes: as they are decoded, and where another size or colour comes
LETTERS = 100_000_000  # of all classes' names as they come, one a sample
CLASSES = 1000
FEW = 0.1  # of all samples, at most, that are left out with classes too small to be split
PER_CLASS = 5  # so that each of the three splits gets at least one


def refuse(path: Path, found: str, allowed: str) -> InvalidInput:
    """The error for a file that cannot be used: what was found, and what is allowed."""
    kind = "folder" if path.is_dir() else "file"
    return InvalidInput(f"The {kind} {quoted(path.name)} cannot be used: {found}, but {allowed}.")


def check_size(path: Path, samples: int, features: int, each: float = AS_NUMBERS) -> None:
    """InvalidInput, which says what would fit, if a table (samples, features) is empty or too large for this machine.

    each: bytes that a value takes while the data are read.
    """
    for count, most, what in ((samples, SAMPLES, "samples"), (features, FEATURES, "features")):
        if not 1 <= count <= most:
            raise refuse(path, f"it has {count} {what}", f"1 to {most} {what} are allowed")
    if samples * features > room(each):
        takes = f"which take {samples * features * each / 1e9:.3g} GB while they are read"
        there = f"{SHARE * machine.memory() / 1e9:.3g} GB of this machine's memory are for one data set"
        fits = f"{room(each) // features} such samples would fit"
        raise refuse(path, f"it has {samples} samples of {features} features, {takes}", f"{there}, and {fits}")


def room(each: float = AS_NUMBERS) -> int:
    """Values that one data set may have on this machine, where each takes so many bytes while it is read."""
    return int(SHARE * machine.memory() / each)


def numbered(
    path: Path, labels: Sequence[str], least: int = PER_CLASS, hint: str = "a column of measurements is no class"
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class numbers (N,) of the labels and the sorted names of the classes; InvalidInput for too many, too few or too small ones.

    least: samples that every class must have.  hint: what to think of where one has fewer.
    """
    counts = Counter(labels)
    if not 2 <= len(counts) <= CLASSES:
        raise refuse(
            path, f"it has {len(counts)} {'class' if len(counts) == 1 else 'classes'}", f"2 to {CLASSES} classes are allowed"
        )
    smallest = min(counts, key=lambda name: counts[name])
    if counts[smallest] < least:
        found = f"the class {quoted(smallest)} has {counts[smallest]} samples"
        raise refuse(path, found, f"every class needs at least {least} ({hint})")
    classes = sorted(counts, key=_order)
    numbers = {name: y for y, name in enumerate(classes)}
    return np.array([numbers[label] for label in labels], np.int64), tuple(classes)


def _order(name: str) -> tuple[bool, float, str]:
    """Numbers by size and before words, so that class 10 comes after class 9."""
    try:
        number = float(name)
    except ValueError:
        number = math.nan
    return (True, 0.0, name) if math.isnan(number) else (False, number, name)
