"""What a result means, in the same place and form on every page: sentences below it, and the study that says more."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer import navigation
from explorer.state import session
from explorer.state.settings import SETTINGS
from ked.studies.report import Report


def what_it_means(
    said: Sequence[str], study: Report | None = None, *, more: tuple[str, str] = ("studies", "See what several teachers say")
) -> None:
    """The sentences (Markdown) as a list, and a link to a page that says `more`: to the study that they name, where there is one."""
    st.subheader("What it means", anchor=False)
    st.markdown("\n".join(f"- {sentence}" for sentence in said if sentence))
    asked = {"study": study.study.name, "study_scale": study.settings.scale} if study else {}
    navigation.link(*more, session.address() | {SETTINGS[name].key: asked[name] for name in asked})
