"""What a visitor of the train page may change beside the few controls in view: loss, nets, training, data."""

from __future__ import annotations

import streamlit as st

from explorer.blocks import controls
from explorer.state import session
from ked.methods import METHODS
from ked.recipe import MLP


def tabs() -> None:
    """All further settings, by what they are about."""
    nets, training, features, data = st.tabs(["Nets", "Training", "Superfeatures", "Data"])
    with nets:
        if controls.choice("net") == MLP:
            controls.text("teacher_hidden")
            controls.text("student_hidden")
            controls.choice("activation")
        else:
            controls.choice("teacher_net")
    with training:
        _training()
    with features:
        if session.get("net") == MLP:
            for name in ("grouping", "reduce", "scale"):
                controls.choice(name)
        controls.slider("student_superfeatures")
    with data:
        controls.number("train_size")
        controls.number("seed")
        if any(METHODS[name].further for name in session.get("methods")):
            controls.number("chimeras")
            controls.slider("chimera_epochs")


def _training() -> None:
    left, right = st.columns(2)
    with left:
        controls.slider("teacher_epochs")
        controls.number("lr")
        controls.choice("schedule")
    with right:
        controls.choice("optimiser")
        controls.number("weight_decay")
        controls.choice("augment")
        controls.choice("if_collapsed")
