"""A picture of the visitor's own on the explain page: drawn or uploaded, and explained while it is drawn."""

from __future__ import annotations

import streamlit as st

from explorer import cache
from explorer.blocks import controls, explained_sample, frame, nothing_yet, sheets
from explorer.blocks.explain import maps, pictures, questions
from explorer.components.draw import Sheet
from explorer.state import session
from ked.data import Dataset
from ked.data.drawing import BYTES, as_sample, read_picture, refusal, sheet
from ked.store import Run, load_run


def explain(run: Run) -> None:
    """The sheet, and what the nets say of what is on it; a stroke runs this block alone."""
    if cache.recorded(run):
        nothing_yet.not_kept()
        return
    dataset = cache.dataset_of(run)
    if reason := refusal(dataset):
        st.info(f"Nothing can be drawn here: {reason}", icon=":material/draw:")
        return
    st.fragment(_guarded)(run.id)


def _guarded(run_id: str) -> None:
    """A run of the fragment is outside the page's own guard, so it has one of its own."""
    with frame.sentences():
        _panel(load_run(run_id))


def _panel(run: Run) -> None:
    dataset = cache.dataset_of(run)
    paper, said = st.columns([1, 2], gap="medium")
    with paper:
        drawing = sheets.draw_on(dataset)
        _upload(dataset)
    if not drawing.pixels.any():
        said.markdown(_EMPTY)
        said.caption(_FITTED)
        return
    about = explained_sample.about(run, as_sample(drawing.figure, dataset).numpy())
    with said, st.container(key="pictures"):
        (maps if cache.convolutional(run) else pictures).pictures(about)
    questions.in_words(about)
    questions.questions(about)
    st.caption(_FITTED)
    pictures.pair_grids(about)
    pictures.bars(about)


def _upload(dataset: Dataset) -> None:
    """A picture from a file, which goes onto the sheet."""
    with st.popover("Take a picture from a file", icon=":material/upload:", help="It goes onto the sheet, where you can go on drawing."):
        controls.segments("ground", then=lambda: _take(dataset))
        st.file_uploader(
            f"PNG or JPEG, at most {BYTES >> 20} MB", type=["png", "jpg", "jpeg"], key="widget.picture", max_upload_size=BYTES >> 20,
            on_change=lambda: _take(dataset), help="One object on a plain background works best.",
        )  # fmt: skip


def _take(dataset: Dataset) -> None:
    """Put the uploaded picture onto the sheet."""
    file = st.session_state.get("widget.picture")
    if file is None:
        return
    with frame.toasts():
        figure = read_picture(file.getvalue(), sheet(dataset), session.get("ground"))
        sheets.keep(Sheet((255 * figure).round().astype("uint8"), sheets.sheet_of(dataset).version + 1))


_EMPTY = "### Draw something here\n\nWith every stroke the nets say what they see, and why."
_FITTED = (
    "What you draw is cut out, scaled and centred as the makers of the data did, and so is an uploaded picture; what the nets "
    "see is shown below. Your picture stays in this browser tab and is not part of the address."
)
