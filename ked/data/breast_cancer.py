"""scikit-learn's breast cancer table: 569 cell samples with 30 measurements, inside the package, so it works offline at once."""

from __future__ import annotations

from ked.data.dataset import Dataset
from ked.data.tabular import table


def load(name: str) -> Dataset:
    """The table, standardised on its training part, split about 60/20/20 with equal class shares.

    Source: W. Wolberg, O. Mangasarian, N. Street and W. Street, Breast Cancer Wisconsin (Diagnostic), UCI repository, 1995.
    """
    # imported here: half a second that the other sources need not pay
    from sklearn.datasets import load_breast_cancer

    source = load_breast_cancer()
    classes, features = (tuple(str(name) for name in names) for names in (source.target_names, source.feature_names))
    return table(name, source.data, source.target, classes, features)
