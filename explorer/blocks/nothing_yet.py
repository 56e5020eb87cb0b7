"""What a page says in place of its figures: there is no run, or it has not got that far."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer import cache, navigation
from explorer.blocks import frame
from explorer.state import session
from ked.nets.weights import NOT_KEPT
from ked.store import Run


class Place:
    """A place whose content takes its time: what is computed for it stands there until it comes, and as high as it.

    Only on a page that was just opened: later what stood there stays until the new content comes, and nothing moves.
    """

    def __init__(self, name: str, height: Callable[[], int] | None = None) -> None:
        """`height`: in pixels, asked for where the words need it."""
        self._name, self._height, self._spot = name, height, st.empty()

    def say(self, words: str) -> None:
        """What is computed, and how far that is."""
        if self._name not in session.standing():
            (self._spot.container(height=self._height(), border=False) if self._height else self._spot).caption(words)

    def content(self) -> DeltaGenerator:
        """Where the content goes, now that it is there."""
        session.standing().add(self._name)
        return self._spot.container()

    def clear(self) -> None:
        """Nothing more is to be said here: the content stands elsewhere."""
        session.standing().add(self._name)
        self._spot.empty()


def ready(run: Run | None) -> bool:
    """Whether there is a run that explains itself and has come to its end."""
    return run is not None and run.has("explaining") and cache.status(run) not in ("queued", "running")


def not_there_yet(run: Run) -> None:
    """A run without an explaining teacher (yet)."""
    if cache.status(run) in ("queued", "running"):
        st.info("This run is still training; its explanations appear when it is done.", icon=":material/hourglass_top:")
    elif was_removed(run, "explaining"):
        say_removed("explaining.safetensors")
    else:
        st.info(
            "This run has no explaining teacher: none of its methods needed one, or it ended too early.",
            icon=":material/info:",
        )
    navigation.link("train", "Go to its training")


def was_removed(run: Run, stage: str) -> bool:
    """Whether the run had come to the end of a stage whose file is not there."""
    return stage in cache.facts(run).get("stages", {}) and not run.has(stage)


def say_removed(file: str) -> None:
    """Of a file that was there once."""
    st.warning(
        f"The file {file} of this run was written and has been removed since; train the same settings again to get it back.",
        icon=":material/link_off:",
    )  # fmt: skip


def not_kept() -> None:
    """What a recorded run cannot show, as nets would have to be asked."""
    st.info(NOT_KEPT, icon=":material/inventory_2:")


def no_run_yet() -> None:
    """A data set without any stored run."""
    st.info(f"No teacher has been trained on {frame.title_of(session.get('dataset'))} yet.", icon=":material/school:")
    navigation.link("train", "Train one")


def nothing_recorded() -> None:
    """A recorded run of whose nets nothing was recorded for this sample and class."""
    st.info(
        "No attributions were recorded for this sample and class. `ked.record(..., attributions=20)` records them for the first 20 "
        "samples, for the class that the explaining teacher names.",
        icon=":material/inventory_2:",
    )  # fmt: skip


def nothing_to_ask() -> None:
    """A run that ended before any teacher was there."""
    st.info("This run has no finished teacher, so there is no net to explain.", icon=":material/info:")
    navigation.link("train", "Go to its training")
