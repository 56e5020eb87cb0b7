"""What a visitor has chosen: one dictionary in the session, mirrored in the address, shared by all pages."""

from __future__ import annotations

import secrets
import time
from typing import Any

import streamlit as st

from explorer.settings import BY_KEY, RECIPE_SETTINGS, SETTINGS, from_url, to_url

_VALUES, _URL, _LEFT, _PAGE, _NOTICES = "ked.values", "ked.url", "ked.left", "ked.page", "ked.notices"
_VISITOR = "ked.visitor"


def begin(page: str) -> bool:
    """Bring session and address together at the start of a script run.

    A new session takes everything from the address, and so does one whose address was changed by hand or by the
    browser's Back. Moving to another page through the menu empties the address; there the session wins.

    Returns whether the address named a run or a data set but nothing of a recipe, so that the run's own recipe is meant.
    """
    address = {key: st.query_params[key] for key in st.query_params}
    moved = st.session_state.get(_PAGE) not in (None, page)
    fresh = _VALUES not in st.session_state
    if fresh or (address != st.session_state.get(_URL) and not (moved and not address) and not _just_left(address)):
        st.session_state[_VALUES], st.session_state[_NOTICES] = from_url(address)
        given = {BY_KEY[key].name for key in address if key in BY_KEY}
        bare = bool(given & {"run", "dataset"}) and not given & (set(RECIPE_SETTINGS) - {"dataset"})
    else:
        bare = False
    st.session_state[_PAGE] = page
    write_url()
    return bare


def get(name: str) -> Any:
    """The value of a setting."""
    return st.session_state[_VALUES][name]


def values() -> dict[str, Any]:
    """A copy of all settings' values."""
    return dict(st.session_state[_VALUES])


def put(**changes: Any) -> None:
    """Change settings, and the address with them."""
    for name in changes:
        SETTINGS[name]  # a name that is none is a mistake of ours: let it show
    st.session_state[_VALUES].update(changes)
    write_url()


def visitor() -> str:
    """A name for whoever has this tab open, which says nothing about them: visitors take turns in the queue."""
    return str(st.session_state.setdefault(_VISITOR, secrets.token_hex(8)))


def write_url() -> None:
    """Mirror the settings into the address."""
    wanted = to_url(st.session_state[_VALUES])
    if {key: st.query_params[key] for key in st.query_params} != wanted:
        st.query_params.from_dict(wanted)
    if wanted != st.session_state.get(_URL):
        st.session_state[_LEFT] = (time.monotonic(), st.session_state.get(_URL))
    st.session_state[_URL] = wanted


def _just_left(address: dict[str, str]) -> bool:
    """Whether a click came with the address of a moment ago, because the browser had not yet been told the new one."""
    moment, previous = st.session_state.get(_LEFT, (0.0, None))
    return bool(address == previous and time.monotonic() - moment < 1.0)


def notices() -> list[str]:
    """What the address asked for and could not have; told once."""
    said: list[str] = st.session_state.get(_NOTICES, [])
    st.session_state[_NOTICES] = []
    return said
