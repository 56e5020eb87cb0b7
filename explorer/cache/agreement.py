"""Whether students explain as their teacher does: on every test sample, once they have learnt."""

from __future__ import annotations

import streamlit as st

from explorer.cache.keys import BY_VERSION
from explorer.cache.runs import dataset_of, heard, recipe
from ked.agreements import Survey
from ked.agreements import survey as measure
from ked.heard import Heard
from ked.matching import matching
from ked.methods import METHODS
from ked.store import Run

SURVEYED = 20_000  # test samples on which students and teacher are compared


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=BY_VERSION)
def survey(run: Run, method: str, maps: str = "") -> Survey:
    """Agreement and fidelity of a method's students on the first `SURVEYED` test samples; `maps`: which are compared too, if any."""
    student, teacher, source = heard(run, method), heard(run, "explaining"), dataset_of(run)
    x, y = (part[:SURVEYED] for part in source.part("test"))
    pairs = matching(student, teacher) if METHODS[method].net == "ked" else None
    kinds = [maps] if maps and not isinstance(student, Heard) else []  # maps are made by nets
    return measure(student, teacher, x, y, pairs=pairs, tau=recipe(run).tau, shape=source.shape, maps=kinds)
