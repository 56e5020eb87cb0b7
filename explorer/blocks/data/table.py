"""What would be done with the columns of a table that a visitor brings, and the switches that overrule it, before anything is kept."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.typing import UploadedFile

from explorer import cache
from explorer.components.table import table
from explorer.words import data as data_words
from ked.data.columns import EVERYTHING, Asked, Intake


def ask(file: UploadedFile, content: memoryview, key: str) -> Asked | None:
    """How the table is to be taken; None until the column with the class is chosen.

    key: tells this upload's widgets from those of others.
    """
    names, guess = cache.columns(file.file_id, file.name, content)
    label = st.selectbox(
        "Column with the class", names, index=None if guess is None else names.index(guess), key=f"column.{key}", width=260,
        placeholder="Choose a column", help="Words or whole numbers; the other columns become features.",
    )  # fmt: skip
    if label is None:
        st.caption("No column looks like classes: choose the one that holds them.")
        return None
    asked = _overruled(cache.intake(file.file_id, file.name, Asked(label), content), label, f"{key}.{names.index(label)}")
    report = cache.intake(file.file_id, file.name, asked, content)
    done, *remarks = data_words.intake(report)
    st.markdown(f"**{done}**")
    st.caption(" ".join(remarks))
    if not report.pictures:
        table(pd.DataFrame(data_words.columns(report)), f"columns.{key}", height="content" if len(names) < _SHORT else 320)
    return asked


_SHORT = 10  # rows of a table that is shown whole


def _overruled(found: Intake, label: str, key: str) -> Asked:
    """The switches: columns to leave out, and to use all the same."""
    if found.pictures:
        told = "Takes each pixel as a measurement of its own, without its place in a picture."
        plain = st.toggle("Take it as a table, not as pictures", key=f"plain.{key}", help=told)
        return Asked(label, (), (EVERYTHING,) if plain else ())
    used, left_out = [column.name for column in found.columns], [one.name for one in found.left_out]
    with st.container(horizontal=True):
        drop = st.multiselect(
            "Leave out", used, key=f"drop.{key}", placeholder="None", width=320,
            help="Columns that nets should not learn from, such as what is not known in advance.",
        )  # fmt: skip
        keep = st.multiselect(
            "Use anyway", left_out, key=f"keep.{key}", placeholder="None", width=320, disabled=not left_out,
            help="Columns that would be left out, such as an id or a row number.",
        )  # fmt: skip
    return Asked(label, tuple(drop), tuple(keep))
