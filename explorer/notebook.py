"""The app's figures for notebooks: what `.plot()` of the library's results shows, without streamlit."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.pictures import agreement_charts, overlays
from ked.agreements import ALL, Survey
from ked.communities.groups import Superfeatures


def superfeatures(found: Superfeatures, shape: Sequence[int] | None = None, names: Sequence[str] | None = None) -> go.Figure:
    """Which superfeature each feature belongs to: over a picture's pixels, or as bars of a table's features."""
    return overlays.superfeature_mask(found.groups, shape or (sum(found.sizes),), names=names)


def agreement(found: Survey, measure: str) -> go.Figure:
    """How a measure is spread over the samples, and behind it what chance gives."""
    row = ALL[measure]
    about = {"student": found.samples[measure]}, {"student": found.chance[measure]}
    title = f"{row.label}, {row.unit}" if row.unit else row.label
    return agreement_charts.distribution(*about, title, labels={}, bounds=(row.low, row.high))
