"""The tables and sentences of a report: the data card, what the result means, agreement, attributions, the recipe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from explorer import cache, study_results
from explorer.replay.figures import Replay
from explorer.state.settings import RECIPE_SETTINGS, SETTINGS
from explorer.words import agreement as agreement_words
from explorer.words import data as data_words
from explorer.words.datasets import Titles, described
from explorer.words.meaning import meaning
from explorer.words.results import LABELS
from ked.agreements import MEASURES, Survey
from ked.agreements.contrasts import contrasts
from ked.attribution import ATTRIBUTIONS
from ked.data import PARTS, SOURCES
from ked.errors import InvalidInput, Unavailable
from ked.recipe import Recipe
from ked.store import Run

_ATTRIBUTED = 4  # test samples on which attributions are measured


def plain(markdown: str) -> str:
    """A sentence without what only Markdown reads: bold, italics, code, and the strokes that keep names from being Markdown.

    >>> plain(r"**Both.** Beside *KED*, of the column `length` in a\\*b")
    'Both. Beside KED, of the column length in a*b'
    """
    unmarked = re.sub(r"(?<![\\\w*])\*(\S(?:[^*]*\S)?)\*(?![\w*])", r"\1", markdown.replace("**", ""))
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", re.sub(r"(?<!\\)`", "", unmarked))


def data_name(recipe: Recipe) -> str:
    """What people call the run's data: an own file by its name."""
    titles = Titles()
    return titles[recipe.dataset] if recipe.dataset in titles else described(recipe.dataset)


def data_card(replay: Replay) -> pd.DataFrame:
    """What the run learnt from, a row a fact."""
    data, name = replay.dataset, replay.recipe.dataset
    labels = data.part("test")[1].bincount(minlength=data.class_count)
    most = int(labels.argmax())
    layout = " × ".join(map(str, data.shape))
    shown = data.classes if data.class_count <= 12 else [*data.classes[:11], f"… {data.class_count} in all"]
    facts = {
        "data": data_name(replay.recipe),
        "origin": data_words.origin(name) if name in SOURCES or name in Titles() else "",
        "pixels" if data.is_image else "features": layout,
        "classes": f"{data.class_count}: {', '.join(shown)}",
        "samples": ", ".join(f"{len(data.part(part)[1]):,} {part}".replace(",", " ") for part in PARTS),
        "most frequent class": f"{data.classes[most]}, {100 * int(labels[most]) / int(labels.sum()):.1f} % of the test split",
        "taken in": " ".join(data_words.taken(data)),
    }
    return pd.DataFrame({"what": list(facts), "is": [plain(text) for text in facts.values()]}).query("`is` != ''")


def conclusion(run: Run) -> list[str]:
    """What a finished run's result means, in sentences (Markdown)."""
    summary, samples = cache.facts(run)["summary"], len(cache.dataset_of(run).test)
    curves = cache.curves(run)
    validation = {name: float(values[-1].mean()) for name, values in curves.items() if len(values)}
    return meaning(summary, samples, validation, study_results.on(cache.recipe(run)))


def surveys(run: Run) -> dict[str, Survey]:
    """Every student that is there, compared with the explaining teacher."""
    if not run.has("explaining"):
        return {}
    return {name: cache.survey(run, name) for name in cache.recipe(run).methods if run.has(f"student-{name}")}


def bought(found: dict[str, Survey]) -> tuple[str, pd.DataFrame]:
    """What the explanations buy: the answer in words, and KED beside each other student, by cosine."""
    measure = MEASURES["cosine"]
    pairs = contrasts(found, measure.name)
    seeds = len(next(iter(found.values())).correct)
    return plain(agreement_words.answer(pairs, measure, seeds)), agreement_words.differences(pairs)


def attributions(replay: Replay) -> tuple[str, pd.DataFrame]:
    """How well each method orders the features of the first test samples, for the explaining teacher's answers.

    Of a recorded run what was recorded; no table where nothing was, or nothing can be asked.
    """
    run, which = replay.run, "explaining" if replay.run.has("explaining") else "teacher"
    rows = list(_measured(replay, which)) if run.has(which) or cache.recorded(run) else []
    told = (
        f"Means over the first {_ATTRIBUTED} test samples, of the {LABELS[which]} and the class that it answers. Deletion: the area under "
        "the class's probability while the features that speak for it most are replaced by the training mean, low is good; insertion: "
        "while they are put in, high is good."
    )
    return told, pd.DataFrame(rows)


def _measured(replay: Replay, which: str) -> Iterator[dict[str, str]]:
    run, samples = replay.run, range(min(_ATTRIBUTED, len(replay.dataset.test)))
    try:
        answers = cache.test_predictions(run, which, 0)[: len(samples)].argmax(axis=1).tolist()
    except (InvalidInput, Unavailable):
        return
    for name, method in ATTRIBUTIONS.items():
        try:
            found = [cache.attribution(run, which, 0, sample, answers[sample], name) for sample in samples]
        except (InvalidInput, Unavailable, KeyError):  # it does not apply to this net, or was not recorded
            continue
        areas = {kind: np.array([getattr(one, kind) for one in found]) for kind in ("deletion", "insertion")}
        means = {kind: f"{np.nanmean(area):.2f}" if np.isfinite(area).any() else "–" for kind, area in areas.items()}
        yield {"method": method.label, **means, "ms a map": f"{1000 * np.median([one.seconds for one in found]):.1f}"}


def recipe(asked: Recipe) -> pd.DataFrame:
    """Every setting, those that were changed first."""
    usual = Recipe().model_dump()
    rows = [
        {"setting": SETTINGS[name].label if name in RECIPE_SETTINGS else name.replace("_", " "), "value": _shown(value)}
        for name, value in sorted(asked.model_dump().items(), key=lambda item: item[1] == usual[item[0]])
    ]
    return pd.DataFrame(rows)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else "–" if value is None else str(value)
