"""Sharing a view: its link and QR code, what the link hides, and a class that follows the lecturer's moves."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NoReturn
from urllib.parse import urlencode

import segno
import streamlit as st

from explorer import navigation
from explorer.blocks import controls
from explorer.components.echo import heard
from explorer.state import following, session
from explorer.state.settings import from_url

_SEEN = "ked.follows"  # in the session: the lecturer's move that this tab has seen
_GOES = "ked.follows.to"  # in the session: the page that this tab is about to turn to
_HIDDEN = {
    "controls": ".st-key-controls, .st-key-choose-sample, .st-key-phone-settings, .st-key-share",
    "navigation": '[data-testid="stHeader"], [data-testid="stSidebar"], .st-key-flow, .st-key-doors',
}
_PRESENT = """
html { font-size: 150% }
[data-testid="stHeader"], .st-key-header [class*="st-key-step-"] { display: none }
.stApp { background: light-dark(#FFFFFF, #000000); color: light-dark(#000000, #FFFFFF) }
.stMainBlockContainer { padding-top: 1rem; max-width: none }
"""


def look() -> str:
    """The style of what the address asks to be hidden, and of a presentation."""
    hidden = [f"{_HIDDEN[part]} {{ display: none !important }}" for part in session.get("hide").split(",") if part in _HIDDEN]
    return "\n".join([*hidden, *([_PRESENT] if session.get("present") else [])])


def revealed(question: str, options: Sequence[str]) -> bool:
    """Whether results may be seen: in a tab whose link hides them, once its visitor has guessed."""
    if not hides("results"):
        return True
    told = "The results appear once you have guessed."
    return st.pills(f"**Guess first:** {question}", options, key=f"ked.guess.{question}", help=told) is not None


def hides(part: str) -> bool:
    """Whether the link asked for something to be hidden."""
    return part in session.get("hide").split(",")


def button(page: str) -> None:
    """The Share menu of a page, and, in a tab that follows, what keeps it beside the lecturer."""
    with st.container(key="share", width="content"), st.popover("Share", icon=":material/qr_code_2:", help="A link to exactly this view."):
        controls.segments("present")
        hide = st.pills(
            "The link hides", [*_HIDDEN, "results"], selection_mode="multi", key="ked.share.hide",
            format_func=lambda part: "results until guessed" if part == "results" else part,
            help="Whoever opens the link sees the rest. Without `hide=` in the address, everything is there.",
        )  # fmt: skip
        session.lead(st.toggle(
            "A class follows me", key="ked.share.lead", value=bool(session.leads()),
            help="Whoever opens this link sees your moves a second later. They only look on, and can change nothing of yours.",
        ))  # fmt: skip
        link = _link(page, hide)
        st.image(_code(link), width=220, caption="The link as a QR code")
        st.code(link, language=None, wrap_lines=True)


def follow(page: str) -> None:
    """In a tab that follows: go where the lecturer goes."""
    if not session.get("follow") or session.leads():
        return
    if st.session_state.get(_GOES) == page:
        del st.session_state[_GOES]
    if _GOES in st.session_state:
        _turn()
    st.fragment(_beside, run_every=1.0)(page)


def _beside(page: str) -> None:
    found = following.view(session.get("follow"))
    if found is None or found.stamp == st.session_state.get(_SEEN):
        return
    st.session_state[_SEEN] = found.stamp
    own = {name: session.get(name) for name in ("present", "hide", "follow", "guesses")}  # a guess stays one's own
    session.put(**(from_url(dict(found.query))[0] | own))
    if found.page != page and found.page in navigation.PAGES:
        st.session_state[_GOES] = found.page
    st.rerun()


def _turn() -> NoReturn:
    """Go where the lecturer has gone, as soon as the browser has stopped the clock that `_beside` runs by.

    A tick of that clock after the new page would be answered in the old one's name, and Streamlit would empty the page.
    """
    if heard("ked.follows.ready", str(st.session_state[_SEEN])):
        navigation.go(st.session_state[_GOES])
    st.stop()


@functools.lru_cache(maxsize=64)
def _code(link: str) -> str:
    """The QR code of a link, the same for all who look at this view."""
    return segno.make(link, error="m").svg_data_uri(scale=4, border=2)


def _link(page: str, hide: list[str]) -> str:
    """The address of this view with what the menu adds, as the browser knows this server."""
    here = (st.context.url or "").split("?")[0]
    added = {"hide": ",".join(hide)} if hide else {}
    if session.leads():
        added["follow"] = session.leads()
    base = here if here.rstrip("/").endswith(f"/{page}") else f"{here.rstrip('/')}/{page}"
    return f"{base}?{urlencode(session.address() | added)}"
