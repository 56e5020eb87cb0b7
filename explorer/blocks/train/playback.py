"""The buttons that steer a run while it trains: pause, one batch, one epoch, slow motion, other settings, stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.blocks import frame
from explorer.state.setting_types import Number
from explorer.state.settings import SETTINGS
from explorer.timeline.history import History
from ked import jobs
from ked.recipe import Recipe
from ked.runs import steering
from ked.runs.stage_keys import adjustable
from ked.store import Run

SPEEDS: dict[float, str] = {0.0: "full speed", 0.5: "2 batches a second", 2.0: "a batch in 2 s"}
"""Seconds a batch -> what the menu says."""
WIDTH = 108  # pixels of a button: Play and Pause are as wide as each other, so that nothing moves when one follows the other


def buttons(run: Run, history: History) -> None:
    """Play or pause, steps, speed, changes, stop; each takes effect within a batch."""
    control = steering.asked(run)
    # One button under one key: where one took the other's place both would be there for a moment, and push the rest aside.
    if control.paused:
        _button("Play", "play_arrow", "pause", lambda: steering.play(run), "Go on training.", kind="primary")
    else:
        _button("Pause", "pause", "pause", lambda: steering.pause(run), "Rest before the next batch.")
    _button("Batch", "skip_next", "batch", lambda: steering.step(run, batches=1), "Take one batch, then rest and look.")
    _button("Epoch", "fast_forward", "epoch", lambda: steering.step(run, epochs=1), "Go on to the end of this epoch, then rest.")
    _speed(run, control.slow)
    _changes(run, history)
    _button("Stop", "stop", "stop", lambda: jobs.cancel(run), "End this run; what is finished is kept, and it can be resumed.")


def leave(run: Run) -> None:
    """The button that takes a run out of the queue."""
    _button("Stop", "stop", "stop", lambda: jobs.cancel(run), "Take this run out of the queue.")


def onward() -> None:
    """Where to look at a run that has finished."""
    for page, label, icon in _ONWARD:
        st.page_link(f"../pages/{page}.py", label=label, icon=f":material/{icon}:")


_ONWARD = (
    ("explain", "Explain a sample", "visibility"),
    ("superfeatures", "Its superfeatures", "hub"),
    ("agreement", "Does it explain as its teacher does?", "handshake"),
    ("runs", "Compare with other runs", "inventory_2"),
)


def _button(label: str, icon: str, key: str, act: Callable[[], None], help: str, *, kind: str = "secondary") -> None:
    look: dict[str, Any] = {"icon": f":material/{icon}:", "help": help, "type": kind, "width": WIDTH}
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
        on_change=_guarded(lambda: steering.slow(run, float(st.session_state["speed"]))),
    )  # fmt: skip


def _changes(run: Run, history: History) -> None:
    """Other values of the stage's settings, from the next batch on; they become part of the recipe."""
    stage = history.order[-1] if history.order else ""
    names = adjustable(stage)
    told = "Other temperatures, shares or learning rate from the next batch on."
    with st.popover("Change", icon=":material/tune:", disabled=not names, help=told):
        if names:
            with st.form("changes", border=False):
                recipe = in_force(run.recipe, history)
                shown = {_field(stage, name, value): (name, value) for name, value in _shown(recipe, names).items()}
                told = "Training goes on with these values."
                st.form_submit_button("From the next batch on", help=told, on_click=_guarded(lambda: _adjust(run, shown)))
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


def in_force(recipe: Recipe, history: History) -> Recipe:
    """The recipe with what the changes so far have made of it for the stage at work, those in its present epoch included."""
    if not history.order:
        return recipe
    stage = history.order[-1]
    return recipe.in_force(stage, history.stages[stage]["epoch"] + 2, 0)
