"""Buttons that lose no press and double none.

Streamlit's own say no more than "pressed". When the page is busy several presses become one of these; and where a fragment is drawn
again and again, the message that asks for the next time may carry a press along which is then sent once more. Here every press has a
number, and is told again until the server has taken it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import streamlit as st

from explorer.components import script, style

_component = st.components.v2.component(
    "ked_presses",
    js=script("presses"),
    css=style("presses"),
    isolate_styles=False,
)
_MOST = 1000  # presses that a browser may tell at a time: more is no visitor


@dataclass(frozen=True)
class Button:
    """One button: what it does, its label and a sentence of help, the name of its icon, and whether it stands out."""

    do: str
    label: str
    help: str
    icon: str
    primary: bool = False


class Press(NamedTuple):
    """One press: the row of buttons that it was made on, as the browser names it, how many came before there, and what it asks for."""

    row: str
    number: int
    do: str

    @property
    def id(self) -> str:
        """A name that no other press has."""
        return f"{self.row}-{self.number}"


def presses(key: str, buttons: Sequence[Button], act: Callable[[Press], None]) -> None:
    """A row of buttons under a key; `act` is given each press once, in the order in which they were made.

    Another button may come to stand in another one's place: a press means what the visitor saw.
    """

    def take() -> None:
        for press in _new(key):
            st.session_state[_taken(key)] = press
            act(press)

    take()  # of a run of the page that was broken off before it could
    last: Press | None = st.session_state.get(_taken(key))
    data = {"buttons": [asdict(button) for button in buttons], "taken": last._asdict() if last else None}
    _component(key=key, data=data, width="content", on_presses_change=take)


def fresh(told: Any, last: Press | None) -> list[Press]:
    """The presses of a list that come after the last one that was taken; what is none, or came before, is passed over."""
    found: list[Press] = []
    for item in told[-_MOST:] if isinstance(told, list) else []:
        match item:
            case {"row": str(row), "number": int(number), "do": str(do)}:
                before = found[-1] if found else last
                if before is None or before.row != row or before.number < number:
                    found.append(Press(row[:40], number, do))
    return found


def _new(key: str) -> list[Press]:
    state = st.session_state.get(key)
    return fresh(state.get("presses") if state else None, st.session_state.get(_taken(key)))


def _taken(key: str) -> str:
    return f"ked.taken.{key}"
