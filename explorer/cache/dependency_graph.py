"""A teacher's dependency matrix W and what is found in it: superfeatures under any settings, and where a graph draws the features."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from explorer.cache.keys import BY_VERSION
from explorer.cache.runs import convolutional, dataset_of, recipe
from explorer.pictures import graphs
from ked.communities.groups import Superfeatures
from ked.communities.superfeatures import resolution_sweep
from ked.communities.units import contracted
from ked.communities.yardsticks import Yardsticks, yardsticks
from ked.groupings import group
from ked.runs.measuring import measured_dependency
from ked.store import Run


@st.cache_data(max_entries=16, show_spinner="Measuring which features depend on each other …", hash_funcs=BY_VERSION)
def dependency(run: Run, reduce: str, scale: str | None) -> np.ndarray:
    """W (D, D) of the run's teacher: the stored one where it was made in the same way, else computed anew."""
    asked = recipe(run)
    if (asked.reduce, asked.scale) == (reduce, scale) and run.has("dependency"):
        return run.dependency().numpy()
    x = dataset_of(run).part("train")[0]
    return measured_dependency(run, asked.without(reduce=reduce, scale=scale), x).numpy()


@st.cache_data(max_entries=128, show_spinner="Searching for communities …", hash_funcs=BY_VERSION)
def superfeatures(run: Run, reduce: str, scale: str | None, M: int, grouping: str, engine: str | None) -> Superfeatures:
    """M superfeatures of the run's teacher: the stored ones where they were made in the same way, else found anew."""
    asked = recipe(run)
    stored = (asked.reduce, asked.scale, asked.superfeatures, asked.grouping, asked.engine)
    if stored == (reduce, scale, M, grouping, engine) and run.has("superfeatures"):
        return run.superfeatures()
    source = dataset_of(run)
    W, x = torch.from_numpy(dependency(run, reduce, scale)), source.part("train")[0]
    return group(grouping, W=W, M=M, x=x, shape=source.shape, seed=asked.seed, engine=engine, units=source.together)


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs=BY_VERSION)
def ordered(run: Run) -> graphs.Ordered:
    """The W that the run's own superfeatures were found in, ordered by them and pooled for a small picture."""
    W = dependency(run, recipe(run).reduce, recipe(run).scale)
    return graphs.ordered(W, run.superfeatures().groups, graphs.SMALL)


@st.cache_data(max_entries=32, show_spinner=False, hash_funcs=BY_VERSION)
def sweep(run: Run, reduce: str, scale: str | None, engine: str | None, span: float) -> np.ndarray:
    """(3, R) resolution, number of communities and modularity on a logarithmic grid up to `span` times either way."""
    W = contracted(dependency(run, reduce, scale), () if recipe(run).convolutional else dataset_of(run).together)
    resolutions = np.geomspace(1 / span, span, 15 if len(W) > 128 else 41)
    return np.array(resolution_sweep(W, [float(r) for r in resolutions], engine, 0), dtype=float).T


@st.cache_data(max_entries=64, show_spinner=False)
def modularity_for_nothing(W: np.ndarray, groups: tuple[tuple[int, ...], ...]) -> Yardsticks:
    """What modularity random groups have, and those found among shuffled links."""
    return yardsticks(W, groups)


@st.cache_data(max_entries=32, show_spinner="Laying out the graph …", hash_funcs=BY_VERSION)
def positions(run: Run, reduce: str, scale: str | None) -> np.ndarray:
    """(D, 2) where the graph draws each feature."""
    channels: tuple[int, ...] = ()  # have no place in the picture
    shape = channels if convolutional(run) else dataset_of(run).shape
    return graphs.node_positions(dependency(run, reduce, scale), shape)
