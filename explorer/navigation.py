"""The pages, in the order of the menu, and the ways to them: no other file says where a page lies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn
from urllib.parse import urlencode

import streamlit as st

from ked.files.shipped import shipped


class Entry(NamedTuple):
    """A page as the menu shows it.

    Attributes:
        title: Its name for people.
        icon: The name of a Material symbol.
    """

    title: str
    icon: str

    @property
    def symbol(self) -> str:
        """The icon as Streamlit writes it."""
        return f":material/{self.icon}:"


PAGES = {
    "overview": Entry("Overview", "home"),
    "lesson": Entry("Lesson", "school"),
    "superfeatures": Entry("Superfeatures", "hub"),
    "train": Entry("Train", "play_circle"),
    "explain": Entry("Explain", "visibility"),
    "attributions": Entry("Attributions", "compare"),
    "agreement": Entry("Agreement", "handshake"),
    "chimeras": Entry("Chimeras", "extension"),
    "studies": Entry("Studies", "science"),
    "data": Entry("Data", "table_view"),
    "runs": Entry("Runs", "inventory_2"),
}
"""A page's name, which is that of its file and of its address -> how the menu shows it. "/" opens the first one."""

_FOLDER = shipped("explorer/app_pages", "pages")
FIRST = next(iter(PAGES))


class _Page(st.Page):
    """A page that opens by its own address, the first one too; Streamlit would serve that at "/" and nowhere else."""

    @property
    def url_path(self) -> str:
        return self._url_path


def file(name: str) -> Path:
    """Where a page's script lies."""
    return _FOLDER / f"{name}.py"


def menu() -> list[st.Page]:
    """All pages, for `st.navigation`."""
    return [_Page(file(name), title=entry.title, icon=entry.symbol, default=name == FIRST) for name, entry in PAGES.items()]


def link(name: str, label: str, query: Mapping[str, str] | None = None) -> None:
    """A link to a page; `query` is what its address is to say, where that is something else than what is chosen here."""
    st.page_link(file(name), label=label, icon=PAGES[name].symbol, query_params=query)


def go(name: str) -> NoReturn:
    """Turn to a page."""
    st.switch_page(file(name))


def address(name: str, query: Mapping[str, str]) -> str:
    """A page's address, seen from any other page: the browser knows what a proxy has put before it."""
    return f"./{name}?{urlencode(query)}"
