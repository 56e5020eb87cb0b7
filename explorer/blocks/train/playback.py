"""The buttons that steer a run while it trains: pause, one batch, one epoch, slow motion, other settings, stop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import streamlit as st

from explorer import navigation
from explorer.blocks import controls, frame
from explorer.blocks.train import watched
from explorer.blocks.train.watched import Watched
from explorer.components.presses import Button, Press, presses
from explorer.state import visitor
from explorer.state.setting_types import Number
from explorer.state.settings import SETTINGS
from ked import jobs
from ked.library import IN_PROGRESS
from ked.recipe import Recipe
from ked.runs import steering
from ked.store import Run

SPEEDS: dict[float, str] = {0.0: "full speed", 0.5: "2 batches a second", 2.0: "one batch every 2 s"}
"""Seconds a batch -> what the menu says."""
WIDTH = 108  # pixels of a button, as in presses.css
RESUME = "Resume training"
"""What a paused run and a stopped one offer alike."""
_REST = Button("pause", "Pause", "Pause before the next batch.", "pause")
_PLAY = Button("play", RESUME, "Continue with the next batch.", "play_arrow", primary=True)
_STEPS = (
    Button("batch", "Batch", "Train on one batch, then pause.", "skip_next"),
    Button("epoch", "Epoch", "Train to the end of this epoch, then pause.", "fast_forward"),
)
_ORDERS: dict[str, Callable[..., None]] = {
    "pause": steering.pause,
    "play": steering.play,
    "batch": partial(steering.step, batches=1),
    "epoch": partial(steering.step, epochs=1),
}
"""What a press asks for -> the order that it gives."""


def buttons(seen: Watched) -> None:
    """What can be done with a run, by its status; with somebody else's on a server for others, to look at it."""
    if seen.status == "done" or visitor.may_change(seen.facts):
        _BUTTONS[seen.status](seen)
    else:
        st.caption(visitor.NOT_YOURS)


def _steer(seen: Watched) -> None:
    """Play or pause, steps, speed, changes, stop; each takes effect within a batch."""
    run, control = seen.run, seen.control
    presses(f"steer.{run.id}", (_PLAY if control.paused else _REST, *_STEPS), partial(_obey, run))
    _speed(run, control.slow)
    _changes(seen)
    _button(run, "Stop", "stop", partial(jobs.cancel, run), "End this run; what is finished is kept, and it can be resumed.")


def _obey(run: Run, press: Press) -> None:
    """Pass a press on; under its own name, so that it counts once, whoever passes it on again."""
    with frame.toasts():  # the run may have ended since the buttons were drawn
        if press.do in _ORDERS:
            _ORDERS[press.do](run, id=press.id)


def _leave(seen: Watched) -> None:
    """Out of the queue."""
    _button(seen.run, "Stop", "stop", partial(jobs.cancel, seen.run), "Remove this run from the queue.")


def _resume(seen: Watched) -> None:
    """Go on after the last finished epoch; where the training diverged, with another learning rate."""
    if seen.facts.get("diverged"):
        now = seen.in_force.lr
        st.number_input(
            "New learning rate", 1e-7, now, now / 10, format="%.3g", width=170, key=_lower(seen.run),
            help=f"Training continues after epoch {seen.history.place[1]}, the last good one; the change becomes part of the recipe.",
        )  # fmt: skip
    told = "Continues after the last finished epoch."
    _button(seen.run, RESUME, "resume", partial(_go_on, seen), told, width="content")


def _go_on(seen: Watched) -> None:
    if jobs.status(seen.run) in IN_PROGRESS:  # somebody was faster, or the press came twice
        return
    change = {"lr": float(st.session_state[_lower(seen.run)])} if seen.facts.get("diverged") else {}
    jobs.resume(seen.run, **change)
    watched.forget()  # its events begin anew


def _lower(run: Run) -> str:
    return f"resume.lr.{run.id}"


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


def _button(run: Run, label: str, icon: str, act: Callable[[], None], help: str, *, width: int | Literal["content"] = WIDTH) -> None:
    # A button a run: a press on what a browser still shows of another run must not reach this one.
    st.button(label, key=f"{icon}.{run.id}", icon=f":material/{icon}:", help=help, width=width, on_click=_guarded(act))


def _guarded(act: Callable[[], None]) -> Callable[[], None]:
    """A run may have ended since the page was drawn: then a sentence, no traceback."""

    def acted() -> None:
        with frame.toasts():
            act()

    return acted


def _speed(run: Run, slow: float) -> None:
    offered = sorted({*SPEEDS, slow})

    def choose(seconds: float) -> None:
        with frame.toasts():  # the run may have ended since the menu was drawn
            steering.slow(run, float(seconds))

    st.selectbox(
        "Speed", offered, format_func=lambda s: SPEEDS.get(s, f"one batch every {s:g} s"), label_visibility="collapsed", width=175,
        help="Slow motion shows every batch and its loss, term by term.", **controls.bind(f"speed.{run.id}", slow, choose),
    )  # fmt: skip


def _changes(seen: Watched) -> None:
    """Other values of the stage's settings, from the next batch on; they become part of the recipe."""
    stage, names = seen.history.place[0], seen.adjustable
    told = "Sets other temperatures, shares or another learning rate, from the next batch on."
    with st.popover("Change", icon=":material/tune:", disabled=not names, help=told):
        if names:
            with st.form("changes", border=False):
                shown = {_field(stage, name, value): (name, value) for name, value in _shown(seen.in_force, names).items()}
                told = "Training continues with these values."
                st.form_submit_button("From the next batch on", help=told, on_click=_guarded(partial(_adjust, seen.run, shown)))
            st.caption(
                "Applies to the net that trains now, and becomes part of the run's recipe: the same recipe gives the same numbers again."
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
