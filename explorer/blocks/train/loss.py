"""The loss as a formula that answers: λ, μ, T and τ, the terms that each is part of, and what raising it does."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer.blocks import controls
from explorer.state import session
from explorer.words import loss as words
from ked.methods import METHODS

_MOVED = "ked.loss.moved"  # in the session: the control that was moved last


def share() -> None:
    """The control of μ, the explanations' share, which is in view always."""
    controls.slider("mu", then=partial(_note, "mu"), width=180)


def formula() -> None:
    """The formula with live numbers, the other controls, and the way back to the paper's values."""
    values, moved = {name: float(session.get(name)) for name in words.NAMES}, st.session_state.get(_MOVED, "")
    st.latex(words.formula(values, moved))
    for name in words.NAMES:
        if name != "mu":
            controls.slider(name, then=partial(_note, name))
        st.caption(f"**{words.RAISED[name]}**" if name == moved else words.RAISED[name])
    if any(METHODS[name].hint for name in session.get("methods")):
        controls.slider("rho")
    st.button(
        "The paper's values", icon=":material/restart_alt:", on_click=_reset, disabled=values == words.PAPER,
        help=", ".join(f"{letter} = {words.PAPER[name]:g}" for name, letter in words.NAMES.items()) + ".",
    )  # fmt: skip


def _note(name: str) -> None:
    st.session_state[_MOVED] = name


def _reset() -> None:
    st.session_state.pop(_MOVED, None)
    session.put(**words.PAPER)
