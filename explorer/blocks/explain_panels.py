"""The blocks of the explain page: the strip of samples, the overlays on one scale, the bars that add up, the coalition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import streamlit as st
import torch

from explorer import cache, state, words
from explorer.blocks import controls
from explorer.components.plot import plot
from explorer.pictures import bars as bar_charts
from explorer.pictures import gallery, overlays
from explorer.results import LABELS
from ked.data import Dataset
from ked.explanation import centre, coalition, contributions
from ked.methods import METHODS
from ked.store import Run

COLUMNS, ROWS = 10, 2  # of the strip


@dataclass(frozen=True)
class Voice:
    """A net's own explanation of the sample: log y_m (M, C), base (C,), contributions centred over the classes (M, C)."""

    name: str
    log_y: np.ndarray
    base: np.ndarray
    phi: np.ndarray

    def prediction(self, members: list[bool]) -> np.ndarray:
        """Class log-probabilities (C,) of a coalition."""
        log_y, base = torch.from_numpy(self.log_y)[:, None], torch.from_numpy(self.base)
        return coalition(log_y, base, members)[0].numpy()


@dataclass(frozen=True)
class Subject:
    """What the page is about: a test sample, the class in question, and the nets that speak about it."""

    run: Run
    dataset: Dataset
    sample: int
    image: np.ndarray
    truth: int
    label: int
    members: list[bool]
    teacher: Voice
    student: Voice | None
    black_boxes: dict[str, np.ndarray]

    def members_of(self, voice: Voice) -> list[bool]:
        """The switches of a net's superfeatures; a student with others than its teacher has none, so all of its are on."""
        return self.members if len(voice.phi) == len(self.members) else [True] * len(voice.phi)

    def groups_of(self, voice: Voice) -> tuple[tuple[int, ...], ...]:
        """The features of each of a net's superfeatures."""
        return self.run.superfeatures("teacher" if voice is self.teacher else "student").groups


def choose_student(run: Run) -> None:
    """Which student, and which of its seeds."""
    recipe = cache.facts(run)["recipe"]
    controls.choice("student", options=[name for name in recipe["methods"] if run.has(f"student-{name}")], width=220)
    if recipe["seeds"] > 1:
        controls.slider("replica", high=recipe["seeds"] - 1, width=150)
    elif state.get("replica"):
        state.put(replica=0)  # there is nothing to choose, whatever the address says


def choose_sample(run: Run, teacher: str = "explaining") -> None:
    """The strip of test samples, a click away from being explained; filtered by what a teacher and the student answer."""
    dataset = cache.dataset(cache.facts(run)["recipe"]["dataset"])
    x, y = dataset.part("test")
    stamp, k, student = cache.stamp(run), state.get("replica"), state.get("student")
    answers = cache.test_predictions(run.id, stamp, teacher, 0)
    students = cache.test_predictions(run.id, stamp, student, k) if run.has(f"student-{student}") else answers
    offered = gallery.order(state.get("gallery"), answers, students, y.numpy())
    pages = max(1, -(-len(offered) // (COLUMNS * ROWS)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        controls.segments("gallery", then=lambda: state.put(page=1))
        controls.slider("page", high=pages, width=220) if pages > 1 else None
        controls.number("sample", high=len(y) - 1, width=150) if not dataset.is_image else None
        st.caption(f"{len(offered)} of {len(y)} test samples")
    page = min(state.get("page"), pages) - 1
    shown = offered[page * COLUMNS * ROWS : (page + 1) * COLUMNS * ROWS]
    if not len(shown):
        st.info("No test sample is of this kind; choose another filter.", icon=":material/filter_alt_off:")
        return
    if dataset.is_image:
        _strip(dataset, x.numpy()[shown], y.numpy()[shown], shown)
    else:
        st.caption("Test samples " + ", ".join(map(str, shown)))


def _strip(dataset: Dataset, images: np.ndarray, labels: np.ndarray, shown: np.ndarray) -> None:
    here = np.flatnonzero(shown == state.get("sample"))
    captions = [dataset.classes[label] for label in labels]
    figure = gallery.strip(images, dataset.shape, captions, columns=COLUMNS, selected=int(here[0]) if len(here) else None)
    click = plot(figure, "strip", alt=f"{len(shown)} test samples; click one to explain it.")
    if click:
        position = gallery.clicked(click, dataset.shape, COLUMNS)
        if position < len(shown):
            state.put(sample=int(shown[position]), label=-1)
            st.rerun()


def subject(run: Run) -> Subject:
    """Gather what the page is about from the settings."""
    facts, stamp = cache.facts(run), cache.stamp(run)
    recipe = facts["recipe"]
    dataset = cache.dataset(recipe["dataset"])
    x, y = dataset.part("test")
    sample = min(state.get("sample"), len(y) - 1)
    teacher = _voice(run, stamp, "explaining", 0, sample)
    method, k = state.get("student"), state.get("replica")
    speaks = METHODS[method].net == "ked"
    M = len(teacher.phi)
    answer = int(teacher.prediction([True] * M).argmax())
    label = state.get("label") if 0 <= state.get("label") < dataset.class_count else answer
    black_boxes = {"teacher": cache.test_predictions(run.id, stamp, "teacher", 0)[sample]}
    if not speaks:
        black_boxes[method] = cache.test_predictions(run.id, stamp, method, k)[sample]
    return Subject(
        run, dataset, sample, x[sample].numpy(), int(y[sample]), label, _members(M),
        teacher, _voice(run, stamp, method, k, sample) if speaks else None, black_boxes,
    )  # fmt: skip


def _voice(run: Run, stamp: int, which: str, k: int, sample: int) -> Voice:
    log_y, base = cache.explanation(run.id, stamp, which, k, sample)
    phi = centre(contributions(torch.from_numpy(log_y), torch.from_numpy(base))).numpy()
    return Voice(which, log_y, base, phi)


def _members(M: int) -> list[bool]:
    text = state.get("coalition")
    return [digit == "1" for digit in text] if len(text) == M else [True] * M


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


def switches(about: Subject) -> None:
    """M switches: the coalition of superfeatures that may speak."""
    M = len(about.members)
    st.session_state["widget.coalition"] = [m for m in range(M) if about.members[m]]

    def changed() -> None:
        on = st.session_state["widget.coalition"]
        text = "".join("1" if m in on else "0" for m in range(M))
        state.put(coalition="" if all(m in on for m in range(M)) else text)

    st.pills(
        "Superfeatures that take part", range(M), selection_mode="multi", format_func=lambda m: str(m + 1),
        key="widget.coalition", on_change=changed,
        help="Switch one off and see what the nets would say without it. With all off, only the base is left: "
        "the teacher's average answer.",
    )  # fmt: skip


def in_words(about: Subject) -> None:
    """What the numbers below say."""
    classes = about.dataset.classes
    said = [
        words.verdict("explaining teacher", about.teacher.prediction([True] * len(about.teacher.phi)), about.truth, classes),
        words.reasons(about.teacher.phi, about.label, classes),
    ]
    if about.student:
        everyones = about.student.prediction([True] * len(about.student.phi))
        said.append(words.verdict(f"{LABELS[about.student.name]} student", everyones, about.truth, classes))
        said.append(words.comparison(about.teacher.phi, about.student.phi, about.label))
    st.markdown(" ".join(said))


def pictures(about: Subject) -> None:
    """The image, and what teacher and student make of each superfeature, on one scale."""
    voices = [about.teacher, *([about.student] if about.student else [])]
    limit = overlays.shared_limit(*[voice.phi[:, about.label] for voice in voices])
    columns = st.columns(3, gap="medium")
    with columns[0]:
        st.subheader(f"{about.dataset.classes[about.truth]}, test sample {about.sample}", anchor=False)
        figure = overlays.superfeature_mask(
            about.groups_of(about.teacher), about.dataset.shape, image=about.image, names=about.dataset.features, height=330
        )
        plot(figure, "sample", alt="The sample, its pixels in the colours of their superfeatures.", select=())
    for column, voice in zip(columns[1:], voices, strict=False):
        with column:
            st.subheader(f"{_title(voice.name)} on {about.dataset.classes[about.label]}", anchor=False)
            figure = overlays.contributions(
                about.groups_of(voice), voice.phi[:, about.label], about.dataset.shape, about.image,
                limit=limit, names=about.dataset.features, members=about.members_of(voice), height=330,
            )  # fmt: skip
            alt = (
                f"Contribution of each superfeature to {about.dataset.classes[about.label]} according to the {voice.name} net."
            )
            plot(figure, f"overlay-{column_name(voice, about)}", alt=alt, select=())
    if not about.student:
        with columns[2]:
            black_box_student(state.get("student"))


def column_name(voice: Voice, about: Subject) -> str:
    """A constant key for the teacher's and the student's place, whoever stands there."""
    return "teacher" if voice is about.teacher else "student"


def bars(about: Subject) -> None:
    """From base to final log-probability, for teacher and student; and all nets' class probabilities."""
    classes = about.dataset.classes
    voices = [about.teacher, *([about.student] if about.student else [])]
    steps = np.concatenate(
        [bar_charts.waterfall_steps(v.phi, v.base, about.label, about.members_of(v))[0].cumsum() for v in voices]
    )
    low, high = float(steps.min()), max(0.0, float(steps.max()))
    pad = 0.08 * (high - low)
    columns = st.columns(3, gap="medium")
    for column, voice in zip(columns, voices, strict=False):
        with column:
            st.subheader(f"{_title(voice.name)}'s sum", anchor=False)
            figure = bar_charts.waterfall(
                voice.phi, voice.base, about.label,
                classes=classes, members=about.members_of(voice), limits=(low - pad, high + pad),
            )  # fmt: skip
            alt = f"Bars from the base over {len(voice.phi)} contributions to the log-probability of {classes[about.label]}."
            plot(figure, f"waterfall-{column_name(voice, about)}", alt=alt, select=())
    with columns[2]:
        st.subheader("What each net answers", anchor=False)
        said = {voice.name: np.exp(voice.prediction(about.members_of(voice))) for voice in voices}
        said |= {name: np.exp(log_p) for name, log_p in about.black_boxes.items()}
        plot(
            bar_charts.class_probabilities(said, classes, labels=LABELS, truth=about.truth),
            "answers",
            alt="Class probabilities of every net.",
            select=(),
        )
        if not all(about.members):
            st.caption("Explaining nets answer with the switched-on superfeatures only; black boxes always see everything.")
    st.caption(
        "The base is the teacher's average answer, before any superfeature has spoken. Contributions are in nats and centred over the "
        "classes: how much more a superfeature says for this class than for the average class. A shift that all classes share "
        "cannot change a prediction, and the normaliser takes it up."
    )


def _title(name: str) -> str:
    return words.sentence(LABELS[name])


def black_box_student(name: str) -> None:
    """Why there is nothing of this student to see here."""
    st.subheader(f"{_title(name)} does not explain itself", anchor=False)
    st.markdown(
        "This student is a black box: it has no subnets, so it has no contributions of its own. "
        "Choose a student with the KED form to compare explanations."
    )


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
