"""A word that the browser says back once it has taken a run of the page in."""

from __future__ import annotations

import time

import streamlit as st

from explorer.components import script

_component = st.components.v2.component("ked_echo", js=script("echo"))


def heard(key: str, word: str) -> bool:
    """Whether the browser has said `word` back; until then it is asked to, which nobody sees, and its answer causes a run."""
    if (st.session_state.get(key) or {}).get("word") == word:
        return True
    _component(key=key, data={"word": word, "run": time.monotonic_ns()}, height=1, on_word_change=lambda: None)
    return False
