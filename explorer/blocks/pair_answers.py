"""What each superfeature of a net says of a pair, and what they say together: grids of answers, and the sentences below them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer.blocks.explained_sample import NetExplanation
from explorer.components.plot import plot
from explorer.pictures import answer_grid, theme
from explorer.words import pairs as words
from ked.data.class_pairs import ClassPairs

RUN = "digit-pairs-preset"
"""The run of the overview and of the lesson: pairs of digits, in which everybody sees what superfeatures are."""


def grids(
    voice: NetExplanation,
    pairs: ClassPairs,
    members: Sequence[bool],
    *,
    truth: int | None,
    key: str,
    who: str = "Team",
    height: int = 250,
) -> None:
    """A grid a superfeature in its colour, then that of the coalition in ink; those that are switched off say nothing."""
    columns = st.container(key=f"grids-{key}").columns(len(voice.phi) + 1, gap="small", vertical_alignment="bottom")
    for m, column in enumerate(columns[:-1]):
        with column:
            st.markdown(f"{theme.dot(theme.superfeature_colour(m))} **{who} {m + 1}**{'' if members[m] else ' · off'}")
            p = np.exp(voice.log_y[m]) * members[m]
            figure = answer_grid.answer_grid(p, pairs, colour=theme.superfeature_colour(m), height=height)
            said = words.says("it", p, pairs).replace("**", "")
            plot(figure, f"{key}-{m}", alt=f"Answers of {who.lower()} {m + 1}, one cell per pair: {said}")
    with columns[-1]:
        st.markdown("**Together**")
        p = np.exp(voice.prediction(list(members)))
        plot(
            answer_grid.answer_grid(p, pairs, truth=truth, height=height), f"{key}-sum",
            alt="Answers of all that are on, added up, one cell per pair; the right one is framed.",
        )  # fmt: skip


def sentences(voice: NetExplanation, pairs: ClassPairs, members: Sequence[bool]) -> list[str]:
    """What each superfeature that is on says."""
    return [words.says(f"Team {m + 1}", np.exp(voice.log_y[m]), pairs) for m, on in enumerate(members) if on]
