"""Classes that are pairs, such as the digits 2 and 7 side by side in class "27": which figure of the pair each class has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple


class ClassPairs(NamedTuple):
    """C = R * K classes as a grid: class i * K + j is the pair of `first[i]` and `second[j]`.

    Attributes:
        first: R names, those of the rows.
        second: K names, those of the columns.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]


def class_pairs(classes: Sequence[str]) -> ClassPairs | None:
    """The grid that the names of the classes form; None where they form none, or one of fewer than three rows or columns.

    A grid of two columns is left out: too many names form one by chance.

    >>> class_pairs(["0a", "0b", "0c", "1a", "1b", "1c", "2a", "2b", "2c"])
    ClassPairs(first=('0', '1', '2'), second=('a', 'b', 'c'))
    >>> class_pairs(["benign", "malignant"]) is None
    True
    """
    C = len(classes)
    for columns in range(3, C // 3 + 1):
        if C % columns == 0 and (found := _grid(classes, columns)):
            return found
    return None


def _grid(classes: Sequence[str], columns: int) -> ClassPairs | None:
    start = sum(1 for _ in takewhile(lambda letters: len({*letters}) == 1, zip(*classes[:columns], strict=False)))  # what all share
    second = tuple(name[start:] for name in classes[:columns])
    first = tuple(name[: len(name) - len(second[0])] for name in classes[::columns])
    if not all((*first, *second)) or list(classes) != [left + right for left in first for right in second]:
        return None
    return ClassPairs(tuple(name.strip(" +-_/,") or name for name in first), tuple(name.strip(" +-_/,") or name for name in second))
