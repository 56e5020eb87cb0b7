"""The picture of the first page: a pair of digits, the net's two teams of pixels, their switches, and what they say."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer import cache
from explorer.blocks import controls, explained_sample, frame, pair_answers, sheets
from explorer.blocks.explained_sample import NetExplanation
from explorer.components.plot import plot
from explorer.pictures import overlays, theme
from explorer.state import session
from explorer.words import pairs as words
from ked.data.class_pairs import ClassPairs, class_pairs
from ked.data.drawing import as_sample
from ked.store import Run, load_run

_STEP = 61  # from one pair to the next; no divisor of their number, so that all come


def panel() -> None:
    """The pair and all that answers to it; a switch runs this block alone."""
    st.fragment(_guarded)()


def _guarded() -> None:
    with frame.sentences():
        _panel(load_run(pair_answers.RUN))


def _panel(run: Run) -> None:
    dataset = cache.dataset_of(run)
    pairs = class_pairs(dataset.classes)
    assert pairs is not None, "the classes of digit-pairs are pairs"
    drawn = session.get("subject") == "own"
    x, y = dataset.part("test")
    sample = session.get("sample") % len(y)
    image = as_sample(sheets.sheet_of(dataset).figure, dataset).numpy() if drawn else x[sample].numpy()
    voice = (
        explained_sample.voice(run, "explaining", image, 0)
        if drawn
        else NetExplanation.of("explaining", *cache.explanation(run, "explaining", 0, sample))
    )
    members, truth = explained_sample.switches(len(voice.phi)), None if drawn else int(y[sample])
    picture, answers = st.columns([2, 3], gap="large", vertical_alignment="center")
    with picture:
        if drawn:
            sheets.draw_on(dataset)
        groups = run.superfeatures("teacher").groups
        mask = overlays.superfeature_mask(groups, dataset.shape, image=image, members=members, height=230)
        plot(mask, "pair", alt="Two digits side by side; each pixel has the colour of the team that it belongs to.")
        _controls(run, len(members))
        st.caption(_teams([len(group) for group in groups]))
    with answers:
        pair_answers.grids(voice, pairs, members, truth=truth, key="says")
        st.markdown(_said(voice, pairs, members, dataset.classes, truth))


def _said(
    voice: NetExplanation, pairs: ClassPairs, members: list[bool], classes: tuple[str, ...], truth: int | None
) -> str:
    said = pair_answers.sentences(voice, pairs, members)
    said.append(words.together(np.exp(voice.prediction(members)), classes, members, truth))
    return "  \n".join(said)


def _teams(sizes: list[int]) -> str:
    first, *others = sizes
    rest = " and ".join(f"those {size}" for size in others)
    return f"These {first} pixels act as a team. So do {rest}. Nobody told the net where one digit ends and the next begins."


def _controls(run: Run, M: int) -> None:
    """The switches, another pair, a pair of one's own."""
    st.session_state["widget.teams"] = [m for m, on in enumerate(explained_sample.switches(M)) if on]

    def switched() -> None:
        on = st.session_state["widget.teams"]
        _turn_to(run)
        session.put(coalition="" if len(on) == M else "".join("1" if m in on else "0" for m in range(M)))

    def another() -> None:
        _turn_to(run)
        session.put(sample=(session.get("sample") + _STEP) % len(cache.dataset_of(run).test), subject="sample")

    with st.container(horizontal=True, vertical_alignment="bottom", key="pair-controls"):
        st.pills(
            "Teams that may speak", range(M), selection_mode="multi", key="widget.teams", on_change=switched,
            format_func=lambda m: f"{theme.dot(theme.superfeature_colour(m))} Team {m + 1}",
            help="Switch a team of pixels off and see what the net still knows.",
        )  # fmt: skip
        st.button("Another pair", icon=":material/casino:", on_click=another, help="Two other digits that the net has never seen.")
        controls.segments("subject", then=lambda: _turn_to(run))


def _turn_to(run: Run) -> None:
    """Whoever plays with the pair looks at its run from now on, on all pages."""
    if session.get("run") != run.id and session.get("dataset") != cache.recipe(run).dataset:
        subject, sample = session.get("subject"), session.get("sample")
        session.put(dataset=cache.recipe(run).dataset)
        frame.follow_dataset()
        session.put(subject=subject, sample=sample)
