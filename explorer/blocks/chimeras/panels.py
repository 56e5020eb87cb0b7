"""The blocks of the chimeras page: a donor for each superfeature, the picture that comes of it, and what every net says about it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st
import torch

from explorer import cache
from explorer.blocks import frame
from explorer.blocks.chimeras.view import View, drawn, put
from explorer.blocks.choose import light_up
from explorer.components.plot import plot
from explorer.components.table import table
from explorer.pictures import bars, chimeras, overlays, theme
from explorer.state import session
from explorer.words import chimeras as chimera_words
from explorer.words import explain
from explorer.words.inert import inert
from explorer.words.results import LABELS
from ked.shares import in_percent
from ked.store import Run
from ked.what_if import BLUR, MEAN, SELF, Donor, moved

_ANOTHER = "another"
_SURPRISES = "ked.surprises"  # how many this visitor has had
_SILENT = "A black box has no contributions: anything it sees may change anything it says. Choose a KED student to compare."
_OTHER = "Its superfeatures are not its teacher's, so a replaced part may lie in several of them: they are not compared."


def strip_gives(view: View) -> Callable[[int], None]:
    """What a click in the strip of samples does: the sample that is lit up, or the sample itself."""
    M, m = len(view.groups), view.selected
    st.session_state["widget.fills"] = 0 if m is None else m + 1
    st.segmented_control(
        "A click on a sample below replaces", range(M + 1), key="widget.fills", required=True,
        format_func=lambda slot: f"superfeature {slot}" if slot else "the sample itself",
        help="The sample into which parts are put, or one superfeature, whose donor the clicked sample becomes.",
        on_change=lambda: session.put(selected=st.session_state["widget.fills"]),
    )  # fmt: skip

    def taken(sample: int) -> None:
        if m is None:
            becomes_the_sample(view, sample)
        else:
            put([sample if slot == m else donor for slot, donor in enumerate(view.donors)])

    return taken


def becomes_the_sample(view: View, sample: int) -> None:
    """Put the same donors into another sample."""
    session.put(sample=sample, label=-1, against=-1, donors=",".join(map(str, view.donors)))


def slots(view: View) -> None:
    """A donor for each superfeature, and the buttons that choose them all."""
    with st.container(horizontal=True, vertical_alignment="top", key="slots"):
        for m in range(len(view.groups)):
            with st.container(width=170):  # two side by side on a telephone
                _slot(view, m)
    with st.container(horizontal=True):
        told = "Takes each superfeature from a random test sample. Everybody gets the same series of draws."
        if st.button("Surprise me", icon=":material/casino:", help=told):
            number = st.session_state[_SURPRISES] = st.session_state.get(_SURPRISES, 0) + 1
            put([*drawn(len(view.dataset.part("test")[1]), len(view.groups), number)])
            st.rerun()
        back = "Removes every donor: the chimera is the sample again."
        if st.button("All from the sample itself", icon=":material/restart_alt:", type="tertiary", disabled=not any(view.new), help=back):
            put([SELF] * len(view.groups))
            st.rerun()


def _slot(view: View, m: int) -> None:
    donor, count = view.donors[m], len(view.dataset.part("test")[1])
    what, size = "pixel" if view.dataset.is_image else "feature", len(view.groups[m])
    dot = theme.dot(theme.superfeature_colour(m))
    key, numbered = f"widget.donor.{m}", f"widget.donor.{m}.sample"
    options = {SELF: "the sample itself", _ANOTHER: "another test sample", MEAN: "the training mean", BLUR: "the sample, blurred"}
    st.session_state[key] = _ANOTHER if isinstance(donor, int) else donor

    def give(new: Donor) -> None:
        put([new if slot == m else old for slot, old in enumerate(view.donors)])

    def chosen() -> None:
        name = st.session_state[key]
        give(drawn(count, len(view.donors), 0)[m] if name == _ANOTHER else name)

    st.selectbox(
        f"{dot} Donor of **{m + 1}**", [name for name in options if name != BLUR or view.dataset.is_image], key=key,
        format_func=options.__getitem__, on_change=chosen,
        help=f"Where the content of superfeature {m + 1}, {size} {what}{'s' if size > 1 else ''}, comes from.",
    )  # fmt: skip
    if isinstance(donor, int):
        st.session_state[numbered] = donor
        st.number_input(
            f"Sample for **{m + 1}**", 0, count - 1, key=numbered, help=f"The number of a test sample, up to {count - 1}.",
            on_change=lambda: give(st.session_state[numbered]),
        )  # fmt: skip


def in_words(view: View) -> None:
    """What the numbers below say."""
    classes, y = view.dataset.classes, view.dataset.part("test")[1]
    titles = [inert(classes[int(y[donor])]) if isinstance(donor, int) else "" for donor in view.donors]
    said = [chimera_words.composed(view.donors, view.new, view.sample, titles)]
    if any(view.new):
        nets = {"explaining teacher": "explaining", "black-box teacher": "teacher"}
        nets[f"{LABELS[session.get('student')]} student"] = session.get("student")
        said += [chimera_words.movement(net, view.answers[name][0], view.answers[name][1], classes) for net, name in nets.items()]
        before, after = (voice.phi[:, view.label] for voice in view.teacher)
        said.append(chimera_words.cause(before, after, view.new, inert(classes[view.label])))
    st.markdown(" ".join(said))


def pictures(view: View) -> None:
    """The sample, the chimera, and what the nets make of both."""
    if not view.dataset.is_image:
        left, right = st.columns([3, 2], gap="large")
        with left:
            _features(view)
        with right:
            _answers(view)
        return
    columns = st.columns([4, 4, 6], gap="medium")
    truth = view.dataset.classes[int(view.dataset.part("test")[1][view.sample])]
    with columns[0]:
        st.subheader(f"{inert(truth)}, test sample {view.sample}", anchor=False)
        _parts(view, view.pair[0], "original", [str(m + 1) for m in range(len(view.groups))], (False,) * len(view.groups))
    with columns[1]:
        st.subheader("The chimera", anchor=False)
        _parts(view, view.pair[1], "chimera", view.names, view.new)
    with columns[2]:
        _answers(view)


def _parts(view: View, image: np.ndarray, key: str, marks: list[str], new: tuple[bool, ...]) -> None:
    """One of the two pictures with its superfeatures."""
    figure = cache.figure(chimeras.assembled, view.groups, image, view.dataset.shape, marks, replaced=new, selected=view.selected)
    light_up(plot(figure, key, alt=f"The {key}, its superfeatures outlined; click one to choose its donor."))


def _answers(view: View) -> None:
    st.subheader("What each net answers", anchor=False)
    names = ["explaining", "teacher", session.get("student")]
    now, before = ({name: np.exp(view.answers[name][place]) for name in names} for place in (1, 0))
    figure = cache.figure(bars.class_probabilities, now, view.dataset.classes, labels=LABELS, before=before)
    click = plot(figure, "answers", alt="Class probabilities of the chimera by every net; a mark shows where each was for the sample.")
    st.caption("Bars: the chimera, in percent. Vertical marks: the sample as it was. Click a class to ask about it.")
    names = bars.class_names(view.dataset.classes)
    if click and click["customdata"] in names:
        session.put(label=names.index(click["customdata"]))
        st.rerun()


def _features(view: View) -> None:
    """A table's row by its features' names, in the source's own units."""
    st.subheader(f"Test sample {view.sample}, feature by feature", anchor=False)
    before, after = view.dataset.in_units(torch.from_numpy(view.pair)).numpy()
    rows = [
        {
            "superfeature": m + 1, "feature": view.dataset.features[d], "donor": _place(view.donors[m]),
            "sample": float(before[d]), "chimera": float(after[d]),
        }
        for m, group in enumerate(view.groups)
        for d in group
    ]  # fmt: skip
    table(pd.DataFrame(rows), "features", height=min(35 * len(rows) + 40, 440))


def _place(donor: Donor) -> str:
    return chimera_words.PLACES[donor] if isinstance(donor, str) else f"test sample {donor}"


def changes(view: View) -> None:
    """Contributions before and after, of teacher and student on one scale; and every net's answers."""
    student = view.student if view.comparable else None
    pairs = {"teacher": view.teacher} | ({"student": student} if student else {})
    limit = overlays.shared_limit(*(voice.phi[:, view.label] for pair in pairs.values() for voice in pair))
    columns = st.columns([4, 4, 6], gap="medium")
    for column, (key, pair) in zip(columns, pairs.items(), strict=False):
        with column:
            name = LABELS[pair[0].name]
            st.subheader(f"{explain.sentence(name)} on {inert(view.dataset.classes[view.label])}", anchor=False)
            before, after = (voice.phi[:, view.label] for voice in pair)
            figure = cache.figure(
                chimeras.changes, before, after, view.names, replaced=view.new, limit=limit, selected=view.selected
            )
            light_up(plot(figure, f"changes-{key}", alt=f"Contributions of each superfeature, before and after, by {name}."))
    with columns[1]:
        if not student:
            name = explain.sentence(LABELS[session.get("student")])
            st.subheader(f"{name} {'has other superfeatures' if view.student else 'does not explain itself'}", anchor=False)
            st.markdown(_OTHER if view.student else _SILENT)
    with columns[2]:
        _everyone(view)


def _everyone(view: View) -> None:
    """All nets of the run in a table."""
    st.subheader("Every net of this run", anchor=False)
    classes = view.dataset.classes
    rows = [
        {
            "net": LABELS[name], "moved": 100 * float(moved(*torch.from_numpy(pair))),
            "sample": _answer(pair[0], classes), "chimera": _answer(pair[1], classes),
        }
        for name, pair in view.answers.items()
    ]  # fmt: skip
    told = "How much of a net's probability has moved to other classes."
    share = st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100, help=told)
    table(pd.DataFrame(rows), "everyone", columns={"moved": share})


def _answer(log_p: np.ndarray, classes: tuple[str, ...]) -> str:
    answer = int(log_p.argmax())
    return f"{classes[answer]} ({in_percent(np.exp(log_p[answer]))})"


def channels_instead(run: Run) -> None:
    """A convolutional run: why nothing can be swapped, and a run where it can."""
    st.info(
        "The superfeatures of this run are groups of channels inside its nets, not groups of pixels: there is nothing in the picture "
        "that could be taken from another sample. Choose a run of fully connected nets to put a chimera together.",
        icon=":material/layers:",
    )  # fmt: skip
    other = frame.default_run(cache.facts(run)["recipe"]["dataset"])
    if other and not cache.convolutional(other) and other.has("explaining"):
        shown = {"run": other.id, "coalition": "", "donors": ""}
        told = "Its nets are fully connected."
        st.button(f"Show {other.id}", icon=":material/swap_horiz:", help=told, on_click=lambda: session.put(**shown))
