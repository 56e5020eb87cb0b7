"""What a visitor can take back: the views that came before, and those that were taken back. No streamlit here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

View = dict[str, Any]
LIMIT = 100
GESTURE = 1.0  # seconds; the same setting changed again so soon is one move, as the drag of a slider is


class Undo:
    """A bounded stack of views, each all settings; the present one lies between past and future."""

    def __init__(self) -> None:
        self.past: list[View] = []
        self.future: list[View] = []
        self.present: View | None = None
        self._moved: tuple[set[str], float] = (set(), -GESTURE)

    def settle(self, view: Mapping[str, Any], moment: float) -> None:
        """The visitor's move led to `view` at `moment` (seconds): what was before can be had back."""
        before, self.present = self.present, dict(view)
        if before is None or before == view:
            return
        names = changed(before, view)
        same, last = self._moved
        if names != same or moment - last >= GESTURE or not self.past:
            self.past = [*self.past, before][-LIMIT:]
        elif self.past[-1] == view:
            self.past.pop()  # dragged there and back
        self.future = []
        self._moved = names, moment

    def amend(self, view: Mapping[str, Any]) -> None:
        """The page itself has corrected the present view: that is no move of its own."""
        self.present = dict(view)

    def undo(self) -> View:
        """The view before; it becomes the present one."""
        return self._step(self.past, self.future)

    def redo(self) -> View:
        """The view that was taken back last; it becomes the present one."""
        return self._step(self.future, self.past)

    def _step(self, source: list[View], other: list[View]) -> View:
        assert self.present is not None
        other.append(self.present)
        self.present = source.pop()
        self._moved = (set(), -GESTURE)
        return dict(self.present)

    def names(self) -> tuple[set[str], set[str]]:
        """The settings that undo would change, and those that redo would; empty where there is nothing to do."""
        present = self.present or {}
        return tuple(changed(present, stack[-1]) if stack else set() for stack in (self.past, self.future))  # type: ignore[return-value]


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """The names of the settings in which two views differ."""
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}
