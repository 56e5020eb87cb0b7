"""The app's figures for notebooks: what `.plot()` of the library's results shows, without streamlit."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.pictures import overlays
from ked.communities.groups import Superfeatures


def superfeatures(found: Superfeatures, shape: Sequence[int] | None = None, names: Sequence[str] | None = None) -> go.Figure:
    """Which superfeature each feature belongs to: over a picture's pixels, or as bars of a table's features."""
    return overlays.superfeature_mask(found.groups, shape or (sum(found.sizes),), names=names)
