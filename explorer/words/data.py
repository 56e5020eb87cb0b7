"""What a look at all samples found, in plain sentences made from the numbers. No streamlit here."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from explorer.words.datasets import Titles, is_by_path
from explorer.words.inert import inert
from ked.data import PARTS, SOURCES, Dataset, is_user_file, user_files
from ked.data.checkup import Checkup
from ked.data.columns import Column, Intake
from ked.errors import shortened
from ked.shares import in_percent

EQUAL = 1.25  # times that the largest class may be the smallest and they still count as equally large
UNEVEN = 3.0  # times that it may be before it is worth a thought
FEW = 100  # test samples below which one of them moves the accuracy visibly
_NAMED = 5

Remark = tuple[bool, str]  # whether all is well, and the sentence


def remarks(data: Dataset, found: Checkup) -> list[Remark]:
    """One sentence a check, those that deserve a thought first."""
    said = [*_gaps(data), *_constant(data, found), *_balance(data, found), *_repeats(found), *_telling(data, found), *_few(data)]
    return sorted(said, key=lambda remark: remark[0])


def quoted(name: str) -> str:
    """A user's own name of something, inert in Markdown."""
    short = name if len(name) <= 40 else f"{name[:39]}…"
    return f"`{' '.join(short.replace('`', chr(39)).split())}`"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(quoted, names[:_NAMED])) + more


def origin(name: str) -> str:
    """Where a data set comes from, in a sentence, inert in Markdown."""
    if name in SOURCES:
        return SOURCES[name].description
    if not is_user_file(name):
        kind = "A file that command-line runs were trained on" if is_by_path(name) else "Synthetic, made to order"
        return f"{kind}: {inert(Titles()[name])}."
    about = user_files.entry(name)
    added = pd.Timestamp(about.added, unit="s")
    column = f", class in the column {quoted(about.label)}" if about.label else ""
    return f"Own file {about.file}, {about.size / 1000:,.0f} kB{column}, added on {added.day} {added.month_name()} {added.year}."


def taken(data: Dataset) -> list[str]:
    """What was done to a user's own data on the way in, inert in Markdown: of a table, what was done with its columns comes first."""
    return intake(data.intake) if data.intake and not data.intake.plain else [inert(note) for note in data.notes]


def intake(report: Intake) -> list[str]:
    """The same of a table that came in."""
    return [inert(sentence) for sentence in (report.sentence(_in_quotes), *report.remarks(_in_quotes))]


def _in_quotes(name: str) -> str:
    return f"“{shortened(name, 40)}”"


def measured(data: Dataset, values: np.ndarray) -> list[str]:
    """A text for each feature's value (D,) in the source's own units, as it stood in the table."""
    texts = [f"{value:.4g}".replace("-", "−") for value in values.tolist()]
    if not (data.intake and data.intake.encoder):
        return texts
    row = data.intake.decode(values)
    for column in data.columns:
        flags = column.features if column.kind == "category" else column.features[1:]
        for feature in flags:
            texts[feature] = "yes" if values[feature] > 0.5 else "no"
        if column.kind in ("date", "ordered") and row[column.name]:
            texts[column.start] = row[column.name]
        if column.kind != "category" and not row[column.name]:
            texts[column.start] += ", filled in"
    return texts


def rows(data: Dataset, samples: np.ndarray, most: int) -> pd.DataFrame:
    """Some rows of a table as they stood in it, at most so many columns; numbers stay numbers."""
    names = [column.name for column in data.columns[:most]]
    table = pd.DataFrame([data.row(data.x[row]) for row in samples.tolist()], columns=pd.Index(names))
    for column in data.columns[:most]:
        if column.kind == "number":
            table[column.name] = pd.to_numeric(table[column.name])
    return table


_KINDS = {"number": "number", "date": "days since 1970", "ordered": "rank in its order", "category": "one feature per value"}


def columns(report: Intake) -> list[dict[str, str]]:
    """A row for each column of a user's own table: what it becomes, or why it is left out."""
    used = [{"column": one.name, "used as": _KINDS[one.kind], "note": "; ".join(_notes(one))} for one in report.columns]
    return used + [{"column": one.name, "used as": "left out", "note": one.reason} for one in report.left_out]


def _notes(column: Column) -> Iterator[str]:
    if column.values:
        yield shortened(", ".join(column.values))
    if column.gaps:
        yield _count(column.gaps, "gap filled", "gaps filled")
    if column.telling:
        yield "gives the class away by itself"


def _gaps(data: Dataset) -> Iterator[Remark]:
    filled = [column for column in data.intake.columns if column.gaps] if data.intake else []
    if not filled:
        yield True, "No value is missing, so nothing was filled in."
        return
    gaps, names = sum(column.gaps for column in filled), _listed([column.name for column in filled])
    held = "numbers take the median of the training samples, with a feature that says so; categories take a value of their own"
    yield True, f"{_count(gaps, 'value is', 'values are')} missing in {names}; {held}."


def _constant(data: Dataset, found: Checkup) -> Iterator[Remark]:
    unit = "pixels" if data.is_image else "features"
    if not found.constant:
        yield True, f"All {data.feature_count} {unit} vary over the training samples."
        return
    which = "" if data.is_image else f" ({_listed([data.features[d] for d in found.constant])})"
    change = "changes" if len(found.constant) == 1 else "change"
    yield (
        data.is_image,
        f"{len(found.constant)} of {data.feature_count} {unit} never {change} over the training samples{which}: "
        f"nothing can be learned from them, and their links mean nothing.",
    )


def _balance(data: Dataset, found: Checkup) -> Iterator[Remark]:
    train = found.counts[0].numpy()
    large, small = int(train.argmax()), int(train.argmin())
    always = f"Always answering {quoted(data.classes[large])} would be right for {in_percent(train[large] / train.sum())} of them."
    if train[small] and train[large] <= EQUAL * train[small]:
        sizes = f"{train[small]}" if train[small] == train[large] else f"{train[small]} to {train[large]}"
        equally = "equally" if train[small] == train[large] else "about equally"
        yield True, f"The classes are {equally} large, with {sizes} training samples each. {always}"
        return
    well = bool(train[small] and train[large] <= UNEVEN * train[small])
    sizes = f"{quoted(data.classes[large])} has {train[large]} training samples, {quoted(data.classes[small])} {train[small]}"
    yield well, f"The classes are {'not equally large' if well else 'uneven'}: {sizes}. {always}"


def _repeats(found: Checkup) -> Iterator[Remark]:
    if not found.duplicates:
        yield True, "No sample appears twice."
        return
    text = f"{_count(found.duplicates, 'sample repeats', 'samples repeat')} an earlier one exactly"
    if found.leaks:
        text += f"; {found.leaks} of the validation and test samples are also training samples, which flatters every net"
    if found.contradictions:
        text += f"; {_count(found.contradictions, 'has', 'have')} a different class from the first, so no net can be right on both"
    yield False, f"{text}."


def _telling(data: Dataset, found: Checkup) -> Iterator[Remark]:
    ratios = found.ratios.numpy()
    best = int(np.argmax(ratios))
    if not found.telling:
        yield (
            True,
            f"No single feature gives the class away: the most telling is {quoted(data.features[best])} with a correlation ratio of "
            f"{ratios[best]:.2f}.",
        )
        return
    if data.is_image:
        yield (
            False,
            f"{_count(len(found.telling), 'pixel gives', 'pixels give')} the class away (correlation ratio up to {ratios[best]:.3f}): make "
            f"sure that the pictures of a class do not share a mark or a background.",
        )
        return
    names = _listed([data.features[d] for d in found.telling])
    yield (
        False,
        f"{names} {'gives' if len(found.telling) == 1 else 'give'} the class away (correlation ratio {ratios[best]:.3f}): make sure "
        f"that a feature is not the class in disguise.",
    )


def _few(data: Dataset) -> Iterator[Remark]:
    train, _, test = (len(getattr(data, part)) for part in PARTS)
    if test < FEW:
        yield False, f"Only {test} test sample{'s' * (test != 1)}: each is worth {100 / max(test, 1):.1f} percentage points of accuracy."
    if train < data.feature_count:
        yield False, f"There are more features ({data.feature_count}) than training samples ({train}): nets can learn them by heart."


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
