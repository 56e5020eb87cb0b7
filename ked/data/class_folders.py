"""Class folders as people have them: which of the files below a folder are pictures, of which class, and in which official part.

    cat/1.png                         the folder is the class
    pets/images/cat/1.png             what lies above all classes, and a folder images below them, is no class
    batch0/cat/1.png  batch1/cat/2.png  numbered folders that hold the same ones, as 16x16/cat and 32x32/cat do, are no classes
    train/cat/1.png  test/cat/2.png   official parts, in any case, also called training, val, valid, validation, dev, eval, testing, ...
    README.md, list.csv, .DS_Store    beside and inside: left out, and counted

Only names are looked at; what the files hold is another matter (`ked.data.picture_files`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ked.data.spelling import key
from ked.errors import quoted

ENDINGS = frozenset((".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".pgm", ".ppm", ".pnm"))
PART_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval"), "validation"),
    **dict.fromkeys(("test", "testing", "evaluation", "holdout"), "test"),
}
_IMAGES = frozenset(("images", "image", "imgs", "img", "pictures", "photos"))
_NUMBERED = re.compile(
    r"(([a-z]+[ _-]*)?(batch|part|fold|chunk|shard|split|set|subset|session|disk|disc|vol|volume|folder|dir|data)[ _-]?\d+"
    r"|\d+x\d+(@\d+x?)?|\d+ ?(px|dpi))",
    re.IGNORECASE,
)
_ALIKE = 0.5  # of the folders in numbered ones are in each of them
_SHOWN = 6  # endings of files that are no pictures, as far as a sentence names them

Folders = tuple[str, ...]


@dataclass(frozen=True)
class Placed:
    """A picture: the number of its file among all, the file's name, its class, and its official part, "" where there are none."""

    number: int
    name: str
    label: str
    part: str


@dataclass(frozen=True)
class SortedOut:
    """What the names of files say.

    Attributes:
        pictures: In the order of the names.
        no_pictures: Names of the files that are none.
        homeless: Names of the pictures that lie in no class folder, or outside the official parts.
        numbered: Folders around the classes that are none themselves, as batch0 and batch1.
        deeper: Folders in class folders, whose pictures are not told apart.
    """

    pictures: tuple[Placed, ...]
    no_pictures: tuple[str, ...] = ()
    homeless: tuple[str, ...] = ()
    numbered: tuple[str, ...] = ()
    deeper: tuple[str, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is said of folders that are no classes, one sentence each."""
        around = f"The folders {_listed(self.numbered)} hold the same classes and are none." if self.numbered else ""
        below = f"Folders in class folders are not told apart: {_listed(self.deeper)}." if self.deeper else ""
        return tuple(said for said in (around, below) if said)

    @property
    def note(self) -> str:
        """The sentence that counts what is left out; empty where nothing is.

        >>> sorted_out(["cat/1.png", "dog/1.png", "README.md", "list.csv", "cover.jpg"]).note
        '2 of 5 files are pictures in class folders; left out: 2 that are no pictures (.csv, .md), 1 in no class folder.'
        """
        said = []
        if self.no_pictures:
            endings = {PurePosixPath(name).suffix.lower() for name in self.no_pictures}
            kinds = sorted(ending if ending[1:].isascii() and ending[1:].isalnum() else "no ending" for ending in endings)
            named = ", ".join(kinds[:_SHOWN]) + (", and others" if len(kinds) > _SHOWN else "")
            said.append(f"{len(self.no_pictures)} that are no pictures ({named})")
        if self.homeless:
            said.append(f"{len(self.homeless)} in no class folder")
        count = len(self.pictures) + len(self.no_pictures) + len(self.homeless)
        return f"{len(self.pictures)} of {count} files are pictures in class folders; left out: {', '.join(said)}." if said else ""


def sorted_out(names: Sequence[str]) -> SortedOut:
    """Each picture's class and part, from the names of all files, with / between folders; every name is in one of the three lists.

    >>> [(one.label, one.part) for one in sorted_out(["data/Train/cat/images/1.png", "data/test/cat/2.gif"]).pictures]
    [('cat', 'train'), ('cat', 'test')]
    """
    pictures = {number: PurePosixPath(name).parts[:-1] for number, name in enumerate(names) if _is_picture(name)}
    inside = _stripped({number: folders for number, folders in pictures.items() if folders})
    parts = _in_parts(inside)
    within = {} if parts else _without_numbered(inside)
    numbered = {folders[0] for folders in inside.values()} if within else set()
    places = parts or {number: (folders[0], "") for number, folders in (within or inside).items()}
    below = {} if parts else {folders[1] for folders in (within or inside).values() if len(folders) > 1 and not _says_nothing(folders[1])}
    found = tuple(Placed(number, names[number], *places[number]) for number in sorted(places, key=lambda number: names[number]))
    homeless = tuple(names[number] for number in pictures if number not in places)
    others = tuple(name for number, name in enumerate(names) if number not in pictures)
    return SortedOut(found, others, homeless, tuple(sorted(numbered)), tuple(sorted(below)))


def _listed(folders: Folders) -> str:
    """The first of some folders, as far as a sentence names them."""
    return ", ".join(quoted(name, 30) for name in folders[:_SHOWN]) + (" and others" if len(folders) > _SHOWN else "")


def _says_nothing(folder: str) -> bool:
    """Whether a folder in a class folder holds all that is there by custom."""
    return folder.lower() in _IMAGES


def _without_numbered(inside: dict[int, Folders]) -> dict[int, Folders]:
    """What is below numbered folders, where most folders in one of them are in all of them; nothing where that is not so."""
    held: dict[str, set[str]] = {}
    for folders in inside.values():
        held.setdefault(folders[0], set()).update(folders[1:2])
    classes = list(held.values())
    same = set.intersection(*classes) if len(classes) > 1 else set()
    if len(same) < 2 or len(same) < _ALIKE * len(set.union(*classes)) or not all(map(_NUMBERED.fullmatch, held)):
        return {}
    return {number: folders[1:] for number, folders in inside.items() if len(folders) > 1}


def _is_picture(name: str) -> bool:
    """Whether it is meant as one: by its ending, and unless a file manager left it."""
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") and part != ".." for part in path.parts) or "__MACOSX" in path.parts
    return path.suffix.lower() in ENDINGS and not hidden


def _in_parts(inside: dict[int, Folders]) -> dict[int, tuple[str, str]]:
    """Class and part of the pictures in official parts, which lie above the classes or below them; none where there are no such parts."""
    for place in (0, -1):
        parts = _parts(folders[place] for folders in inside.values())
        below = {
            number: (parts[folders[place]], _below(folders[1:] if place == 0 else folders[:-1]))
            for number, folders in inside.items()
            if folders[place] in parts
        }
        if below:
            found = {number: (folders[0], part) for number, (part, folders) in below.items() if folders}
            known = {key(label) for label, part in found.values() if part == "train"}
            held_out = {part: {key(label) for label, of in found.values() if of == part} for part in ("validation", "test")}
            unknown = {part for part, labels in held_out.items() if known.isdisjoint(labels)}  # such as test/unknown/1.png
            found = {number: place for number, place in found.items() if place[1] not in unknown}
            alone = {part for _, part in found.values()} == {"train"}  # a test part without classes is none
            return {number: (label, "" if alone else part) for number, (label, part) in found.items()}
    return {}


def _parts(names: Iterable[str]) -> dict[str, str]:
    """Which of these folders are official parts: names that are alike but for the part, as train and test, or seg_train and seg_test."""
    alike: dict[Folders, dict[str, str]] = {}
    for name in sorted(set(names)):
        part, rest = _part(name)
        if part:
            alike.setdefault(rest, {})[name] = part
    return next((found for _, found in sorted(alike.items()) if {"train"} < set(found.values())), {})


def parts_of(names: Iterable[str]) -> dict[str, str]:
    """Which part each of some names speaks of; none unless all do, of training and of another one.

    >>> parts_of(["Training", "PublicTest"]), parts_of(["train", "bus"])
    ({'Training': 'train', 'PublicTest': 'test'}, {})
    """
    found = {name: _part(name)[0] for name in names}
    parts = set(found.values())
    return found if "train" in parts and "" not in parts and len(parts) > 1 else {}


def _part(name: str) -> tuple[str, Folders]:
    """The one part that a folder's name speaks of, "" if none, and the other words in it."""
    words = re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    found = [PART_NAMES[word] for word in words if word in PART_NAMES]
    return found[0] if len(found) == 1 else "", tuple(word for word in words if word not in PART_NAMES)


def _below(folders: Folders) -> Folders:
    """The class and what lies below it, of folders in an official part: it may be there twice, or have a folder images."""
    while len(folders) > 1 and (folders[0].lower() in _IMAGES or _part(folders[0])[0]):
        folders = folders[1:]
    return folders


def _stripped(inside: dict[int, Folders]) -> dict[int, Folders]:
    """Without what lies above all of them; a picture that lies beside the class folders is in none."""
    while len({folders[0] for folders in inside.values()}) == 1 and any(len(folders) > 1 for folders in inside.values()):
        inside = {number: folders[1:] for number, folders in inside.items() if len(folders) > 1}
    return inside
