"""Highly correlated features whose correlations mislead: planted data (`ked.data.planted`) with correlations across its groups.

The k-th features of all groups are nearly copies of each other (correlation 0.9), while the features that together make up a class
are independent. A grouping by correlation finds blocks that are not the true groups; one by dependency can find the true ones.
"""

from __future__ import annotations

from ked.data import planted
from ked.data.dataset import Dataset

CORRELATION = 0.9


def load(name: str) -> Dataset:
    """24 standard normal features in four groups of six, three classes, 8000 samples, one label in twenty drawn blindly."""
    return planted.make(24, 4, 3, correlation=CORRELATION, across=True, noise=0.05, name=name)[0]
