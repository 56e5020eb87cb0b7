"""Data that visitors bring and take away: the upload, which every page can then choose, and the deletion."""

from __future__ import annotations

from dataclasses import asdict

import streamlit as st
from streamlit.typing import UploadedFile

from explorer import cache
from explorer.blocks import frame
from explorer.blocks.data import table
from explorer.state import session, visitor
from explorer.state.settings import SETTINGS
from ked.data import limits, own, user_files
from ked.data.columns import Asked
from ked.data.progress import listening
from ked.shares import in_percent

MEGABYTES = limits.FILE_BYTES >> 20  # of one upload, which the server holds in memory, as the command line allows them
ENDINGS = [".csv", ".tsv", ".tab", ".txt", ".dat", ".data", ".gz", ".parquet", ".xlsx", ".npz", ".zip"]
_COUNT = "ked.uploads"


def bring() -> None:
    """Take a file, ask for the column with the class, and choose the data everywhere once they have passed all checks."""
    count = st.session_state.setdefault(_COUNT, 0)  # a new number empties the widget and closes the box
    with st.expander("Bring your own data", icon=":material/upload_file:", key=f"bring.{count}"):
        st.markdown(
            "**A table**: CSV and the like, Excel or Parquet, one of whose columns is the class. **Arrays**: NPZ with `x` and `y`, or "
            "`x_train`, `y_train`, `x_test`, `y_test`. **Pictures**: a zip with a folder for each class; `train` and `test` above are kept."
        )
        file = st.file_uploader("Your file", type=ENDINGS, max_upload_size=MEGABYTES, key=f"upload.{count}", help=_CHECKED)
        st.caption("The file stays on this server until it is deleted on this page; whoever can open this app can see it.")
        if file is not None:
            with frame.sentences():
                _take(file, count)


_CHECKED = "Nothing is kept until every sample has passed all checks; if something is wrong, a sentence says what."


_WAIT = "Checking every sample …"


def _take(file: UploadedFile, count: int) -> None:
    content, asked = file.getbuffer(), Asked()
    if own.is_table(file.name):
        chosen = table.ask(file, content, f"{count}")
        if chosen is None:
            return
        asked = chosen
    about = "Checks every sample, keeps the file, and shows the data on all pages."
    if st.button("Use these data", type="primary", icon=":material/check:", key="use", help=about):
        bar = st.progress(0.0, _WAIT)

        def told(share: float) -> None:
            bar.progress(share, f"{_WAIT} {in_percent(share)}")

        with listening(told):
            name = user_files.add(file.name, content, asked.label, visitor=visitor.name(), drop=asked.drop, keep=asked.keep)
        st.session_state[_COUNT] = count + 1
        _choose(name)


def delete(name: str) -> None:
    """Ask, then delete own data and show what a first visitor sees."""
    if not visitor.may_change(asdict(user_files.entry(name))):
        st.caption("Somebody else uploaded these data: only they can delete them.", width="content")
        return
    with st.popover("Delete", icon=":material/delete:", help="Deletes these data from this server, after asking."):
        runs = sum(cache.recipe(run).dataset == name for run in cache.list_runs() if cache.is_sound(run))
        stay = f" {runs} run{'s' * (runs > 1)} trained on them will stay, but cannot be shown without them." if runs else ""
        st.markdown(f"Delete **{user_files.entry(name).file}** from this server?{stay}")
        if st.button("Delete for good", icon=":material/delete_forever:", key="delete", help="This cannot be undone."):
            user_files.forget(name)
            cache.dataset.clear(name)
            _choose(SETTINGS["dataset"].default)


def _choose(name: str) -> None:
    session.put(dataset=name, kind=-1)
    frame.follow_dataset()
    st.rerun()
