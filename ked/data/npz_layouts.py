"""The layouts that people have in NPZ files: under which names samples and classes lie, and in which order the axes.

    x, y                                        also X, data, images, samples; labels, label, target, targets, classes
    x_train, y_train, x_test, y_test            Keras; the official parts are kept
    train_images, train_labels, val_images ...  MedMNIST
    arr_0, arr_1                                numpy.savez without names
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ked.data.class_folders import PART_NAMES

# The first one that is there counts.
_SAMPLES = ("x", "xs", "images", "image", "imgs", "img", "pictures", "pixels", "data", "samples", "features", "inputs", "arr0")
_LABELS = ("y", "ys", "labels", "label", "targets", "target", "classes", "class", "arr1")
_PARTS = PART_NAMES | {"tr": "train", "trn": "train", "va": "validation", "te": "test", "tst": "test"}


@dataclass(frozen=True)
class Layout:
    """Which arrays are used.

    Attributes:
        pairs: Part -> the names of the arrays with its samples and with its classes; the part is "" where there are no official parts.
        left_out: The names of all other arrays.
    """

    pairs: dict[str, tuple[str, str]]
    left_out: tuple[str, ...]

    @property
    def note(self) -> str:
        """The sentence that names what is left out; empty where nothing is."""
        used = ", ".join(name for pair in self.pairs.values() for name in pair)
        return f"Used were the arrays {used}; left out: {', '.join(self.left_out)}." if self.left_out else ""


def layout(names: Iterable[str]) -> Layout:
    """What the names of the arrays say; no pairs where they say nothing.

    >>> layout(["X_train", "y_train", "X_test", "y_test", "ids"])
    Layout(pairs={'train': ('X_train', 'y_train'), 'test': ('X_test', 'y_test')}, left_out=('ids',))
    """
    found: dict[str, dict[int, list[tuple[int, str]]]] = {}
    for name in (names := list(names)):
        part, words = _read(name)
        for axis, known in enumerate((_SAMPLES, _LABELS)):
            if words in known:
                found.setdefault(part, {}).setdefault(axis, []).append((known.index(words), name))
    pairs = {part: (min(two[0])[1], min(two[1])[1]) for part, two in found.items() if len(two) == 2}
    if "train" in pairs and len(pairs) > 1:
        pairs.pop("", None)
    elif "" in pairs:
        pairs = {"": pairs[""]}
    else:  # a training part alone is a data set too, a test part alone is none
        pairs = {"": pairs["train"]} if "train" in pairs else {}
    used = {name for pair in pairs.values() for name in pair}
    return Layout(pairs, tuple(name for name in names if name not in used))


def _read(name: str) -> tuple[str, str]:
    """The official part that an array's name speaks of, "" if none, and the other letters: ("train", "x") of x_train or Xtrain."""
    letters = re.sub(r"[\W_]+", "", name.lower())
    for word, part in sorted(_PARTS.items(), key=lambda item: -len(item[0])):
        if letters.startswith(word) or letters.endswith(word):
            return part, letters.removeprefix(word) if letters.startswith(word) else letters.removesuffix(word)
    return "", letters


def channels_first(shape: tuple[int, ...]) -> bool | None:
    """Whether the colours of samples (N, ., ., .) are the first axis of each, not the last; None where neither can be.

    >>> channels_first((9, 3, 32, 32)), channels_first((9, 32, 32, 3)), channels_first((9, 5, 6, 7))
    (True, False, None)
    """
    if shape[1] in (1, 3):
        return True
    return False if shape[3] in (1, 3) or (shape[3] == 4 and min(shape[1:3]) > 4) else None


def flat_labels(y: np.ndarray) -> np.ndarray | None:
    """Whole numbers or texts (N,) of labels that may be a column (N, 1), a row (1, N), one-hot (N, C) or whole numbers kept as floats.

    None where they are none of these.

    >>> flat_labels(np.eye(3)[[0, 2]]).tolist(), flat_labels(np.array([[1.0], [2.0]])).tolist(), flat_labels(np.array([0.5]))
    ([0, 2], [1, 2], None)
    """
    if y.ndim == 2 and min(y.shape) > 1:
        one_hot = y.dtype.kind in "buif" and bool(((y == 0) | (y == 1)).all()) and bool((y.sum(1) == 1).all())
        return y.argmax(1) if one_hot else None
    flat = y.reshape(-1)
    if flat.dtype.kind == "f":
        whole = bool(np.isfinite(flat).all()) and bool((flat == np.rint(flat)).all()) and bool((np.abs(flat) < 1 << 53).all())
        return flat.astype(np.int64) if whole else None
    if flat.dtype.kind == "S":
        return np.char.decode(flat, "utf-8", "replace")
    return flat if flat.dtype.kind in "buiU" else None
