"""From a file with a table to a data set, and the report on what was done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ked.data import limits
from ked.data.columns import Asked, Intake, LeftOut, spelt
from ked.data.dataset import SHARES, Dataset, stratified_split
from ked.data.intake import pixels, reading
from ked.data.intake.encoding import Encoding
from ked.data.intake.kinds import VALUES, Judged, is_row_number, judged
from ked.data.intake.reading import Sheet
from ked.data.intake.target import check_is_class, column_named, everything, label_of, official
from ked.data.limits import LABEL, refuse
from ked.data.official_parts import Splits, splits
from ked.data.pixels import own_pictures
from ked.data.spelling import letters, unified
from ked.data.tabular import table
from ked.errors import InvalidInput, quoted

_SEED = 0


def read(path: Path, asked: Asked) -> Dataset:
    """The table in a file, with `Dataset.intake` as the report.

    Rows without a class, and few rows of classes too small to be split, are left out. Columns are judged (`kinds`), encoded
    (`encoding`) and standardised (`ked.data.tabular`); a table of pixels becomes pictures.

    Raises:
        InvalidInput: Names what was found and what is allowed.
    """
    sheet = reading.read(path)
    if not len(sheet.frame):
        raise refuse(path, "it has 0 samples", f"1 to {limits.SAMPLES} samples are allowed")
    limits.check_size(path, len(sheet.frame), sheet.frame.shape[1] - 1)
    label, guessed = label_of(path, sheet, asked.label)
    texts = sheet.texts(label)
    check_is_class(path, sheet, label, texts)
    texts, spellings = (texts, ()) if asked.everything else unified(texts)
    notes = sheet.notes + ((f"Among the classes {spelt(spellings)} are one.",) if spellings else ())
    if pair := letters(texts):
        notes += (f"The classes {' and '.join(map(quoted, pair))} are two, as letters may be.",)
    rows, rows_left_out = _rows(path, texts)
    y, classes = limits.numbered(path, texts[rows].tolist())
    drop = list(dict.fromkeys(column_named(path, sheet, name, "leave out") for name in asked.drop))
    if label in drop:
        raise refuse(path, f"the column {quoted(label)} holds the class", "the class cannot be left out")
    frame = sheet.frame.drop(columns=[label, *drop]).iloc[rows].reset_index(drop=True)
    keep = frozenset(frame.columns if asked.everything else (column_named(path, sheet, name, "keep") for name in everything(asked.keep)))
    dropped = tuple(LeftOut(name, "as asked") for name in drop)
    train, validation, test = stratified_split(y, SHARES, _SEED)
    split = train, validation, test
    if parted := next((name for name in frame.columns if name not in keep and official(frame[name])), None):
        dropped += (LeftOut(parted, "it names the official parts"),)
        split, said = splits(path, y, classes, frame[parted].map(official(frame[parted])).tolist())
        frame, notes = frame.drop(columns=parted), (*notes, said)
    frame, said = pixels.spread(path, frame, keep)
    notes += (said,) if said else ()
    taken = _Taken(
        path=path, sheet=sheet, frame=frame, y=y, classes=classes, keep=keep, splits=split,
        dropped=dropped,
        report=Intake(label, guessed, (), (), len(rows), rows_left_out, notes=notes),
        as_ever=sheet.named and not notes and not drop and not rows_left_out and label == (asked.label or LABEL),
    )  # fmt: skip
    pictures = None if asked.everything else _pictures(taken)
    return pictures or _table(taken)


@dataclass(frozen=True, eq=False)
class _Taken:
    """What is settled before the columns are looked at: rows and classes, names of columns to keep, those that were dropped.

    as_ever: Whether so far nothing is done that was not always done with tables.
    """

    path: Path
    sheet: Sheet
    frame: pd.DataFrame
    y: np.ndarray
    classes: tuple[str, ...]
    keep: frozenset[str]
    splits: Splits
    report: Intake
    dropped: tuple[LeftOut, ...]
    as_ever: bool


def columns(path: Path) -> tuple[tuple[str, ...], str | None]:
    """The names of a table's columns, and which one seems to hold the class, if any does."""
    sheet = reading.read(path)
    try:
        label = label_of(path, sheet, None)[0]
    except InvalidInput:
        label = None
    return tuple(map(str, sheet.frame.columns)), label


def _rows(path: Path, texts: pd.Series) -> tuple[np.ndarray, dict[str, int]]:
    """The rows that have a class of some size, and how many have not."""
    left_out = {}
    known = texts.dropna()
    if missing := len(texts) - len(known):
        left_out["they have no class"] = missing
    sizes = known.value_counts()
    small = sizes[sizes < limits.PER_CLASS]
    if len(small) and len(sizes) - len(small) >= 2 and small.sum() <= limits.FEW * len(known):
        known = known[~known.isin(small.index)]
        names = ", ".join(quoted(name, 20) for name in sorted(small.index)[:5])
        named = f"the class {names} has" if len(small) == 1 else f"{len(small)} classes such as {names} have"
        left_out[f"{named} fewer than {limits.PER_CLASS}"] = int(small.sum())
    if known.empty:
        raise refuse(path, "no row has a class", "every sample needs one")
    return known.index.to_numpy(), left_out


def _pictures(taken: _Taken) -> Dataset | None:
    """The table as pictures, where its columns are pixels, perhaps behind row numbers or beside other columns."""
    first, named = taken.frame.columns[:1], taken.sheet.named
    numbers = [one for one in first if one not in taken.keep and (one in taken.sheet.unnamed or is_row_number(taken.frame[one]))]
    found = next(
        (found for out in ([], numbers) if (found := pixels.find(taken.frame.drop(columns=out), named=named)) is not None), None
    )
    if found is None:
        return None
    others = [one for one in taken.frame.columns if one not in found.columns]
    if taken.keep.intersection(others):
        return None
    x = found.of(taken.frame, taken.splits[0].numpy())
    black, white = 0 - found.scale[0], found.scale[1] - found.scale[0]
    range_ = f"from {black:g} for black to {white:g} for white"
    note = f"The columns are the pixels of pictures, row by row, {range_} (--keep '*' leaves a table)."
    notes = (*taken.report.notes, note)
    if filled := int(taken.frame[list(found.columns)].isna().any(axis=1).sum()):
        notes += (f"Missing pixels of {filled} picture{'s' * (filled != 1)} are filled with the median.",)
    left_out = (LeftOut(one, "a row number" if one in numbers else "it stands beside pixels") for one in others)
    report = replace(
        taken.report, left_out=(*taken.dropped, *left_out), pictures=(found.shape[-2], found.shape[-1]), pixels=len(found.columns),
        filled=filled, notes=notes,
    )  # fmt: skip
    data = own_pictures(taken.path.name, torch.from_numpy(x), taken.y, taken.splits, found.shape, taken.classes, report.told)
    return replace(data, intake=report)


def _table(taken: _Taken) -> Dataset:
    used, out = _judged(taken)
    if not used:
        reasons = "; ".join(f"{quoted(one.name, 30)}, {one.reason}" for one in out[:4])
        raise refuse(taken.path, f"none of its columns can be used ({reasons})", "one is needed beside the class (--keep)")
    y = taken.y
    telling = frozenset(column.name for column in used if _tells(column, y))
    encoding = Encoding(used, taken.splits[0].numpy(), telling)
    limits.check_size(taken.path, len(y), encoding.width)
    filled = int(np.logical_or.reduce([column.values.isna().to_numpy() for column in used]).sum())
    numbers = all(column.kind == "number" and not column.gaps and not column.read for column in encoding.columns)
    as_ever = taken.as_ever and not out and numbers
    report = replace(taken.report, columns=encoding.columns, left_out=tuple(out), filled=filled, plain=as_ever, encoder=encoding)
    data = table(taken.path.name, encoding.table(used), y, taken.classes, encoding.features, taken.splits, report.told)
    return replace(data, intake=report)


def _judged(taken: _Taken) -> tuple[list[Judged], list[LeftOut]]:
    """The columns that are used, and those that are not."""
    used, out = list[Judged](), list(taken.dropped)
    seen: dict[bytes, str] = {}
    for place, name in enumerate(taken.frame.columns):
        keep = name in taken.keep
        column = judged(taken.frame[name], name, taken.sheet.mark, unnamed=name in taken.sheet.unnamed, first=place == 0, keep=keep)
        reason = column.reason
        if not reason and not keep and (twin := seen.setdefault(column.fingerprint, name)) != name:
            reason = f"the same as {quoted(twin, 40)}"
        if reason:
            out.append(LeftOut(name, reason))
        else:
            used.append(column)
    return used, out


def _tells(column: Judged, y: np.ndarray) -> bool:
    """Whether a column alone gives the class away: each of its few values goes with one class, or each class with one range of numbers."""
    known = column.values.notna().to_numpy()
    values, of = column.values[known], y[known]
    C = len(np.unique(of))
    if C < 2:
        return False
    if column.kind == "category" or values.nunique() <= min(VALUES, len(of) / 2):
        return bool(pd.Series(of).groupby(values.to_numpy()).nunique().max() == 1)
    if column.kind == "ordered":
        return False
    order = np.argsort(values.to_numpy(np.float64), kind="stable")
    return bool((np.diff(of[order]) != 0).sum() == C - 1)
