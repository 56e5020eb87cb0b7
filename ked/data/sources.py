"""The table of data sets, and what a name means: a row here, the user's own data, data made to order, or the path of a file.

To add a data set, write a file in this folder with a `load(name)` that returns a `Dataset`, and give it a row in `SOURCES`. A row's
file is imported when somebody asks for its data: names can be looked at and checked without torch.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ked.data import own, planted_spec, recorded, user_files
from ked.data.columns import Asked
from ked.errors import InvalidInput, Unavailable, quoted

if TYPE_CHECKING:
    from ked.data.dataset import Dataset


@dataclass(frozen=True)
class Source:
    """One row of the table of data sets.

    Attributes:
        name: As in a recipe.
        title: As on a menu.
        file: The module in this folder that reads it; if it needs files, its `here()` says whether they are on this machine.
        description: One sentence for people.
        knows_truth: Whether it tells the true class probabilities of its samples (`Dataset.conditional`).
    """

    name: str
    title: str
    file: str
    description: str
    knows_truth: bool = False

    def load(self) -> Dataset:
        """The data set, with its fixed splits."""
        dataset: Dataset = self._module.load(self.name)
        return dataset

    def here(self) -> bool:
        """Whether its files are on this machine; most need none."""
        return not hasattr(self._module, "here") or bool(self._module.here())

    @property
    def _module(self) -> Any:
        return importlib.import_module(f"ked.data.{self.file}")


SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            "digits",
            "Digits (8 x 8)",
            "digits",
            "1797 handwritten digits of 8 x 8 pixels from scikit-learn: small, quick and always there.",
        ),
        Source(
            "digit-pairs",
            "Digit pairs (8 x 16)",
            "digit_pairs",
            "Two handwritten digits side by side; the 100 classes are the pairs, the true superfeatures the two halves.",
        ),
        *(
            Source(
                f"digits+{kind}",
                f"Digits, {kind} twins (8 x 16)",
                "digit_twins",
                f"Each digit with its pixels {how} beside it: real features that are correlated with each other.",
            )
            for kind, how in (("copied", "once more"), ("blurred", "blurred"), ("noisy", "under noise"))
        ),
        Source(
            "emoji",
            "Emoji (32 x 32, colour)",
            "emoji",
            "1906 emoji in nine groups, 32 x 32 pixels in colour. Graphics: Twemoji © Twitter, Inc and other contributors, CC-BY 4.0.",
        ),
        Source(
            "fashion-mnist",
            "Fashion-MNIST (28 x 28)",
            "fashion_mnist",
            "70 000 pictures of garments in ten classes, 28 x 28 grey pixels (Xiao et al. 2017).",
        ),
        Source(
            "mnist",
            "MNIST (28 x 28)",
            "mnist",
            "70 000 handwritten digits of 28 x 28 grey pixels (LeCun et al. 1998).",
        ),
        Source(
            "mnist+fashion-mnist",
            "MNIST + Fashion-MNIST (28 x 56)",
            "side_by_side",
            "A digit and a garment side by side; the 100 classes are the pairs, the true superfeatures the two halves.",
        ),
        Source(
            "cifar10",
            "CIFAR-10 (3 x 32 x 32)",
            "cifar10",
            "60 000 colour photographs of 32 x 32 pixels in ten classes (Krizhevsky 2009).",
        ),
        Source(
            "cifar100",
            "CIFAR-100 (3 x 32 x 32)",
            "cifar100",
            "60 000 colour photographs of 32 x 32 pixels in a hundred classes (Krizhevsky 2009).",
        ),
        Source(
            "tiny-imagenet",
            "Tiny ImageNet (3 x 64 x 64)",
            "tiny_imagenet",
            "110 000 colour pictures of 64 x 64 pixels in 200 classes (Le and Yang 2015); needs 6 GB of memory.",
        ),
        Source(
            "unicauca",
            "Unicauca (81 numbers)",
            "unicauca",
            "Network flows of a university in three classes of service; one of the 81 numbers, L7Protocol, gives the class away.",
        ),
        Source(
            "breast-cancer",
            "Breast cancer (30 measurements)",
            "breast_cancer",
            "569 cell samples, malignant or benign, with 30 measurements of their nuclei, from scikit-learn.",
        ),
        Source(
            "wine",
            "Wine (13 measurements)",
            "wine",
            "178 wines from three cultivars with 13 chemical measurements, from scikit-learn: the smallest data set here.",
        ),
        Source(
            planted_spec.USUAL,
            "Planted groups (20 features)",
            "planted",
            "Synthetic: 20 features in four groups, which alone interact, so that the superfeatures that are found can be checked; "
            "others are made to order: planted:features=40,groups=5,classes=3,correlation=0.8,noise=0.1,samples=4000.",
            knows_truth=True,
        ),
        Source(
            "correlated",
            "Correlated features (24)",
            "correlated",
            "Synthetic: features correlated at 0.9 across the true groups, so that correlation points at the wrong ones.",
            knows_truth=True,
        ),
    )
}


FOREIGN = "foreign:"
"""Begins the name of a file on another machine, which is never opened on this one."""


def load(name_or_path: str, label: str | None = None, *, drop: Iterable[str] = (), keep: Iterable[str] = ()) -> Dataset:
    """The data set of this name, or the user's own in this file or on the shelf, with its fixed splits.

    A name of SOURCES always means that data set, one that begins with 'own:' data on the shelf (`ked.data.user_files`), and one that
    begins with 'planted:' data made to order (`ked.data.planted_spec`); './digits.csv' or 'digits.csv' is a file.
    label, drop, keep: of a table that is named by its path, the column with the class, and those to leave out or to use although they
    would be left out (`ked.data.columns.Asked`).
    Raises InvalidInput for what is neither a name nor a usable file, Unavailable when a data set's files are missing or damaged.
    """
    check(name_or_path)
    if is_foreign(name_or_path):
        raise Unavailable(
            f"The data are the file {quoted(name_or_path.removeprefix(FOREIGN))} of the machine that the run was made on; add it on the "
            f"app's Data page or with `python -m ked data add FILE`, and train on it here."
        )
    read = _reader(name_or_path)
    if read is None:
        return own.load(name_or_path, Asked(label, tuple(drop), tuple(keep)))
    if chosen := [*([] if label is None else [label]), *drop, *keep]:
        column = quoted(chosen[0])
        raise InvalidInput(f"The data set {quoted(name_or_path)} brings its own labels, so there is no column {column} to choose.")
    return read(name_or_path)


def _reader(name: str) -> Callable[[str], Dataset] | None:
    """What reads the data set of a name; None for paths."""
    if name in SOURCES:
        return lambda known: SOURCES[known].load()
    if recorded.is_recorded(name):
        return _recorded
    return user_files.load if is_user_file(name) else _made if _to_order(name) else None


def _recorded(name: str) -> Dataset:
    from ked.data import recorded_samples

    return recorded_samples.load(name)


def _made(name: str) -> Dataset:
    from ked.data import planted

    return planted.load(name)


def here(name_or_path: str) -> bool:
    """Whether the files of a data set are on this machine; reads nothing, and what has a path or was made is not asked."""
    return SOURCES[name_or_path].here() if name_or_path in SOURCES else not is_foreign(name_or_path)


def check(name_or_path: str) -> None:
    """InvalidInput if this is neither a name of SOURCES, of the shelf or of made data nor looks like a path; reads nothing."""
    if is_foreign(name_or_path):
        return
    if is_user_file(name_or_path):
        user_files.check(name_or_path)
    elif recorded.is_recorded(name_or_path):
        recorded.check(name_or_path)
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


def fingerprint(name_or_path: str, label: str | None = None, *, drop: Iterable[str] = (), keep: Iterable[str] = ()) -> str:
    """What a stored result depends on: a data set's usual name, or what is in the file and how it is read, whatever it is called."""
    name = usual(name_or_path)
    if is_user_file(name):
        return user_files.fingerprint(name)
    return own.fingerprint(name, Asked(label, tuple(drop), tuple(keep))) if _is_path(name) else name


def knows_truth(name_or_path: str) -> bool:
    """Whether a data set tells the true class probabilities of its samples (`Dataset.conditional`): what is made here does."""
    return SOURCES[name_or_path].knows_truth if name_or_path in SOURCES else _to_order(name_or_path)


def absolute(name_or_path: str) -> str:
    """A name as it is; a path as one that means the same file from every folder."""
    is_file = _is_path(name_or_path) and own.looks_like_path(name_or_path)  # what is neither is refused by its own name
    return str(Path(name_or_path).expanduser().absolute()) if is_file else name_or_path


def foreign(name_or_path: str) -> str:
    """What a name from another machine is here: a path stands for a file of that machine's, and must open none of this one's."""
    if not _is_path(name_or_path):
        return name_or_path
    return FOREIGN + user_files.harmless(re.split(r"[/\\]", name_or_path)[-1][:60])


def is_foreign(name: str) -> bool:
    """Whether a name stands for a file on another machine."""
    return name.startswith(FOREIGN)


def is_table(name: str) -> bool:
    """Whether a name is the path of a table."""
    return _is_path(name) and own.is_table(name)


def _is_path(name: str) -> bool:
    return not (name in SOURCES or is_user_file(name) or _to_order(name) or is_foreign(name) or recorded.is_recorded(name))


def is_user_file(name: str) -> bool:
    """Whether a name is meant as that of the user's own data on the shelf."""
    return name.startswith(user_files.PREFIX)


def _to_order(name: str) -> bool:
    return name.startswith(planted_spec.PREFIX)
