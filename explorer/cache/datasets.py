"""Data sets, read once for all visitors, and what is counted over every sample of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from ked import data
from ked.data import Dataset
from ked.data.checkup import Checkup
from ked.data.checkup import checkup as measure


@st.cache_resource(max_entries=8, show_spinner="Reading the data …")
def dataset(name: str, label: str | None = None, drop: tuple[str, ...] = (), keep: tuple[str, ...] = ()) -> Dataset:
    """A data set, read once for all visitors; the others say how the columns of a table are taken that is named by its path."""
    return data.load(name, label, drop=drop, keep=keep)


@st.cache_data(max_entries=32, show_spinner="Looking at every sample …")
def checkup(name: str) -> Checkup:
    """What should be known about a data set before training on it."""
    return measure(dataset(name))


@st.cache_data(max_entries=32, show_spinner=False)
def mean_image(name: str, *asked: Any) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each feature over the training samples, (D,) each."""
    x = dataset(name, *asked).part("train")[0]
    return x.mean(0).numpy(), x.std(0).numpy()
