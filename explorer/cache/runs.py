"""What a run folder says: run.json, read once for each of its versions, the run's data, nets and curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.cache import datasets
from explorer.cache.keys import BY_VERSION
from explorer.timeline.history import History
from explorer.words.datasets import is_by_path
from ked import jobs, store
from ked.data import Dataset
from ked.errors import InvalidInput, Unavailable
from ked.heard import Heard
from ked.nets.stack import Stack
from ked.nets.weights import NOT_KEPT
from ked.recipe import MLP, Recipe
from ked.runs.stage_keys import stage_keys
from ked.store import Run


@st.cache_data(max_entries=4096, show_spinner=False, hash_funcs=BY_VERSION)
def facts(run: Run) -> dict[str, Any]:
    """run.json."""
    return run.info


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs=BY_VERSION)
def recipe(run: Run) -> Recipe:
    """What was asked for; frozen, so that all visitors may share it."""
    return Recipe.make(**facts(run)["recipe"])


def is_sound(run: Run) -> bool:
    """Whether its run.json and its recipe can be read: others are shown on the Runs page alone."""
    try:
        recipe(run)
    except (InvalidInput, Unavailable):
        return False
    return True


def status(run: Run) -> str:
    """queued, running, done, failed or cancelled, as it is now: a job whose process is gone has failed."""
    return jobs.status(run, facts(run))


def list_runs() -> list[Run]:
    """All readable runs, the newest first, the presets last."""
    return store.list_runs(facts)


def dataset_of(run: Run) -> Dataset:
    """The data that the run learns."""
    return datasets.dataset(*asked_for(run))


def asked_for(run: Run) -> tuple[str, str | None, tuple[str, ...], tuple[str, ...], int]:
    """The run's data as a recipe names them: data set, label, columns to drop and to keep; and the version of a file by its path."""
    asked = recipe(run)
    return asked.dataset, asked.label, asked.drop, asked.keep, datasets.file_version(asked.dataset)


def mean_image(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each feature over the training samples of the run's data, (D,) each."""
    return datasets.mean_image(*asked_for(run))


def data_changed(run: Run) -> bool:
    """Whether the file that a run was made of by its path holds something else today."""
    return is_by_path(recipe(run).dataset) and _data_changed(run, datasets.file_version(recipe(run).dataset))


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=BY_VERSION)
def _data_changed(run: Run, version: int) -> bool:
    keys = stage_keys(recipe(run))
    return any(keys[stage] != key for stage, key in facts(run).get("stages", {}).items() if stage in keys)


def convolutional(run: Run) -> bool:
    """Whether the run's nets are convolutional, and its superfeatures groups of channels."""
    return bool(facts(run)["recipe"].get("net", MLP) != MLP or facts(run).get("recorded", {}).get("channels"))


def recorded(run: Run) -> bool:
    """Whether the run was recorded: what its nets said is there, but no nets."""
    return "recorded" in facts(run)


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=BY_VERSION)
def heard(run: Run, which: str) -> Stack | Heard:
    """A stored net, "teacher", "explaining" or a student's method; of a recorded run what was heard of it."""
    return run.net(which)


def net(run: Run, which: str) -> Stack:
    """A stored net; `Unavailable` of a recorded run, which has none."""
    found = heard(run, which)
    if isinstance(found, Heard):
        raise Unavailable(NOT_KEPT)
    return found


def curves(run: Run) -> dict[str, np.ndarray]:
    """Method -> (epochs so far, K) validation accuracy; remembered of runs that have ended."""
    if facts(run)["status"] in ("queued", "running"):
        return History(run).read().curves()
    return _curves(run)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=BY_VERSION)
def _curves(run: Run) -> dict[str, np.ndarray]:
    return History(run).read().curves()
