"""The slider over the ticks of a training: it moves every plot of its group in the browser, without the server.

A component of its own beside `plot.py`: it draws no figure, and a plot needs none of it. They meet in the browser only,
where the scrubber says the group's place (`window.kedScrub`) and plots follow.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.components import script, style
from explorer.state import session
from explorer.state.settings import SETTINGS

_component = st.components.v2.component(
    "ked_scrubber",
    js=script("scrubber"),
    css=style("scrubber"),
    isolate_styles=False,
)


def scrubber(group: str, ticks: Sequence[tuple[str, str]], *, setting: str = "tick") -> str:
    """A slider with a play button over `ticks`, each (name, label), in the order of time; moves the plots of `group`.

    Returns the tick's name that the visitor came to rest on, "" at the newest: there new ticks are followed as they come.
    It is kept in `setting`, and so in the address. With fewer than two ticks nothing is shown.
    """
    key = f"scrubber.{group}"

    def changed() -> None:
        session.put(**{setting: SETTINGS[setting].parse(st.session_state[key]["tick"])})

    declared = SETTINGS[setting]
    data = {
        "group": group,
        "ticks": [{"name": name, "label": label} for name, label in ticks],
        "value": session.get(setting),
        "label": declared.label,
        "help": declared.help,
    }
    _component(key=key, data=data, on_tick_change=changed)
    return str(session.get(setting))
