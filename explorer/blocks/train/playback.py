"""The buttons that steer a run while it trains: pause, one batch, one epoch, slow motion, other settings, stop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from explorer import navigation
from explorer.blocks import frame
from explorer.blocks.train import watched
from explorer.blocks.train.watched import Watched
from explorer.state.setting_types import Number
from explorer.state.settings import SETTINGS
from ked import jobs
from ked.recipe import Recipe
from ked.runs import steering
from ked.store import Run

SPEEDS: dict[float, str] = {0.0: "full speed", 0.5: "2 batches a second", 2.0: "a batch in 2 s"}
"""Seconds a batch -> what the menu says."""
WIDTH = 108  # pixels of a button: Play and Pause are as wide as each other, so that nothing moves when one follows the other


def buttons(seen: Watched) -> None:
    """What can be done with a run, by its status."""
    _BUTTONS[seen.status](seen)


def _steer(seen: Watched) -> None:
    """Play or pause, steps, speed, changes, stop; each takes effect within a batch."""
    run, control = seen.run, seen.control
    # One button under one key: where one took the other's place both would be there for a moment, and push the rest aside.
    if control.paused:
        _button("Play", "play_arrow", "pause", partial(steering.play, run), "Go on training.", kind="primary")
    else:
        _button("Pause", "pause", "pause", partial(steering.pause, run), "Rest before the next batch.")
    _button("Batch", "skip_next", "batch", partial(steering.step, run, batches=1), "Take one batch, then rest and look.")
    _button("Epoch", "fast_forward", "epoch", partial(steering.step, run, epochs=1), "Go on to the end of this epoch, then rest.")
    _speed(run, control.slow)
    _changes(seen)
    _button("Stop", "stop", "stop", partial(jobs.cancel, run), "End this run; what is finished is kept, and it can be resumed.")


def _leave(seen: Watched) -> None:
    """Out of the queue."""
    _button("Stop", "stop", "stop", partial(jobs.cancel, seen.run), "Take this run out of the queue.")


def _resume(seen: Watched) -> None:
    """Go on after the last finished epoch; where the training diverged, with another learning rate."""
    if seen.facts.get("diverged"):
        now = seen.in_force.lr
        st.number_input(
            "New learning rate", 1e-7, now, now / 10, format="%.3g", width=170, key="resume.lr",
            help=f"Training goes on after epoch {seen.history.place[1]}, the last good one; the change becomes part of the recipe.",
        )  # fmt: skip
    told = "Goes on after the last epoch that was finished."
    _button("Resume", "resume", "resume", partial(_go_on, seen), told, width="content")


def _go_on(seen: Watched) -> None:
    change = {"lr": float(st.session_state["resume.lr"])} if seen.facts.get("diverged") else {}
    jobs.resume(seen.run, **change)
    watched.forget()  # its events begin anew


def _onward(seen: Watched) -> None:
    """Where to look at a run that has finished."""
    for page, label in _ONWARD:
        navigation.link(page, label)


_ONWARD = (
    ("explain", "Explain a sample"),
    ("superfeatures", "Its superfeatures"),
    ("agreement", "Does it explain as its teacher does?"),
    ("runs", "Compare with other runs"),
)


_BUTTONS: dict[str, Callable[[Watched], None]] = {
    "queued": _leave,
    "running": _steer,
    "done": _onward,
    "failed": _resume,
    "cancelled": _resume,
}


def _button(
    label: str, icon: str, key: str, act: Callable[[], None], help: str, *, kind: str = "secondary", width: int | str = WIDTH
) -> None:
    look: dict[str, Any] = {"icon": f":material/{icon}:", "help": help, "type": kind, "width": width}
    st.button(label, key=key, on_click=_guarded(act), **look)


def _guarded(act: Callable[[], None]) -> Callable[[], None]:
    """A run may have ended since the page was drawn: then a sentence, no traceback."""

    def acted() -> None:
        with frame.toasts():
            act()

    return acted


def _speed(run: Run, slow: float) -> None:
    offered = sorted({*SPEEDS, slow})
    if st.session_state.get("speed") != slow:  # set at every tick, it would disturb whoever is choosing
        st.session_state["speed"] = slow
    st.selectbox(
        "Speed", offered, format_func=lambda s: SPEEDS.get(s, f"a batch in {s:g} s"), key="speed", label_visibility="collapsed", width=185,
        help="Slow motion shows every batch and its loss, term by term.",
        on_change=_guarded(partial(_slow, run)),
    )  # fmt: skip


def _slow(run: Run) -> None:
    steering.slow(run, float(st.session_state["speed"]))


def _changes(seen: Watched) -> None:
    """Other values of the stage's settings, from the next batch on; they become part of the recipe."""
    stage, names = seen.history.place[0], seen.adjustable
    told = "Other temperatures, shares or learning rate from the next batch on."
    with st.popover("Change", icon=":material/tune:", disabled=not names, help=told):
        if names:
            with st.form("changes", border=False):
                shown = {_field(stage, name, value): (name, value) for name, value in _shown(seen.in_force, names).items()}
                told = "Training goes on with these values."
                st.form_submit_button("From the next batch on", help=told, on_click=_guarded(partial(_adjust, seen.run, shown)))
            st.caption(
                "Counts for the net that trains now, and becomes part of the run's recipe: the same recipe gives the same numbers again."
            )


def _shown(recipe: Recipe, names: tuple[str, ...]) -> dict[str, float]:
    """The values in force, as far as the fields' ranges reach."""
    ranges = {name: setting for name in names if isinstance(setting := SETTINGS[name], Number)}
    return {name: float(min(max(getattr(recipe, name), at.low), at.high)) for name, at in ranges.items()}


def _field(stage: str, name: str, value: float) -> str:
    """A field for a setting; returns its key. In another stage, or once another value is in force, it starts afresh."""
    setting, key = SETTINGS[name], f"change.{stage}.{name}.{value!r}"
    assert isinstance(setting, Number)
    look: dict[str, Any] = {"step": float(setting.step), "help": setting.help, "key": key, "format": "%.10g"}
    st.number_input(setting.label, setting.low, setting.high, value, **look)
    return key


def _adjust(run: Run, shown: dict[str, tuple[str, float]]) -> None:
    wanted = {key: float(st.session_state[key]) for key in shown}
    changed = {name: wanted[key] for key, (name, value) in shown.items() if wanted[key] != value}
    if changed:
        steering.adjust(run, **changed)
