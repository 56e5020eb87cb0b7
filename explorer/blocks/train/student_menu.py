"""Which students are trained: the usual four in view, the others by what they are for, one click away."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from explorer.blocks import controls
from explorer.state import session, settings
from ked.methods import METHODS, Method

USUAL = ("plain", "kd", "ked", "architecture")

# What a group is called -> what it is for.
GROUPS: dict[str, str] = {
    "Controls": "Each takes one part of KED away, or replaces it, to show what that part is good for.",
    "Train further": "A finished student trains further: on chimeras, each put together from superfeatures of several samples, or "
    "for as many steps on real samples.",
    "Hints": "The student's last feature maps are compared with the teacher's, in three published ways.",
}


def group(method: Method) -> str:
    """The group of a student that is none of the usual ones."""
    return "Hints" if method.hint else "Train further" if method.further else "Controls"


def choose() -> None:
    """Pills for the usual students and for whoever else is chosen; the others wait behind a button."""
    allowed = settings.allowed_methods(session.get("net"), str(session.get("dataset")))
    chosen = tuple(name for name in session.get("methods") if name in allowed) or ("plain",)
    if chosen != tuple(session.get("methods")):
        session.put(methods=chosen)
    shown = [name for name in allowed if name in USUAL or name in chosen]
    about, more = settings.SETTINGS["methods"], [name for name in allowed if name not in USUAL]
    with st.container(horizontal=True, vertical_alignment="bottom", key="students"):
        told = f"{about.help} {_described(shown)}"
        controls.some("methods", shown, part="shown", label=about.label, help=told, width="content")
        told = "Controls that take something away, students that train further, and hints."
        with st.popover("More students", icon=":material/add:", width="content", help=told):
            for title, purpose in GROUPS.items():
                names = [name for name in more if group(METHODS[name]) == title]
                if names:
                    controls.some("methods", names, part=title, label=title, help=_described(names))
                    st.caption(purpose)


def _described(names: Iterable[str]) -> str:
    return "".join(f"\n\n**{METHODS[name].label}**: {METHODS[name].description}" for name in names)
