"""What the explain page asks: which student, sample, class and coalition, which superfeature is lit up; and what came out, in words."""

from __future__ import annotations

import streamlit as st

from explorer import cache, navigation
from explorer.blocks import choose
from explorer.blocks.explained_sample import ExplainedSample, NetExplanation
from explorer.blocks.what_it_means import what_it_means
from explorer.state import session
from explorer.state.settings import SETTINGS
from explorer.words import explain
from explorer.words.inert import inert
from explorer.words.results import LABELS
from ked.store import Run


def questions(about: ExplainedSample) -> None:
    """What is asked about the sample: the class, another one to weigh it against, the switches, the lit superfeature."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="questions"):
        choose.class_in_question(about)
        choose_contrast(about)
        choose_lit(about)
        switches(about)


def choose_contrast(about: ExplainedSample) -> None:
    """Which class it is weighed against, if any."""
    classes, setting = about.dataset.classes, SETTINGS["against"]
    st.session_state["widget.against"] = about.against
    st.selectbox(
        setting.label, [-1, *(c for c in range(len(classes)) if c != about.label)], key="widget.against", width=200,
        format_func=lambda c: classes[c] if c >= 0 else "no other class", help=setting.help,
        on_change=lambda: session.put(against=st.session_state["widget.against"]),
    )  # fmt: skip


def choose_lit(about: ExplainedSample) -> None:
    """Which superfeature is lit up on every picture; clicks on the pictures do the same."""
    setting = SETTINGS["selected"]
    st.session_state["widget.selected"] = 0 if about.selected is None else about.selected + 1
    st.selectbox(
        "Highlighted", range(len(about.members) + 1), key="widget.selected", width=110,
        format_func=lambda m: str(m) if m else "none", help=setting.help,
        on_change=lambda: session.put(selected=st.session_state["widget.selected"]),
    )  # fmt: skip


def switches(about: ExplainedSample) -> None:
    """M switches: the coalition of superfeatures that may speak."""
    M = len(about.members)
    st.session_state["widget.coalition"] = [m for m in range(M) if about.members[m]]

    def changed() -> None:
        on = st.session_state["widget.coalition"]
        text = "".join("1" if m in on else "0" for m in range(M))
        session.put(coalition="" if all(m in on for m in range(M)) else text)

    st.pills(
        "Superfeatures that take part", range(M), selection_mode="multi",
        format_func=lambda m: f"◉ {m + 1}" if m == about.selected else str(m + 1),
        key="widget.coalition", on_change=changed,
        help="Switch one off and see what the nets would say without it. With all off, only the base is left: "
        "the teacher's average answer. ◉ marks the one that is highlighted.",
    )  # fmt: skip


def in_words(about: ExplainedSample) -> None:
    """What the numbers below say."""
    st.markdown(" ".join(filter(None, sentences(about))))


def sentences(about: ExplainedSample) -> list[str]:
    """What the figures show at this moment: of the superfeatures that take part, for the class in question."""
    on = about.members
    said = [
        _verdict(about, about.teacher, "explaining teacher"),
        explain.reasons(about.evidence(about.teacher), inert(about.question), on),
    ]
    if about.student:
        said.append(_verdict(about, about.student, f"{LABELS[about.student.name]} student"))
        said.append(explain.comparison(about.evidence(about.teacher), about.evidence(about.student), on))
    if about.selected is not None:
        same = [about.evidence(voice) for voice in about.voices if about.selected_of(voice) is not None]
        said.append(explain.lit(about.selected, same, inert(about.question), on))
    return said


def _verdict(about: ExplainedSample, voice: NetExplanation, net: str) -> str:
    on = about.members_of(voice)
    return explain.verdict(net, voice.prediction(on), about.truth, about.dataset.classes, on)


def over_the_test_set(about: ExplainedSample, run: Run) -> None:
    """How often what one sample shows happens at all, and where all samples are compared."""
    if about.student:
        nets = ("explaining", 0), (about.student.name, session.get("replica"))
        teacher, student = (cache.test_predictions(run, *net).argmax(1) for net in nets)
        said = explain.over_the_test_set(teacher, student, about.dataset.part("test")[1].numpy())
        what_it_means([said], more=("agreement", "Compare the explanations of all test samples"))


def next_step(run: Run) -> None:
    """Where to go on with this sample."""
    if not cache.convolutional(run) and not cache.recorded(run):
        navigation.link("chimeras", "What if a superfeature came from another sample?")
