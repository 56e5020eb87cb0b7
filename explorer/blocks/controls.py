"""Widgets made from settings: the control, its help and its place in the address come from one declaration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.state import session
from explorer.state.setting_types import Choice, Number, Several
from explorer.state.settings import SETTINGS
from ked.errors import InvalidInput

Then = Callable[[], None] | None


def choice(
    name: str,
    *,
    options: Sequence[str] | None = None,
    then: Then = None,
    label: str | None = None,
    **layout: Any,
) -> str:
    """A menu for a `Choice`; `options` narrows what is offered, `then` runs after a change."""
    setting = SETTINGS[name]
    assert isinstance(setting, Choice)
    shown = dict(setting.options)  # once: own data are read from the disk
    offered = list(options or shown)
    if session.get(name) not in offered:
        session.put(**{name: offered[0]})
    st.selectbox(
        label or setting.label, offered, format_func=lambda value: shown.get(value, value), help=setting.help,
        **_bound(name, then), **layout,
    )  # fmt: skip
    return str(session.get(name))


def pick(name: str, options: Mapping[str, str], **layout: Any) -> str:
    """A menu for a `Text` whose options follow what is stored; one that the address names stays, also if nothing has it."""
    offered = {**options, session.get(name): options.get(session.get(name), session.get(name))}
    setting = SETTINGS[name]
    st.selectbox(
        setting.label, list(offered), format_func=offered.__getitem__, help=setting.help, **_bound(name, None), **layout,
    )  # fmt: skip
    return str(session.get(name))


def segments(name: str, *, options: Sequence[str] | None = None, then: Then = None, **layout: Any) -> str:
    """A row of buttons for a `Choice` with few options."""
    setting = SETTINGS[name]
    assert isinstance(setting, Choice)
    offered = list(options or setting.options)
    if session.get(name) not in offered:
        session.put(**{name: offered[0]})
    st.segmented_control(
        setting.label, offered, format_func=lambda value: setting.options[value], help=setting.help, required=True, wrap=True,
        **_bound(name, then), **layout,
    )  # fmt: skip
    return str(session.get(name))


def some(name: str, options: Sequence[str], *, part: str, label: str, help: str, **layout: Any) -> None:
    """Pills for some of the names of a `Several`; those that are not among `options` stay as they are. `part` tells rows apart."""
    setting = SETTINGS[name]
    assert isinstance(setting, Several)

    def whole(chosen: list[str]) -> tuple[str, ...]:
        others = {value for value in session.get(name) if value not in options}
        return _at_least_one([value for value in setting.options if value in others or value in chosen])

    shown = [value for value in session.get(name) if value in options]
    bound = _bound(name, None, convert=whole, part=part, shown=shown)
    st.pills(
        label, options, format_func=lambda value: setting.options[value], help=help, selection_mode="multi", **bound, **layout,
    )  # fmt: skip


def one(name: str, options: Mapping[str, str], *, part: str, label: str, **layout: Any) -> None:
    """Pills for a `Choice` that stand in several rows, of which one pill is chosen; `part` tells rows apart."""

    def choose(chosen: str | None) -> None:
        if chosen is not None:  # a second click on the chosen one changes nothing
            session.put(**{name: chosen})

    bound = bind(f"widget.{name}.{part}", session.get(name) if session.get(name) in options else None, choose)
    st.pills(label, list(options), format_func=options.__getitem__, help=SETTINGS[name].help, **bound, **layout)


def several(name: str, *, options: Sequence[str] | None = None, **layout: Any) -> tuple[str, ...]:
    """Pills for a `Several`; the last one cannot be taken away; `options` narrows what is offered."""
    setting = SETTINGS[name]
    assert isinstance(setting, Several)
    offered = list(options or setting.options)
    kept = tuple(value for value in session.get(name) if value in offered) or (offered[0],)
    if kept != tuple(session.get(name)):
        session.put(**{name: kept})
    st.pills(
        setting.label, offered, format_func=lambda value: setting.options[value], help=setting.help,
        selection_mode="multi", **_bound(name, None, convert=_at_least_one), **layout,
    )  # fmt: skip
    return tuple(session.get(name))


def _at_least_one(chosen: list[str]) -> tuple[str, ...]:
    if not chosen:
        raise InvalidInput("At least one must stay chosen.")
    return tuple(chosen)


def _within(name: str, high: float | None) -> tuple[Number, type[int] | type[float], float]:
    """The setting, its kind of number and the top of its range, to which a larger value is brought down."""
    setting = SETTINGS[name]
    assert isinstance(setting, Number)
    kind = int if setting.whole else float
    top = kind(setting.high if high is None else min(high, setting.high))
    if session.get(name) > top:
        session.put(**{name: top})
    return setting, kind, top


def slider(name: str, *, high: float | None = None, then: Then = None, **layout: Any) -> Any:
    """A slider for a `Number`; `high` narrows its range to what the data allow."""
    setting, kind, top = _within(name, high)
    st.slider(
        setting.label,
        kind(setting.low),
        top,
        step=kind(setting.step),
        help=setting.help,
        **_bound(name, then),
        **layout,
    )
    return session.get(name)


def number(name: str, *, high: float | None = None, then: Then = None, **layout: Any) -> Any:
    """A field for a `Number`; `high` narrows its range to what the data allow, `then` runs after a change."""
    setting, kind, top = _within(name, high)
    form: dict[str, Any] = {} if setting.whole else {"format": "%.10g"}
    st.number_input(
        setting.label, kind(setting.low), top, step=kind(setting.step), help=setting.help,
        **form, **_bound(name, then), **layout,
    )  # fmt: skip
    return session.get(name)


def text(name: str, **layout: Any) -> str:
    """A field for a `Text`; what it cannot take is refused with a sentence and the old value stays."""
    setting = SETTINGS[name]
    st.text_input(setting.label, help=setting.help, **_bound(name, None, convert=setting.parse), **layout)
    return str(session.get(name))


def _bound(
    name: str, then: Then, convert: Callable[[Any], Any] | None = None, part: str = "", shown: Any = None
) -> dict[str, Any]:
    """Key and callback that tie a widget to the state; the state is the truth, also when a widget was away for a while.

    `shown`: what the widget shows of the state, if not all of it.
    """
    value = session.get(name) if shown is None else shown

    def choose(chosen: Any) -> None:
        try:
            session.put(**{name: convert(chosen) if convert else chosen})
        except ValueError as error:
            st.toast(str(error))
            return
        if then:
            then()

    widget = f"widget.{name}.{part}" if part else f"widget.{name}"
    return bind(widget, list(value) if isinstance(value, tuple) else value, choose)


def bind(widget: str, value: Any, choose: Callable[[Any], None]) -> dict[str, Any]:
    """Key and callback of a widget that shows a value; `choose` is given what a visitor chooses in its place."""
    key = session.hold(widget, value)

    def changed() -> None:
        if key == session.key_of(widget):  # else the browser still shows a widget that is no more
            choose(st.session_state[key])

    return {"key": key, "on_change": changed}
