"""The idea as a flow from labels to the student: each part says what it does and opens its page at the pair of digits."""

from __future__ import annotations

import streamlit as st

from explorer import navigation, study_results
from explorer.blocks import frame
from explorer.blocks.pair_answers import RUN
from explorer.state import session
from explorer.words import story

_AT: dict[str, str] = {"run": RUN, "m": "2"}
_PARTS = (
    ("data", "Labels", "8000 pairs of handwritten digits, each with its class, `00` to `99`.", {"data": "digit-pairs"}),
    ("train", "Teacher", "A big net learns the classes from the pixels.", _AT),
    ("superfeatures", "Teams", "Which pixels change its answer *together*? They form teams: **superfeatures**.", _AT),
    ("explain", "Reasons", "Each team gives its reasons; added up, they are the answer.", _AT),
    ("agreement", "Student", "A small net learns answers *and* reasons. Does it reason alike?", _AT),
)
_DOORS: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("lesson", "Start the lesson: 5 minutes", "Guess, try, see: what a superfeature is, and whether it helps.", {"lesson": "1"}),
    ("train", "Explore", "Train teachers and students live, and steer them.", _AT),
    ("data", "Bring your data", "A table or pictures of your own.", {}),
    ("runs", "Open your nets", "Runs of your own, from the command line or a notebook.", {}),
)


def flow() -> None:
    """Five parts and the arrows between them."""
    st.subheader("How it works", anchor=False)
    with st.container(horizontal=True, gap="small", key="flow"):
        for page, title, text, query in _PARTS:
            with st.container(key=f"flow-{page}", border=True, gap="xsmall"):
                navigation.link(page, title, query)
                st.markdown(text)


def helped() -> None:
    """Whether it helps: what was found, in plain words."""
    with frame.sentences():
        st.subheader("Does it help?", anchor=False)
        st.markdown("\n".join(f"- {sentence}" for sentence in story.helped(study_results.over_data_sets())))
        st.caption("Differences of test accuracy in percentage points, with 95 % intervals over teachers.")
        navigation.link("studies", "See all that was found, and how to repeat it", session.address())


def doors() -> None:
    """Where to go from here."""
    with st.container(horizontal=True, gap="small", key="doors"):
        for page, title, text, query in _DOORS:
            with st.container(key=f"door-{page}", border=True, gap="xsmall"):
                navigation.link(page, title, query)
                st.caption(text)
