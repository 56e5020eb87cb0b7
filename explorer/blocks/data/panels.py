"""The blocks of the data page: what a data set is, how its classes are shared out, some samples, and what to mind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
import torch

from explorer import cache, navigation
from explorer.blocks import choose, frame, nothing_yet
from explorer.components.plot import plot
from explorer.components.table import table
from explorer.pictures import data_charts, gallery, theme
from explorer.state import session
from explorer.state.adapt_to_data import fitting
from explorer.state.settings import SETTINGS
from explorer.words import data as data_words
from ked.data import PARTS, Dataset
from ked.data.checkup import Checkup
from ked.errors import Unavailable
from ked.store import Run

COLUMNS, CLASSES, ROWS = 6, 10, 6  # of the strips: samples a row, rows of all classes, rows of one
_ROWS, _FEATURES = 12, 60  # of a table's first rows


def follow() -> None:
    """After another data set was chosen: all its classes, and its run."""
    session.put(kind=-1)
    frame.follow_dataset()


def opened(name: str) -> Dataset | None:
    """The data set, or None and the sentence that says which file goes where."""
    try:
        return cache.dataset(name, *cache.asked(name))
    except Unavailable as error:
        st.info(str(error), icon=":material/folder_off:")
        return None


def checked(name: str) -> Checkup:
    """What is to be known about the data before training on them."""
    return cache.checkup(name, *cache.asked(name))


def next_steps(data: Dataset, run: Run | None) -> None:
    """Buttons to the other pages, with this data set."""
    told = "Opens the Train page with settings that suit these data."
    if st.button("Train on it", icon=":material/play_circle:", type="primary", key="train", help=told):
        session.put(**({} if run else fitting(session.values(), data.shape, data.group_count)))
        navigation.go("train")
    if run and st.button("Its superfeatures", icon=":material/hub:", help="Opens the Superfeatures page with its run."):
        navigation.go("superfeatures")


def headline(name: str, data: Dataset, found: Checkup) -> None:
    """Where it comes from, and how much of everything there is."""
    st.caption(data_words.origin(name))
    if told := data_words.taken(data):
        st.caption(" ".join(told))
    layout = " × ".join(map(str, data.shape))
    cells = st.container(horizontal=True, gap="medium")
    cells.metric("Samples", f"{len(data.x):,}".replace(",", " "), width="content")
    cells.metric("Pixels" if data.is_image else "Features", layout, width="content")
    cells.metric("Classes", data.class_count, width="content")
    for part, counts in zip(PARTS, found.counts.sum(1).tolist(), strict=True):
        cells.metric(part.capitalize(), f"{counts:,}".replace(",", " "), width="content", help=_USE[part])


def recorded(data: Dataset) -> None:
    """Samples that came with a recorded run: what they are, and where they are looked at."""
    st.info(
        f"These {len(data.x)} samples of {data.class_count} classes were recorded with a run. What its nets learnt from was not kept, so "
        "there is nothing to train on here.",
        icon=":material/inventory_2:",
    )  # fmt: skip
    navigation.link("explain", "See what the nets said about them")


_USE = {
    "train": "What nets learn from.",
    "validation": "What is watched while a net trains.",
    "test": "Used once, at the end of a run.",
}


def balance(data: Dataset, found: Checkup) -> None:
    """How many samples each class has in each split; a click on a class shows its samples."""
    st.subheader("Class balance", anchor=False)
    figure = data_charts.class_balance(found.counts.numpy(), data.classes, selected=_kind(data))
    alt = f"Samples of each of {data.class_count} classes in the train, validation and test split."
    if click := plot(figure, "balance", alt=alt):
        c = round(click["y"])
        session.put(kind=-1 if c == _kind(data) else c)
        st.rerun()
    with st.expander("As a table", icon=":material/table_rows:"):
        table(pd.DataFrame({"class": data.classes} | dict(zip(PARTS, found.counts.numpy(), strict=True))), "balance-table")


def checks(data: Dataset, found: Checkup) -> None:
    """What to know before training, one line a check."""
    st.subheader("Checks", anchor=False)
    for well, sentence in data_words.remarks(data, found):
        st.markdown(f":material/{'check_circle' if well else 'warning'}:&ensp;{sentence}")


def samples(data: Dataset, found: Checkup) -> None:
    """Some training samples: pictures in strips, tables as their first rows and what each feature is like."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader("Training samples", anchor=False, width="content")
        _choose_kind(data)
    if data.is_image:
        _strips(data)
    else:
        _rows(data)
        _features(data, found)


def _kind(data: Dataset) -> int | None:
    c = session.get("kind")
    return c if 0 <= c < data.class_count else None


def _choose_kind(data: Dataset) -> None:
    c = _kind(data)
    st.session_state["widget.kind"] = -1 if c is None else c
    st.selectbox(
        SETTINGS["kind"].label, range(-1, data.class_count), key="widget.kind", width=200, help=SETTINGS["kind"].help,
        format_func=lambda c: "all classes" if c < 0 else data.classes[c],
        on_change=lambda: session.put(kind=st.session_state["widget.kind"]),
    )  # fmt: skip


def _shown(data: Dataset, each: int, of_class: int) -> np.ndarray:
    """The first `each` training samples of every class, or `of_class` of the chosen one, as rows of x."""
    y, c = data.part("train")[1], _kind(data)
    kinds, count = (range(min(CLASSES, data.class_count)), each) if c is None else ((c,), of_class)
    return np.concatenate([data.train[y == kind][:count].numpy() for kind in kinds])


def _strips(data: Dataset) -> None:
    c, rows = _kind(data), _shown(data, COLUMNS, COLUMNS * ROWS)
    kinds = data.y.numpy()[rows]
    # Every class has a row of its own, also one with fewer samples than columns.
    images = np.full((0, data.feature_count), np.nan, np.float32)
    captions: list[str] = []
    for kind in dict.fromkeys(kinds.tolist()):
        of_kind = data.x[torch.from_numpy(rows[kinds == kind])].numpy()
        empty = -len(of_kind) % COLUMNS
        images = np.concatenate([images, of_kind, np.full((empty, data.feature_count), np.nan, np.float32)])
        captions += [theme.plain(data.classes[kind], 14)] * len(of_kind) + [""] * empty
    alt = f"{len(rows)} training samples of {data.class_count if c is None else 1} classes."
    figure = gallery.strip(images, data.shape, captions, columns=COLUMNS)
    plot(figure, "samples", alt=alt, select=())
    if c is None and data.class_count > CLASSES:
        st.caption(f"The first {CLASSES} of {data.class_count} classes; choose another one above or click it in the chart.")


def _rows(data: Dataset) -> None:
    rows = _shown(data, -(-_ROWS // min(CLASSES, data.class_count)), _ROWS)[:_ROWS]
    values = data_words.rows(data, rows, _FEATURES)
    values.insert(0, "class", [data.classes[c] for c in data.y.numpy()[rows]], allow_duplicates=True)
    table(values, "rows", height=_fitting_height(len(values), 250))


def answers(data: Dataset, run: Run | None) -> None:
    """Of a table with a finished run: test samples with what its nets answer; one that is marked is a click from being explained."""
    if data.is_image or run is None or not nothing_yet.ready(run) or cache.recorded(run):
        return
    st.subheader("Test samples and what nets answer", anchor=False)
    choose.sample(run)
    navigation.link("explain", f"Explain test sample {min(session.get('sample'), len(data.test) - 1)}")


def _features(data: Dataset, found: Checkup) -> None:
    """Each feature over the training samples, the most telling ones first."""
    x = data.original(data.train).numpy()
    summary = {
        "feature": data.features, "tells the class": found.ratios.numpy(),
        "mean": x.mean(0), "deviation": x.std(0), "least": x.min(0), "most": x.max(0),
    }  # fmt: skip
    st.subheader("Features", anchor=False)
    ratio = st.column_config.ProgressColumn(
        format="%.2f", min_value=0.0, max_value=1.0,
        help="Correlation ratio: how much of the feature's spread lies between the classes, 0 to 1.",
    )  # fmt: skip
    numbers = {name: st.column_config.NumberColumn(format="%.4g") for name in ("mean", "deviation", "least", "most")}
    listed = pd.DataFrame(summary).sort_values("tells the class", ascending=False, kind="stable")
    table(listed, "features", height=_fitting_height(len(listed), 320), columns={"tells the class": ratio, **numbers})
    if data.units is not None:
        st.caption("In the source's own units; nets see every feature minus its mean, divided by its standard deviation.")


def _fitting_height(rows: int, most: int) -> int:
    return min(most, 35 * (rows + 1) + 3)  # Streamlit's height of a row, and the frame
