"""The app's figures for notebooks: what `.plot()` of the library's results shows, without streamlit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import agreement_charts, charts, overlays, study_figures
from explorer.words.results import LABELS
from ked.agreements import ALL, Survey
from ked.communities.groups import Superfeatures
from ked.errors import InvalidInput, quoted
from ked.store import Run
from ked.studies.report import Report


def superfeatures(found: Superfeatures, shape: Sequence[int] | None = None, names: Sequence[str] | None = None) -> go.Figure:
    """Which superfeature each feature belongs to: over a picture's pixels, or as bars of a table's features."""
    return overlays.superfeature_mask(found.groups, shape or (sum(found.sizes),), names=names)


def agreement(found: Survey, measure: str) -> go.Figure:
    """How a measure is spread over the samples, and behind it what chance gives."""
    row = ALL[measure]
    levels = {"beside another sample's explanation": found.chance, "beside another of the same class": found.alike}
    about = {"student": found.samples[measure]}, {words: {"student": of[measure]} for words, of in levels.items()}
    title = f"{row.label}, {row.unit}" if row.unit else row.label
    return agreement_charts.distribution(*about, title, labels={}, bounds=(row.low, row.high))


def run(found: Run) -> go.Figure:
    """Test accuracy of each net: a dot a seed, the mean and its 95 % interval; teachers as lines."""
    accuracy = found.info["summary"]["accuracy"]
    students = {name: np.array(values) for name, values in accuracy.items() if isinstance(values, list)}
    teachers = {name: value for name, value in accuracy.items() if not isinstance(value, list)}
    return charts.results(students, labels=LABELS, references=teachers)


def study(found: Report, measure: str) -> go.Figure:
    """The differences in a measure against zero, with their intervals."""
    drawn = dict(study_figures.forests(found))
    if measure not in drawn:
        raise InvalidInput(f"this study compares nothing in {quoted(measure)}; choose one of {', '.join(drawn)}.")
    return drawn[measure]
