"""Who comes in: whoever can reach the server, unless its keeper has set up a login. The first visitor is told."""

from __future__ import annotations

import functools

import streamlit as st

from ked.files.processes import for_this_machine


def open_to_visitors() -> None:
    """Let a visitor through to the page, or show them no more than a button to log in."""
    # Streamlit knows of logins where [auth] in its secrets.toml says who knows the visitors.
    if "is_logged_in" in st.user and not st.user.is_logged_in:
        st.title("KED Explorer", anchor=False)
        st.button("Log in", type="primary", on_click=st.login, help="With your account at whoever runs this server.")
        st.stop()
    if not for_this_machine(st.get_option("server.address") or "localhost"):
        _say_who_can_come()


@functools.cache
def _say_who_can_come() -> None:
    """Once a server: its first visitor is the one who has just started it."""
    st.toast("Everybody who can reach this machine can use this app.", icon=":material/public:", duration="long")
