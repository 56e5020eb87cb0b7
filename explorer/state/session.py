"""What a visitor has chosen: one dictionary in the session, mirrored in the address, shared by all pages."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.state import following
from explorer.state.settings import BY_KEY, RECIPE_SETTINGS, SETTINGS, from_url, to_url
from explorer.state.undo import Undo
from ked.errors import Unavailable

_VALUES, _PAGE, _LEADS, _NOTICES, _UNDO, _SHOWN, _MOVED, _STANDING = (
    f"ked.{name}" for name in ("values", "page", "leads", "notices", "undo", "shown", "moved", "standing")
)


def begin(page: str) -> bool:
    """Bring session and address together at the start of a script run.

    The address counts in a new session (whoever changes it by hand starts one), after the browser's Back or Forward, and
    when a link to another page says what is to be seen there. Otherwise the session counts: a click may come with the
    address of a moment ago, and the menu of pages empties it.

    Returns whether the address said nothing of a recipe, so that the run's own recipe is meant.
    """
    address = {key: st.query_params[key] for key in st.query_params}
    moved = st.session_state.get(_PAGE) not in (None, page)
    if st.session_state.get(_PAGE) != page:
        st.session_state[_STANDING] = set()
    bare = False
    if _VALUES not in st.session_state or _went_back() or (moved and address):
        st.session_state[_VALUES], st.session_state[_NOTICES] = from_url(address)
        given = {BY_KEY[key].name for key in address if key in BY_KEY}
        bare = not given & (set(RECIPE_SETTINGS) - {"dataset"})
    st.session_state[_PAGE] = page
    st.session_state[_SHOWN] = set()
    write_url()
    _undo().settle(st.session_state[_VALUES], time.monotonic())
    return bare


def hold(widget: str, value: Any) -> str:
    """Let a widget show a value; returns the key that it is to be drawn under.

    Where the page itself has moved the value (another run was chosen, a view came back) it is a new widget: a busy browser that
    has not heard of it yet goes on telling what the old one shows, at every tick of what moves by itself, and that is nobody's choice.
    """
    if key_of(widget) in st.session_state and st.session_state[key_of(widget)] != value:
        moved = st.session_state.setdefault(_MOVED, {})
        moved[widget] = moved.get(widget, 0) + 1
    key = key_of(widget)
    shown: set[str] = st.session_state.setdefault(_SHOWN, set())
    if key not in shown or key not in st.session_state:  # set at every tick, it would undo what somebody is just choosing
        st.session_state[key] = value
    shown.add(key)
    return key


def key_of(widget: str) -> str:
    """The key that a widget was drawn under last."""
    moved = st.session_state.get(_MOVED, {}).get(widget, 0)
    return f"{widget}.{moved}" if moved else widget


def standing() -> set[str]:
    """The places of the page on screen that have their content, to which others are added as they come."""
    places: set[str] = st.session_state.setdefault(_STANDING, set())
    return places


def end() -> None:
    """At the end of a script run: what the page has corrected by itself belongs to the visitor's last move."""
    _undo().amend(st.session_state[_VALUES])


def _went_back() -> bool:
    """Whether this run was caused by the browser's Back or Forward."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


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


def address() -> dict[str, str]:
    """What the address says of the settings."""
    return to_url(st.session_state[_VALUES])


def write_url() -> None:
    """Mirror the settings into the address."""
    wanted = address()
    if {key: st.query_params[key] for key in st.query_params} != wanted:
        st.query_params.from_dict(wanted)
    if token := leads():
        with contextlib.suppress(Unavailable):  # a full disk keeps the class behind; the lecturer's own page goes on
            following.lead(token, str(st.session_state.get(_PAGE, "")), wanted)


def leads() -> str:
    """The class that follows this tab (`explorer.state.following`); "" for none."""
    return str(st.session_state.get(_LEADS, ""))


def lead(on: bool) -> None:
    """Let a class follow this tab, or no longer."""
    if not on:
        st.session_state.pop(_LEADS, None)
    elif not leads():
        st.session_state[_LEADS] = following.new_token()
        write_url()


def undo() -> None:
    """Take the visitor's last move back."""
    if not _of_a_fragment():
        put(**_undo().undo())


def redo() -> None:
    """Make the move again that was taken back last."""
    if not _of_a_fragment():
        put(**_undo().redo())


def _of_a_fragment() -> bool:
    """Whether this run is one of a fragment alone: its message may carry along what was pressed elsewhere on the page just then.

    That press has a message of its own, which comes next.
    """
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def undoable() -> tuple[set[str], set[str]]:
    """The settings that `undo` and `redo` would change; empty where there is nothing to do."""
    return _undo().names()


def _undo() -> Undo:
    found: Undo = st.session_state.setdefault(_UNDO, Undo())
    return found


def notices() -> list[str]:
    """What the address asked for and could not have; told once."""
    said: list[str] = st.session_state.get(_NOTICES, [])
    st.session_state[_NOTICES] = []
    return said
