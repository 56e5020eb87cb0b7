"""A run epoch by epoch, also while it goes on: superfeatures as they form, one sample's explanations, agreement with the teacher."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.cache.keys import BY_FOLDER, BY_VERSION
from explorer.cache.runs import dataset_of
from ked.runs.forming import states
from ked.runs.trajectory import Agreements, Trajectories
from ked.store import Run

AGREEING = 256  # validation samples on which students and teacher are compared while they train


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=BY_VERSION)
def forming(run: Run, count: int) -> dict[int, dict[str, Any]]:
    """Epoch -> state of the teacher's superfeatures, `count` of which have been told; numbered as the final ones are."""
    return states(run)


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=BY_FOLDER)
def trajectories(run: Run, stage: str, sample: int) -> Trajectories:
    """What a stage's nets, epoch by epoch, say of one test sample; ask it for what it knows `now`."""
    return Trajectories(run, stage, dataset_of(run).part("test")[0][sample])


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=BY_FOLDER)
def agreements(run: Run, method: str) -> Agreements:
    """How far a method's students, epoch by epoch, agree with their teacher on validation samples; ask it `now`."""
    return Agreements(run, method, dataset_of(run).part("validation")[0][:AGREEING])
