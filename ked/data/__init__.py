"""The table of data sets. A new one is a file with a SOURCE, and its name in the tuple below."""

from __future__ import annotations

from collections.abc import Callable

from ked.data import (
    breast_cancer,
    cifar10,
    cifar100,
    correlated,
    digits,
    fashion_mnist,
    mnist,
    own,
    planted,
    planted_spec,
    side_by_side,
    tiny_imagenet,
    unicauca,
    user_files,
    wine,
)
from ked.data.dataset import PARTS, Dataset, Source
from ked.errors import InvalidInput, quoted

__all__ = ["PARTS", "SOURCES", "Dataset", "Source", "check", "fingerprint", "here", "is_user_file", "knows_truth", "load", "usual"]

_MODULES = (
    digits,
    fashion_mnist,
    mnist,
    side_by_side,
    cifar10,
    cifar100,
    tiny_imagenet,
    unicauca,
    breast_cancer,
    wine,
    planted,
    correlated,
)
SOURCES: dict[str, Source] = {module.SOURCE.name: module.SOURCE for module in _MODULES}


def load(name_or_path: str, label: str | None = None) -> Dataset:
    """The data set of this name, or the user's own in this file or on the shelf, with its fixed splits.

    A name of SOURCES always means that data set, one that begins with 'own:' data on the shelf (`ked.data.user_files`), and one that
    begins with 'planted:' data made to order (`ked.data.planted_spec`); './digits.csv' or 'digits.csv' is a file.
    label: the column that holds the class, only for CSV files that are named by their path.
    Raises InvalidInput for what is neither a name nor a usable file, Unavailable when a data set's files are missing or damaged.
    """
    check(name_or_path)
    read = _reader(name_or_path)
    if read is None:
        return own.load(name_or_path, label)
    if label is not None:
        raise InvalidInput(f"The data set {quoted(name_or_path)} brings its own labels, so there is no column {quoted(label)} to choose.")
    return read(name_or_path)


def _reader(name: str) -> Callable[[str], Dataset] | None:
    """What reads the data set of a name; None for paths."""
    if name in SOURCES:
        return lambda known: SOURCES[known].load()
    return user_files.load if is_user_file(name) else planted_spec.load if _to_order(name) else None


def here(name_or_path: str) -> bool:
    """Whether the files of a data set are on this machine; reads nothing, and what has a path or was made is not asked."""
    return name_or_path not in SOURCES or SOURCES[name_or_path].here()


def check(name_or_path: str) -> None:
    """InvalidInput if this is neither a name of SOURCES, of the shelf or of made data nor looks like a path; reads nothing."""
    if is_user_file(name_or_path):
        user_files.check(name_or_path)
    elif _to_order(name_or_path):
        planted_spec.settings(name_or_path)
    elif name_or_path not in SOURCES and not own.looks_like_path(name_or_path):
        raise InvalidInput(
            f"There is no data set {quoted(name_or_path)}; choose one of {', '.join(SOURCES)}, or give the path of {own.ALLOWED}."
        )


def usual(name_or_path: str) -> str:
    """The one form of a name that means the same as other forms; all but the names of made data have only one."""
    check(name_or_path)
    return planted_spec.usual(name_or_path) if _to_order(name_or_path) else name_or_path


def fingerprint(name_or_path: str) -> str:
    """What a stored result depends on: a data set's usual name, or what is in the file, whatever the file is called."""
    name = usual(name_or_path)
    if is_user_file(name):
        return user_files.fingerprint(name)
    return name if name in SOURCES or _to_order(name) else own.fingerprint(name)


def knows_truth(name_or_path: str) -> bool:
    """Whether a data set tells the true class probabilities of its samples (`Dataset.conditional`): what is made here does."""
    return name_or_path in (planted.SOURCE.name, correlated.SOURCE.name) or _to_order(name_or_path)


def is_user_file(name: str) -> bool:
    """Whether a name is meant as that of the user's own data on the shelf."""
    return name.startswith(user_files.PREFIX)


def _to_order(name: str) -> bool:
    return name.startswith(planted_spec.PREFIX)
