"""The figures that the slider through time moves: accuracy, losses, superfeatures as they form, one sample, the agreement."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import streamlit as st

from explorer.blocks import controls
from explorer.blocks.train.watched import Watched
from explorer.components.plot import plot
from explorer.components.scrubber import scrubber
from explorer.replay import figures
from explorer.replay.figures import Made, Replay
from explorer.replay.over_time import GROUP
from explorer.state import session
from explorer.words.inert import inert
from explorer.words.results import LABELS
from ked.methods import METHODS

_KEPT = "ked.past"  # the figures that this visitor saw last, what they are of, and until when they are good enough
_SHARE = 12.0  # figures of a run in progress are made anew after so many times as long as making them took: drawing takes longer still


class Drawn(NamedTuple):
    """What the visitor has chosen to look at, and the figures that show it."""

    replay: Replay
    made: Made


def draw(seen: Watched) -> Drawn:
    """The figures of a run for what the visitor has chosen to look at."""
    sample, chosen, replica = (int(session.get(name)) for name in ("sample", "label", "replica"))
    asked: dict[str, Any] = {"sample": sample, "chosen": chosen, "student": str(session.get("student")), "replica": replica}
    replay = figures.enter(seen.run, seen.recipe, seen.history, active=seen.active, **asked)
    return Drawn(replay, _made(replay))


def _made(replay: Replay) -> Made:
    """While a run goes on figures are made anew now and then, so that watching does not slow it."""
    subject = (replay.run.id, replay.sample, replay.label, replay.student, replay.replica, replay.active)
    # Beside the moments: a second student that has not yet come as far as the first adds none, and yet has something to show.
    told = tuple((name, stage["epoch"]) for name, stage in replay.history.stages.items())
    wanted = (subject, tuple(replay.found), told, len(replay.history.forming), replay.run.has("superfeatures"))
    kept, now = st.session_state.get(_KEPT), time.monotonic()
    if kept and (kept["of"] == wanted or (replay.active and kept["of"][0] == subject and now < kept["until"])):
        return Made(*kept["made"])
    made = figures.make(replay, Made(*kept["made"]) if kept and kept["of"][0][0] == replay.run.id else None)
    ended = time.monotonic()
    st.session_state[_KEPT] = {"of": wanted, "made": made, "until": ended + _SHARE * (ended - now)}
    return made


def slider(drawn: Drawn) -> None:
    """Through the moments that the figures show: everything here moves with it."""
    scrubber(GROUP, [(moment.name, moment.label) for moment in drawn.made.moments])


def accuracy(drawn: Drawn) -> None:
    """Learning curves of the teachers, then of the students."""
    st.subheader("Validation accuracy", anchor=False)
    alt = "Validation accuracy against epochs: mean over seeds with its 95 % interval, one line per method."
    if _moving(drawn, "accuracy", alt):
        st.caption("Lines are means over the seeds, bands their 95 % intervals; numbers are those at the dots. Dotted: the teachers.")
    else:
        st.caption("The first epoch is being trained." if drawn.replay.active else "The run ended before its first epoch did.")


def losses(drawn: Drawn) -> None:
    """What is minimised, term by term."""
    students = any(moment.phase == "students" for moment in drawn.made.moments)
    st.subheader(f"What {'each student minimises' if students else 'the teachers minimise'}", anchor=False)
    if _moving(drawn, "losses", "Weighted loss terms against epochs, stacked, one row per net."):
        st.caption("Each term times its weight; together they are the loss, in nats.")
    else:
        st.caption("The loss, term by term, comes with the first epoch.")


def superfeatures(drawn: Drawn) -> None:
    """The mask and the strongest links, as the teacher forms them."""
    st.subheader("Superfeatures as they form", anchor=False)
    alt = "Superfeatures over the mean image with the strongest links between features, at the moment of the slider."
    if not _moving(drawn, "forming", alt):
        soon = "They come with the teacher's first epoch."
        st.caption(soon if drawn.replay.active else "This run did not keep them as they formed.")
        return
    _moving(drawn, "modularity", "Modularity of the superfeatures against the teacher's epochs.")
    st.caption(
        "The teacher's dependency matrix and its communities, measured repeatedly while it trains. Features stay in place, and "
        "groups keep their colours. The final superfeatures come from more samples, so their modularity may lie off the line."
    )


def pinned(drawn: Drawn) -> None:
    """One test sample under the eyes of teacher and student."""
    replay, made = drawn
    classes = replay.dataset.classes
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader(f"Test sample {replay.sample}: {inert(classes[replay.truth])}", anchor=False)
        controls.number("sample", high=len(replay.dataset.test) - 1, width=130)
        controls.choice("student", options=replay.recipe.methods, width=220)
    with st.container():
        if "answers" in made.figures and made.ends_only:
            st.caption("This run kept only its finished nets: figures show what they say at the end, and are pale before it.")
    teacher, student, answers = st.columns(3, gap="medium")
    waits = "It has not begun to train yet." if replay.active else "It was not trained."
    silent = "This student is a black box; choose a KED student to see contributions."
    what = f"on {inert(classes[replay.label])}"
    with teacher:
        _side(drawn, "teacher-overlay", f"Explaining teacher {what}", waits)
    with student:
        speaks = METHODS[replay.student].net == "ked"
        _side(drawn, "student-overlay", f"{LABELS[replay.student]} {what}", waits if speaks else silent)
    with answers:
        st.markdown("**What they answer**")
        if not _moving(drawn, "answers", "Class probabilities of teachers and student at the moment of the slider."):
            st.caption("Their answers come with the teacher's first epoch." if replay.active else "No net of this run was kept.")


def agreement(drawn: Drawn) -> None:
    """Whether students come to explain as their teacher does."""
    st.subheader("Do students explain as their teacher does?", anchor=False)
    alt = "Cosine between the contributions of each student and of the explaining teacher against the students' epochs."
    if _moving(drawn, "agreement", alt):
        kept = " This run kept only its finished students, hence one point each." if drawn.made.ends_only else ""
        st.caption(f"1 is full agreement, 0 is none; mean over validation samples and seeds with its 95 % interval.{kept}")
        return
    explain = any(METHODS[name].net == "ked" for name in drawn.replay.recipe.methods)
    soon = "The answer comes with the first epoch of a student that explains itself."
    waits = soon if drawn.replay.active else "No such student has trained."
    st.caption(waits if explain else "All students of this run are black boxes: they have no contributions to compare.")


def _side(drawn: Drawn, key: str, title: str, otherwise: str) -> None:
    st.markdown(f"**{title}**")
    if not _moving(drawn, key, f"Contributions of the superfeatures. {title}."):
        st.caption(otherwise)


def _moving(drawn: Drawn, key: str, alt: str) -> bool:
    """Show a figure that moves with the slider; whether there is one yet."""
    figure = drawn.made.figures.get(key)
    if figure is not None:
        plot(figure, key, alt=alt, select=(), group=GROUP)
    return figure is not None
