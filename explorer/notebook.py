"""The app's figures for notebooks: what `.plot()` of the library's results shows, without streamlit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import agreement_charts, attribution_charts, charts, maps, overlays, study_figures, theme
from explorer.words.results import LABELS
from ked.agreements import ALL, Survey
from ked.attribution import ATTRIBUTIONS
from ked.attribution.own_nets import Attributions
from ked.communities.groups import Superfeatures
from ked.errors import InvalidInput, quoted
from ked.store import Run
from ked.studies.report import Report

_MOST = 20  # features of a table that are drawn, the strongest ones


def superfeatures(found: Superfeatures, shape: Sequence[int] | None = None, names: Sequence[str] | None = None) -> go.Figure:
    """Which superfeature each feature belongs to: over a picture's pixels, or as bars of a table's features."""
    return overlays.superfeature_mask(found.groups, shape or (sum(found.sizes),), names=names)


def agreement(found: Survey, measure: str) -> go.Figure:
    """How a measure is spread over the samples, and behind it what chance gives."""
    row = ALL[measure]
    levels = {"against another sample's explanation": found.chance, "against another of the same class": found.alike}
    about = {"student": found.samples[measure]}, {words: {"student": of[measure]} for words, of in levels.items()}
    title = f"{row.label}, {row.unit}" if row.unit else row.label
    return agreement_charts.distribution(*about, title, labels={}, bounds=(row.low, row.high))


def attributions(found: Attributions, sample: int, names: Sequence[str] | None = None) -> go.Figure:
    """What each method says of a sample: maps over a picture, or bars of a table's features."""
    assert found.samples is not None
    asked, head = found.samples[sample], f"class {found.target[sample]}: for it red, against it blue"
    shares = {ATTRIBUTIONS[name].label: attribution_charts.normalised(of[sample].values) for name, of in found.measured.items()}
    if asked.ndim in (2, 3):
        flat = {label: values.reshape(-1, *asked.shape[-2:]).sum(axis=0) for label, values in shares.items()}
        cells = [maps.Cell(asked.flatten(), attribution_charts.normalised(values), (label,), label) for label, values in flat.items()]
        return maps.sheet(cells, asked.shape, None, limit=1.0, columns=min(4, len(cells)), width=700, head=head)
    called = [f"feature {d}" for d in range(asked.size)] if names is None else list(names)
    panels = [attribution_charts.Panel(label, values, ()) for label, values in shares.items()]
    strongest = np.argsort(-sum(np.abs(values) for values in shares.values()), kind="stable")[:_MOST]
    return attribution_charts.feature_bars(panels, called, strongest.tolist(), [theme.MUTED] * asked.size, head)


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
