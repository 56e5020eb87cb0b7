"""The lesson's frame: which step, the guess, forward only after doing or by "Show me"; all of it in the address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from explorer import navigation
from explorer.blocks import frame, share
from explorer.blocks.lesson import steps
from explorer.blocks.pair_answers import RUN
from explorer.state import following, session
from explorer.words.lesson import OURS, STEPS, Step, guessed
from ked.store import load_run

_NONE = "-"  # in the address: no guess
_LETTERS = "abc"


@dataclass(frozen=True)
class Place:
    """Where a visitor stands.

    Attributes:
        number: Of the step, from 1.
        guess: Their guess, as the position among the options; None before they have guessed.
        done: Whether they have done what the step asks for, or were shown it.
    """

    number: int
    guess: int | None
    done: bool

    @property
    def step(self) -> Step:
        """What is said and asked."""
        return STEPS[self.number - 1]


def page() -> None:
    """The step that the address names."""
    st.fragment(_guarded)()


def _guarded() -> None:
    with frame.sentences():
        _page()


def _page() -> None:
    place = here()
    step = place.step
    bar = st.empty()
    bar.progress((place.number - 1 + place.done) / len(STEPS))
    with st.container(key="lesson-title"):  # this and the next two are where the focus goes on (`frame.js`)
        st.subheader(f"{place.number} of {len(STEPS)} · {step.title}", anchor=False)
    st.markdown(step.sentence)
    _ask(place)
    lesson = steps.enter(load_run(RUN))
    right = BODIES[place.number - 1](lesson, place.guess is not None or place.done, place.done)
    if right is not None and place.guess is not None and not place.done:
        _mark_done(place.number)
        place = here()
        bar.progress(place.number / len(STEPS))
    if place.done and right is not None:
        option, told = right
        with st.container(key="lesson-answer"):
            st.success(f"{guessed(step, place.guess, option)} {told}", icon=":material/lightbulb:")
        if place.number == len(STEPS):
            _own_words()
    _move_on(place)


Body = Callable[[steps.Lesson, bool, bool], steps.Answer]

BODIES: tuple[Body, ...] = (steps.two_teams, steps.links, steps.reasons, steps.students, steps.elsewhere)


def here() -> Place:
    """The visitor's place, from the address."""
    number = int(session.get("lesson"))
    letter = session.get("guesses").ljust(len(STEPS), _NONE)[number - 1]
    return Place(number, None if letter == _NONE else _LETTERS.index(letter), str(number) in session.get("done"))


def _ask(place: Place) -> None:
    """The question; the first answer counts."""
    key = f"widget.guess.{place.number}"
    st.session_state[key] = place.guess

    def chosen() -> None:
        if st.session_state[key] is not None and place.guess is None:
            letters = list(session.get("guesses").ljust(len(STEPS), _NONE))
            letters[place.number - 1] = _LETTERS[st.session_state[key]]
            session.put(guesses="".join(letters))
            if session.get("follow"):
                with frame.toasts():
                    following.guess(session.get("follow"), place.number, letters[place.number - 1])

    step = place.step
    st.pills(
        f"**Guess:** {step.question}", range(len(step.options)), format_func=step.options.__getitem__, key=key, on_change=chosen,
        disabled=place.done or place.guess is not None,
        help="Guess, and the step opens. A lecturer whom you follow sees how many guessed what, but not who.",
    )  # fmt: skip
    if session.leads():
        st.fragment(_class_guesses, run_every=2.0)(place)
    with st.container(key="lesson-task"):  # it stays: what stands below keeps its place, and the focus with it
        if place.guess is not None:
            st.markdown(f"**Now:** {step.task}")
        elif not place.done:
            st.markdown("*First guess, then try.*")


def _class_guesses(place: Place) -> None:
    """What the class that this tab leads has guessed so far."""
    found = following.tally(session.leads(), place.number)
    said = " · ".join(f"{option}: **{found[letter]}**" for letter, option in zip(_LETTERS, place.step.options, strict=True))
    st.markdown(f":material/groups: The class has guessed: {said}")


def _mark_done(number: int) -> None:
    session.put(done="".join(sorted({*session.get("done"), str(number)})))


def _move_on(place: Place) -> None:
    def to(number: int) -> None:
        session.put(lesson=number, coalition="", node=-1, label=-1, against=-1, superfeatures=2)
        steps.forget()

    def show() -> None:
        steps.show(place.number)
        _mark_done(place.number)

    with st.container(horizontal=True, key="lesson-steps"):
        st.button(
            "Back", icon=":material/arrow_back:", disabled=place.number == 1, on_click=to, args=(place.number - 1,),
            help="Goes back to the step before.",
        )  # fmt: skip
        if not (place.done or share.hides("results")):
            st.button("Show me", icon=":material/visibility:", on_click=show, help="Does it for you, and shows the answer.")
        if place.number < len(STEPS):
            st.button(
                "Next", type="primary", icon=":material/arrow_forward:", disabled=not place.done, on_click=to, args=(place.number + 1,),
                help="Goes on to the next step, once this one is done.",
            )  # fmt: skip
        elif place.done:
            navigation.link("train", "Train students of your own", {"run": RUN, "m": "2"})


def _own_words() -> None:
    """The visitor's sentence beside ours; it stays in the browser's tab."""
    st.markdown("**In your own words: what is a superfeature?**")
    own, ours = st.columns(2)
    with own:
        text = st.text_area(
            "Your sentence", key="widget.sentence", max_chars=300, help="It stays in this tab; nobody else reads it.",
            placeholder="A superfeature is …",
        )  # fmt: skip
    with ours:
        if text:
            st.info(OURS, icon=":material/edit_note:")
        else:
            st.caption("Ours appears here once you have written yours.")


