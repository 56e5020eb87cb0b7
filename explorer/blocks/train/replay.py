"""The live laboratory: the slider through time, superfeatures as they form, one sample and the agreement as students learn."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

import streamlit as st

from explorer import cache
from explorer.blocks import controls
from explorer.components.plot import plot
from explorer.components.scrubber import scrubber
from explorer.replay import figures as film
from explorer.replay.figures import Figures, Replay
from explorer.replay.over_time import GROUP
from explorer.state import session
from explorer.timeline.history import History
from explorer.timeline.moments import Moment
from explorer.words.results import LABELS
from ked.errors import Unavailable
from ked.methods import METHODS
from ked.store import Run

_SHARE = 4.0  # figures of a run in progress are made anew after so many times as long as making them took


def enter(run: Run, history: History, *, active: bool) -> Replay:
    """The laboratory of a run, with what the visitor has chosen to look at."""
    sample, chosen, replica = (int(session.get(name)) for name in ("sample", "label", "replica"))
    student = str(session.get("student"))
    return film.enter(run, history, active=active, sample=sample, chosen=chosen, student=student, replica=replica)


def slider(shown: Sequence[Moment]) -> None:
    """Through the moments that the figures show: everything in the laboratory moves with it."""
    scrubber(GROUP, [(moment.name, moment.label) for moment in shown])


def figures(replay: Replay) -> tuple[Sequence[Moment], Figures]:
    """All figures with their frames, and the moments that these are of.

    While a run goes on they are made anew now and then, so that watching does not slow it.
    """
    subject = (replay.run.id, replay.sample, replay.label, replay.student, replay.replica, replay.active)
    # Beside the moments: a second student that has not yet come as far as the first adds none, and yet has something to show.
    told = tuple((name, stage["epoch"]) for name, stage in replay.history.stages.items())
    wanted = (subject, tuple(replay.found), told, len(replay.history.forming), replay.run.has("superfeatures"))
    kept, now = st.session_state.get("ked.past"), time.monotonic()
    if kept and (kept["of"] == wanted or (replay.active and kept["of"][0] == subject and now < kept["until"])):
        return kept["of"][1], kept["figures"]
    made = film.figures(replay)
    ended = time.monotonic()
    st.session_state["ked.past"] = {"of": wanted, "figures": made, "until": ended + _SHARE * (ended - now)}
    return replay.found, made


def superfeatures(replay: Replay, made: Figures) -> None:
    """The mask and the strongest links, as the teacher forms them."""
    st.subheader("Superfeatures as they form", anchor=False)
    if "forming" not in made:
        st.caption("They come with the teacher's first epoch." if replay.active else "Of this run they were not kept as they formed.")
        return
    alt = "Superfeatures over the mean image with the strongest links between features, at the moment of the slider."
    plot(made["forming"], "forming", alt=alt, select=(), group=GROUP)
    alt = "Modularity of the superfeatures against the teacher's epochs."
    plot(made["modularity"], "modularity", alt=alt, select=(), group=GROUP)
    st.caption(
        "The teacher's dependency matrix and its communities, again and again while it trains. Features stay in place, and "
        "groups keep their colours. The superfeatures in the end come from more samples, so their modularity may lie beside the line."
    )


def pinned(replay: Replay, made: Figures) -> None:
    """One test sample under the eyes of teacher and student."""
    classes = replay.dataset.classes
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader(f"Test sample {replay.sample}: {classes[replay.truth]}", anchor=False)
        controls.number("sample", high=len(replay.dataset.test) - 1, width=130)
        controls.choice("student", options=replay.recipe["methods"], width=220)
    with st.container():
        if "answers" in made and _ends_only(replay):
            st.caption("Of this run only the finished nets were kept: what they say is shown as it was in the end, and pale before.")
    teacher, student, answers = st.columns(3, gap="medium")
    waits = "It has not begun to train yet." if replay.active else "It was not trained."
    what = f"on {classes[replay.label]}"
    with teacher:
        _side("teacher-overlay", f"Explaining teacher {what}", made, waits)
    with student:
        silent = "This student is a black box; choose one of the KED form to see contributions."
        _side("student-overlay", f"{LABELS[replay.student]} {what}", made, waits if METHODS[replay.student].net == "ked" else silent)
    with answers:
        st.markdown("**What they answer**")
        if "answers" not in made:
            st.caption("Their answers come with the teacher's first epoch." if replay.active else "No net of this run was kept.")
            return
        alt = "Class probabilities of teachers and student at the moment of the slider."
        plot(made["answers"], "answers", alt=alt, select=(), group=GROUP)


def _side(key: str, title: str, made: Figures, otherwise: str) -> None:
    st.markdown(f"**{title}**")
    if key in made:
        plot(made[key], key, alt=f"Contributions of the superfeatures. {title}.", select=(), group=GROUP)
    else:
        st.caption(otherwise)


def _ends_only(replay: Replay) -> bool:
    """Whether nets were kept as they were in the end only, as in the runs that ship with the app."""
    stages = [stage for stage in ("teacher", "explaining", f"student-{replay.student}") if replay.reached(stage) > 1]
    with contextlib.suppress(Unavailable):
        return not replay.active and all(len(cache.trajectories(replay.run, s, replay.sample).now().epochs) == 1 for s in stages)
    return False


def agreement(replay: Replay, made: Figures) -> None:
    """Whether students come to explain as their teacher does."""
    st.subheader("Do students explain as their teacher does?", anchor=False)
    if "agreement" not in made:
        explain = any(METHODS[name].net == "ked" for name in replay.recipe["methods"])
        soon = "The answer comes with the first epoch of a student that explains itself."
        waits = soon if replay.active else "No such student has trained."
        st.caption(waits if explain else "All students of this run are black boxes: there is nothing of theirs to compare.")
        return
    alt = "Cosine between the contributions of each student and of the explaining teacher against the students' epochs."
    plot(made["agreement"], "agreement", alt=alt, select=(), group=GROUP)
    kept = " Of this run only the finished students were kept, hence one point each." if _ends_only(replay) else ""
    st.caption(f"1 is full agreement, 0 is none; mean over validation samples and seeds with its 95 % interval.{kept}")
