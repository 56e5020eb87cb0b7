"""The table of data sets. A new one is a file with a SOURCE, and its name in the tuple below."""

from __future__ import annotations

from ked.data import digits, fashion_mnist
from ked.data.dataset import Dataset, Source
from ked.errors import InvalidInput

__all__ = ["SOURCES", "Dataset", "Source", "load"]

SOURCES: dict[str, Source] = {module.SOURCE.name: module.SOURCE for module in (digits, fashion_mnist)}


def load(name_or_path: str, label: str | None = None) -> Dataset:
    """The data set of this name, with its fixed splits.

    label: the column that holds the class, only for tables of the user's own.
    Raises InvalidInput for a name that is not in SOURCES, Unavailable when its files are missing or damaged.
    """
    if name_or_path not in SOURCES:
        raise InvalidInput(f"There is no data set '{name_or_path}'; choose one of {', '.join(SOURCES)}.")
    if label is not None:
        raise InvalidInput(f"The data set '{name_or_path}' brings its own labels, so there is no column '{label}' to choose.")
    return SOURCES[name_or_path].load()
