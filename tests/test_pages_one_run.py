"""Address, menu, controls and panel of the train page name one run at every moment, and what a visitor started stays in view."""

from __future__ import annotations

import functools
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest, local_script_runner
from visitor import address, control, sound, visit

from ked.files import locks
from ked.jobs import run_queue
from ked.store import load_run

WIDTHS, EPOCHS = "20,20", 400  # neither the preset's


@pytest.fixture(autouse=True)
def no_worker(ked_home: Path) -> Iterator[None]:
    """Nobody takes runs from the queue: the worker's place is taken."""
    lock = locks.take(run_queue.folder() / ".worker", wait=False)
    assert lock is not None
    yield
    os.close(lock)


@dataclass
class Model:
    """A visitor with a browser that may be late, and what has to be in view: the run, the M of their controls, and the views before."""

    monkeypatch: pytest.MonkeyPatch
    order: random.Random
    app: AppTest = field(init=False)
    run: str = "digits-preset"
    m: int = 3
    views: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app = visit("train", tep="5", ep=str(EPOCHS), th=WIDTHS, m="3")
        self._moved()

    def train(self) -> None:
        before = self.app._tree.get_widget_states()
        self._press("Train")
        self.run = address(self.app)["run"]
        self._moved()
        self.late(before)

    def stop(self) -> None:
        if self._in_progress:
            self._press("Stop")

    def change(self) -> None:
        self.m = 2 + self.m % 4
        control(self.app, "widget.superfeatures").set_value(self.m).run()
        self._moved()

    def choose(self) -> None:
        """One of the runs in the menu, which brings its settings."""
        before, menu = self.app._tree.get_widget_states(), control(self.app, "widget.run")
        chosen = self.order.choice([option.partition(" · ")[0] for option in menu.options])
        menu.set_value(next(option for option in menu.options if option.startswith(chosen))).run()
        if self.run != chosen:
            self.run, self.m = chosen, load_run(chosen).recipe.superfeatures
            self._moved()
        self.late(before)

    def back(self) -> None:
        if len(self.views) > 1:
            self.views.pop()
            before = self.app._tree.get_widget_states()
            self.run, self.m, query = self.views[-1]
            self.app.query_params.clear()
            for key, text in query.items():
                self.app.query_params[key] = text
            self._rerun(None, is_history_navigation=True)
            self.late(before)

    def reload(self) -> None:
        self.app = visit("train", **address(self.app))

    def late(self, states: Any) -> None:
        """A tick of what moves by itself, from a browser that has not yet heard of what the server did last."""
        if self._in_progress:
            due = list(self.app._fragment_storage._fragments)
            self._rerun(states, fragment_id_queue=due, is_auto_rerun=True)
            self.app.run()  # the whole page once more

    @property
    def _in_progress(self) -> bool:
        return any(button.label == "Stop" for button in self.app.button)

    def _rerun(self, states: Any, **request: Any) -> None:
        with self.monkeypatch.context() as patch:
            patch.setattr(local_script_runner, "RerunData", functools.partial(local_script_runner.RerunData, **request))
            self.app._run(states)

    def _press(self, label: str) -> None:
        next(button for button in self.app.button if button.label == label).click().run()

    def _moved(self) -> None:
        if not self.views or self.views[-1][:2] != (self.run, self.m):
            self.views.append((self.run, self.m, address(self.app)))

    def check(self) -> None:
        """Everything that names a run or its settings names the expected one."""
        app = sound(self.app, "train")
        shown = {control(app, "widget.run").value} | {
            button.key.partition(".")[2] for button in app.button if button.label in ("Stop", "Resume training")
        }
        assert {name.partition(" · ")[0] for name in shown} == {self.run}
        assert address(app).get("run", "digits-preset") == self.run
        assert address(app).get("m", "4") == str(self.m)
        assert control(app, "widget.superfeatures").value == self.m


MOVES = ("train", "stop", "change", "choose", "back", "reload")


@pytest.mark.parametrize("seed", range(2))
def test_whatever_a_visitor_does_in_whatever_order_one_run_is_in_view(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model(monkeypatch, random.Random(seed))
    for move in ("train", "change", "stop", *model.order.choices(MOVES, k=7)):
        getattr(model, move)()
        model.check()


def test_what_a_late_browser_tells_of_the_run_before_is_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick told the server of the menu as it had been before *Train*, and the run before came back with its settings."""
    model = Model(monkeypatch, random.Random(0))
    model.train()
    model.check()
    assert address(model.app)["th"] == WIDTHS
