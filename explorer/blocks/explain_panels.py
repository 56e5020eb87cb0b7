"""What the explain page asks: which student, sample, class and coalition, which superfeature is lit up; and what came out, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import streamlit as st

from explorer import cache, state, words
from explorer.blocks import controls
from explorer.blocks.voices import Subject
from explorer.components.plot import plot
from explorer.pictures import gallery
from explorer.results import LABELS
from explorer.settings import SETTINGS
from ked.data import Dataset
from ked.runs import jobs
from ked.store import Run

COLUMNS, ROWS = 10, 2  # of the strip


def choose_student(run: Run) -> None:
    """Which student, and which of its seeds."""
    recipe = cache.facts(run)["recipe"]
    controls.choice("student", options=[name for name in recipe["methods"] if run.has(f"student-{name}")], width=220)
    if recipe["seeds"] > 1:
        controls.slider("replica", high=recipe["seeds"] - 1, width=150)
    elif state.get("replica"):
        state.put(replica=0)  # there is nothing to choose, whatever the address says


def take(sample: int) -> None:
    """Explain another test sample."""
    state.put(sample=sample, label=-1, against=-1)


def choose_sample(
    run: Run, teacher: str = "explaining", *, taken: Callable[[int], None] = take, entered: Callable[[int], None] = take
) -> None:
    """The strip of test samples, a click away from being explained, or from being `taken` for what else a page does with one.

    It is filtered by what a teacher and the student answer. A number that is `entered` is that of the sample to explain.
    """
    dataset = cache.dataset(cache.facts(run)["recipe"]["dataset"])
    x, y = dataset.part("test")
    stamp, k, student = cache.stamp(run), state.get("replica"), state.get("student")
    answers = cache.test_predictions(run.id, stamp, teacher, 0)
    students = cache.test_predictions(run.id, stamp, student, k) if run.has(f"student-{student}") else answers
    offered = gallery.order(state.get("gallery"), answers, students, y.numpy())
    pages = max(1, -(-len(offered) // (COLUMNS * ROWS)))
    with st.container(horizontal=True, vertical_alignment="bottom", key="choose-sample"):
        controls.segments("gallery", then=lambda: state.put(page=1))
        controls.slider("page", high=pages, width=220) if pages > 1 else None
        controls.number("sample", high=len(y) - 1, width=120, then=lambda: entered(state.get("sample")))
        click = " Click one, or enter its number." if dataset.is_image else ""
        st.caption(f"{len(offered)} of {len(y)} test samples.{click}", width="content")
    page = min(state.get("page"), pages) - 1
    shown = offered[page * COLUMNS * ROWS : (page + 1) * COLUMNS * ROWS]
    if not len(shown):
        st.info("No test sample is of this kind; choose another filter.", icon=":material/filter_alt_off:")
        return
    if dataset.is_image:
        _strip(dataset, x.numpy()[shown], y.numpy()[shown], shown, taken)
    else:
        st.caption("Test samples " + ", ".join(map(str, shown)))


def _strip(
    dataset: Dataset, images: np.ndarray, labels: np.ndarray, shown: np.ndarray, taken: Callable[[int], None]
) -> None:
    here = np.flatnonzero(shown == state.get("sample"))
    captions = [dataset.classes[label] for label in labels]
    figure = gallery.strip(images, dataset.shape, captions, columns=COLUMNS, selected=int(here[0]) if len(here) else None)
    click = plot(figure, "strip", alt=f"{len(shown)} test samples; click one to explain it.")
    if click:
        position = gallery.clicked(click, dataset.shape, COLUMNS)
        if position < len(shown):
            taken(int(shown[position]))
            st.rerun()


class Asked(Protocol):
    """Whatever speaks about one class of a data set."""

    @property
    def dataset(self) -> Dataset: ...

    @property
    def label(self) -> int: ...


def choose_class(about: Asked) -> None:
    """Which class the contributions speak about."""
    classes = about.dataset.classes
    st.session_state["widget.label"] = about.label
    st.selectbox(
        "Class in question", range(len(classes)), format_func=lambda c: classes[c], key="widget.label", width=200,
        on_change=lambda: state.put(label=st.session_state["widget.label"]),
        help="The contributions say how much each superfeature speaks for or against this class.",
    )  # fmt: skip


def questions(about: Subject) -> None:
    """What is asked about the sample: the class, another one to weigh it against, the switches, the lit superfeature."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="questions"):
        choose_class(about)
        choose_contrast(about)
        choose_lit(about)
        switches(about)


def choose_contrast(about: Subject) -> None:
    """Which class it is weighed against, if any."""
    classes, setting = about.dataset.classes, SETTINGS["against"]
    st.session_state["widget.against"] = about.against
    st.selectbox(
        setting.label, [-1, *(c for c in range(len(classes)) if c != about.label)], key="widget.against", width=200,
        format_func=lambda c: classes[c] if c >= 0 else "no other class", help=setting.help,
        on_change=lambda: state.put(against=st.session_state["widget.against"]),
    )  # fmt: skip


def choose_lit(about: Subject) -> None:
    """Which superfeature is lit up on every picture; clicks on the pictures do the same."""
    setting = SETTINGS["selected"]
    st.session_state["widget.selected"] = 0 if about.selected is None else about.selected + 1
    st.selectbox(
        "Lit up", range(len(about.members) + 1), key="widget.selected", width=110,
        format_func=lambda m: str(m) if m else "none", help=setting.help,
        on_change=lambda: state.put(selected=st.session_state["widget.selected"]),
    )  # fmt: skip


def switches(about: Subject) -> None:
    """M switches: the coalition of superfeatures that may speak."""
    M = len(about.members)
    st.session_state["widget.coalition"] = [m for m in range(M) if about.members[m]]

    def changed() -> None:
        on = st.session_state["widget.coalition"]
        text = "".join("1" if m in on else "0" for m in range(M))
        state.put(coalition="" if all(m in on for m in range(M)) else text)

    st.pills(
        "Superfeatures that take part", range(M), selection_mode="multi",
        format_func=lambda m: f"◉ {m + 1}" if m == about.selected else str(m + 1),
        key="widget.coalition", on_change=changed,
        help="Switch one off and see what the nets would say without it. With all off, only the base is left: "
        "the teacher's average answer. ◉ marks the one that is lit up.",
    )  # fmt: skip


def in_words(about: Subject) -> None:
    """What the numbers below say."""
    classes = about.dataset.classes
    said = [
        words.verdict("explaining teacher", about.teacher.prediction(), about.truth, classes),
        words.reasons(about.evidence(about.teacher), about.question),
    ]
    if about.student:
        said.append(words.verdict(f"{LABELS[about.student.name]} student", about.student.prediction(), about.truth, classes))
        said.append(words.comparison(*map(about.evidence, about.voices)))
    if about.selected is not None:
        said.append(words.lit(about.selected, [about.evidence(voice) for voice in about.voices], about.question))
    st.markdown(" ".join(said))


def next_step(run: Run) -> None:
    """Where to go on with this sample."""
    if not cache.convolutional(run):
        st.page_link("app_pages/chimeras.py", label="What if a superfeature were another sample's?", icon=":material/extension:")


def ready(run: Run | None) -> bool:
    """Whether there is a run that explains itself and has come to its end."""
    return run is not None and run.has("explaining") and jobs.status(run) not in ("queued", "running")


def not_there_yet(status: str) -> None:
    """A run without an explaining teacher (yet)."""
    if status in ("queued", "running"):
        st.info("This run is still training; its explanations appear when it is done.", icon=":material/hourglass_top:")
    else:
        st.info(
            "This run has no explaining teacher: none of its methods needed one, or it ended too early.",
            icon=":material/info:",
        )
    st.page_link("app_pages/train.py", label="Go to its training", icon=":material/play_circle:")
