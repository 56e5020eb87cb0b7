"""Who a visitor is, and what they may change: on their own machine everything, on a server for others what is theirs.

A browser is known by a secret that it keeps in a cookie, or by whoever has logged in. Runs and files hold no more than its digest,
which tells one visitor from another and lets nobody pass for one.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

import streamlit as st

from ked.files.processes import for_this_machine

COOKIE = "ked_visitor"
NOT_YOURS = "Somebody else started this: only they can stop, change, rename or delete it."
_SECRET, _KNOWN = re.compile(r"[0-9a-f]{32}"), "ked.visitor"


def name() -> str:
    """The visitor's digest, 16 hexadecimal digits: runs that they start say so, and they take turns in the queue."""
    known = f"login {st.user.get('sub') or st.user.get('email')}" if st.user.get("is_logged_in") else _secret()
    return hashlib.sha256(known.encode()).hexdigest()[:16]


def may_change(facts: Mapping[str, Any]) -> bool:
    """Whether the visitor may stop, change, rename or delete what these facts (a run's, a study's, a file's) are of."""
    return not among_others() or facts.get("visitor") == name()


def among_others() -> bool:
    """Whether this is a server for others: it listens to more than its own machine, or a proxy hands visitors on to it."""
    if not for_this_machine(st.get_option("server.address") or "localhost"):
        return True
    headers = st.context.headers
    host = re.sub(r":\d+$", "", headers.get("Host") or "localhost").strip("[]")
    return "X-Forwarded-For" in headers or not for_this_machine(host)


def script() -> str:
    """JavaScript that lets the browser come back as the same visitor; none where nothing depends on who it is."""
    if not among_others() or st.user.get("is_logged_in"):
        return ""
    return f"document.cookie = {json.dumps(f'{COOKIE}={_secret()}; path=/; max-age=31536000; samesite=strict')};"


def _secret() -> str:
    if _KNOWN not in st.session_state:
        told = str(st.context.cookies.get(COOKIE, ""))
        st.session_state[_KNOWN] = told if _SECRET.fullmatch(told) else secrets.token_hex(16)
    return str(st.session_state[_KNOWN])
