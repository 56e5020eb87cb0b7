"""Data sets, read once for all visitors, and what is counted over every sample of them."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import numpy as np
import streamlit as st

from explorer.words.datasets import columns_asked, is_by_path
from ked import data
from ked.data import Dataset, user_files
from ked.data.checkup import Checkup
from ked.data.checkup import checkup as measure
from ked.data.columns import Asked, Intake


@st.cache_resource(max_entries=8, show_spinner="Reading the data …")
def dataset(name: str, label: str | None = None, drop: tuple[str, ...] = (), keep: tuple[str, ...] = (), version: int = 0) -> Dataset:
    """A data set, read once for all visitors; the others say how a table is taken that is named by its path, and its file's version."""
    return data.load(name, label, drop=drop, keep=keep)


@st.cache_resource(max_entries=64, show_spinner="Looking at every sample …")
def intake(file_id: str, name: str, asked: Asked, _content: bytes | memoryview) -> Intake:
    """What would become of a table that a visitor has uploaded but not yet kept; `file_id` stands for its content."""
    found = user_files.look(name, _content, asked).intake
    assert found is not None
    return found


@st.cache_data(max_entries=16, show_spinner=False)
def columns(file_id: str, name: str, _content: bytes | memoryview) -> tuple[tuple[str, ...], str | None]:
    """The names of the columns of a table that a visitor has uploaded, and the likely one of the class."""
    return user_files.columns(name, _content)


def file_version(name: str) -> int:
    """Changes whenever the file does that is named by its path; 0 for all other data, whose names always mean the same."""
    with contextlib.suppress(OSError):
        return os.stat(name).st_mtime_ns if is_by_path(name) else 0
    return 0


@st.cache_data(max_entries=32, show_spinner="Looking at every sample …")
def checkup(name: str, *asked: Any) -> Checkup:
    """What should be known about a data set before training on it."""
    return measure(dataset(name, *asked))


def asked(name: str) -> tuple[Any, ...]:
    """What `dataset` and `checkup` need beside a name, for data that no run is meant with."""
    return *columns_asked(name).values(), file_version(name)


@st.cache_data(max_entries=32, show_spinner=False)
def mean_image(name: str, *asked: Any) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each feature over the training samples, (D,) each."""
    x = dataset(name, *asked).part("train")[0]
    return x.mean(0).numpy(), x.std(0).numpy()
