"""Steering a run while it is computed, through its folder alone: pause, play, single steps, slow motion, other settings.

Whoever watches calls the functions here; each adds one order to the folder's `control.jsonl`. The job's `Steering` looks at that
file before every batch (one `stat`, some microseconds) and obeys, so everything takes effect at the next batch, or at the next
report of a stage without batches. Each order has an id, and one that comes twice is obeyed once: whoever passes on what somebody
pressed, and cannot be sure that it was not passed on before, gives the press's own. What happened is told by events:

- "paused", "resumed": training rests before, or goes on with, batch `step` of `epoch` (both from 1; 0 in a stage without
  batches). A run that rests goes on with "resumed" or, for single steps, with its next "step" or "epoch".
- "adjusted": from that batch on the settings in `changes` have other values, and the loss terms the `weights`. Changes become
  part of the run's recipe (`Recipe.changes`), so that the recipe gives the same numbers again. A change belongs to the stage
  that it was made in: later students start from the recipe's own values.
- "refused": settings in `changes` that mean nothing to the stage at work, or values that they cannot have, with the `reason`.

While a run is paused, or in slow motion, every batch gives a "step" event.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ked import changes
from ked.errors import InvalidInput
from ked.files import jsonl
from ked.files.disk import disk_errors
from ked.recipe import Recipe
from ked.runs.stage_keys import adjustable, stage_keys
from ked.store import Run

Event = dict[str, Any]
Order = dict[str, Any]

CONTROL = "control.jsonl"
POLL = 0.02  # seconds between two looks while nothing goes on
SLOWEST = 60.0  # seconds a batch


def pause(run: Run, id: str = "") -> None:
    """Rest before the next batch."""
    _give(run, {"do": "pause"}, id)


def play(run: Run, id: str = "") -> None:
    """Go on; at full speed unless slow motion was asked for."""
    _give(run, {"do": "play"}, id)


def step(run: Run, *, batches: int = 0, epochs: int = 0, id: str = "") -> None:
    """Take so many batches, or go on to the end of so many epochs, and rest then; one batch if nothing is said.

    Presses add up: two steps that are asked for at once are both taken.
    """
    if batches < 0 or epochs < 0:
        raise InvalidInput(f"a run cannot step back by {min(batches, epochs)}; ask for 1 or more batches or epochs.")
    _give(run, {"do": "step", "batches": batches if batches or epochs else 1, "epochs": epochs}, id)


def slow(run: Run, seconds_per_batch: float) -> None:
    """Slow motion: one batch in so many seconds; 0 ends it."""
    if not 0 <= seconds_per_batch <= SLOWEST:
        raise InvalidInput(f"slow motion needs 0 to {SLOWEST:g} seconds a batch, not {seconds_per_batch}.")
    _give(run, {"do": "slow", "seconds": seconds_per_batch})


def adjust(run: Run, **settings: float) -> None:
    """Give settings (`ked.changes.ADJUSTABLE`) other values from the next batch on, in the stage at work.

    Between two trainings the next one takes the change. The event "adjusted" or "refused" says what became of it.

    Raises:
        InvalidInput: A setting that cannot change while a net trains, or a value that it cannot have.
    """
    try:
        changes.check(**settings)
    except ValueError as error:
        raise InvalidInput(f"{error}.") from None
    _give(run, {"do": "adjust", "settings": settings})


def cancel(run: Run) -> None:
    """End the run after the batch in hand; what is finished is kept. Of a run that has ended: nothing."""
    if run.status in _AT_WORK:
        _give(run, {"do": "cancel"})


def clear(run: Run) -> None:
    """Forget all orders: a run that is started again plays."""
    with disk_errors(run.folder):
        (run.folder / CONTROL).unlink(missing_ok=True)


@dataclass
class Control:
    """What the orders so far come to.

    Attributes:
        paused: Whether to rest, but for the steps granted.
        batches, epochs: Steps granted and, to the job, not yet taken.
        slow: Seconds a batch.
        cancelled: Whether to end.
        pending: Settings to change at the next batch, as they came.
    """

    paused: bool = False
    batches: int = 0
    epochs: int = 0
    slow: float = 0.0
    cancelled: bool = False
    pending: dict[str, Any] = field(default_factory=dict)
    known: set[str] = field(default_factory=set, repr=False, compare=False)  # ids of the orders so far

    def obey(self, order: Order) -> None:
        """Take in one order; one that came before, is unknown or damaged changes nothing."""
        match order:
            case {"id": str(name)} if name in self.known:
                return
            case {"id": str(name)}:
                self.known.add(name)
        match order:
            case {"do": "pause"}:
                self.paused, self.batches, self.epochs = True, 0, 0
            case {"do": "play"}:
                self.paused, self.batches, self.epochs = False, 0, 0
            case {"do": "step", "batches": int(batches), "epochs": int(epochs)} if batches >= 0 and epochs >= 0:
                self.paused, self.batches, self.epochs = True, self.batches + batches, self.epochs + epochs
            case {"do": "slow", "seconds": float(seconds) | int(seconds)} if 0 <= seconds <= SLOWEST:
                self.slow = seconds
            case {"do": "adjust", "settings": dict(settings)}:
                self.pending |= settings
            case {"do": "cancel"}:
                self.cancelled = True

    @property
    def may_pass(self) -> bool:
        """Whether a batch may be taken, as far as pauses go."""
        return not self.cancelled and (not self.paused or self.batches > 0 or self.epochs > 0)


def asked(run: Run) -> Control:
    """What has been asked of a run, whether or not its job has obeyed yet; for buttons. Steps and changes are all there ever were."""
    control = Control()
    for order in jsonl.read(run.folder / CONTROL)[0]:
        control.obey(order)
    return control


class Steering:
    """The job's side: asked before each batch, it waits where that is wanted and says what changed.

    Args:
        run: Whose folder is watched.
        recipe: Of the run; `recipe` is the same with the changes so far.
        on_pause: Called when the run comes to rest: the place to give back what others could use, such as a slot.
        on_play: Called before it goes on, also for a single step, and again every 20 ms until it says yes.
    """

    def __init__(
        self,
        run: Run,
        recipe: Recipe,
        *,
        on_pause: Callable[[], object] = lambda: None,
        on_play: Callable[[], bool] = lambda: True,
    ) -> None:
        self.run, self.recipe = run, recipe
        self.waited = 0.0  # seconds spent at rest and in slow motion
        self._on_pause, self._on_play = on_pause, on_play
        self._path, self._offset = str(run.folder / CONTROL), 0
        self._control, self._told, self._passed = Control(), False, 0.0
        self._places = {(change.stage, *change.place) for change in recipe.changes}
        self._known: tuple[Any, str] = (None, "")  # the last key that was asked for

    @property
    def cancelled(self) -> bool:
        """Whether the run was asked to end."""
        self._look()
        return self._control.cancelled

    @property
    def close_up(self) -> bool:
        """Whether each single batch is looked at."""
        return self._control.paused or self._control.slow > 0

    def key(self, stage: str, epoch: int | None = None) -> str:
        """A stage's key under the changes so far; where an epoch is given, as it was trained up to the end of that one."""
        asked = (self.recipe, stage, epoch if any(change.stage == stage for change in self.recipe.changes) else None)
        if self._known[0] != asked:
            self._known = asked, stage_keys(self.recipe if asked[2] is None else self.recipe.before(stage, asked[2] + 1, 1))[stage]
        return self._known[1]

    def hold(self, stage: str, epoch: int = 0, step: int = 0) -> Iterator[Event]:
        """Wait as long as whoever steers wants, then let one batch pass (or one report, of epoch 0).

        Yields "adjusted", "refused", "paused" and "resumed", and a "tick" every 20 ms while it waits.
        """
        began, resting, head = time.monotonic(), False, {"stage": stage, "epoch": epoch, "step": step}
        if (stage, epoch, step) in self._places:
            yield head | {"kind": "adjusted", "changes": self._recorded(stage, epoch, step)}
        while True:
            self._look()
            if epoch and self._control.pending:
                yield from self._adjust(head)
            free = self._control.may_pass
            if free and self._slow_for == 0 and (not resting or self._on_play()):
                break
            if not free and not resting and not self._control.cancelled:
                resting = self._told = True
                self._on_pause()
                yield head | {"kind": "paused"}
            time.sleep(POLL if resting else min(POLL, self._slow_for))
            yield {"kind": "tick"}
        if self._told and not self._control.paused:
            self._told = False
            yield head | {"kind": "resumed"}
        self._control.batches -= bool(self._control.batches and not self._control.epochs)
        self._passed = time.monotonic()
        self.waited += self._passed - began

    def epoch_ended(self) -> None:
        """Take note that one of the epochs that were granted is over."""
        self._control.epochs -= bool(self._control.epochs)

    def _look(self) -> None:
        try:
            if os.stat(self._path).st_size == self._offset:
                return
        except FileNotFoundError:
            return
        orders, self._offset = jsonl.read(self.run.folder / CONTROL, self._offset)
        for order in orders:
            self._control.obey(order)

    @property
    def _slow_for(self) -> float:
        """Seconds of slow motion before the next batch; single steps do not wait for them."""
        if self._control.paused or not self._control.slow:
            return 0.0
        return max(0.0, self._passed + self._control.slow - time.monotonic())

    def _recorded(self, stage: str, epoch: int, step: int) -> dict[str, float]:
        here = (c for c in self.recipe.changes if (c.stage, *c.place) == (stage, epoch, step))
        return {change.setting: change.value for change in here}

    def _adjust(self, head: Event) -> Iterator[Event]:
        asked, self._control.pending = self._control.pending, {}
        place: tuple[str, int, int] = (head["stage"], head["epoch"], head["step"])
        wrong = {name: reason for name, value in asked.items() if (reason := _flaw(name, value))}
        for reason in wrong.values():
            yield head | {"kind": "refused", "changes": {}, "reason": reason}  # what cannot be a value is no change
        wanted = {name: float(value) for name, value in asked.items() if name not in wrong}
        known, now = adjustable(head["stage"]), self.recipe.in_force(*place)
        if foreign := {name: value for name, value in wanted.items() if name not in known}:
            reason = f"{', '.join(foreign)} means nothing to {head['stage']}, whose loss it is not part of."
            yield head | {"kind": "refused", "changes": foreign, "reason": reason}
        if new := {name: value for name, value in wanted.items() if name in known and value != getattr(now, name)}:
            self.recipe = self.recipe.changed(place, **new)
            self._places = {(change.stage, *change.place) for change in self.recipe.changes}
            self.run.update(recipe=self.recipe.model_dump())  # before it counts: a run that breaks off here goes on with it
            yield head | {"kind": "adjusted", "changes": new}


def _flaw(name: str, value: Any) -> str:
    """Why a setting cannot have a value, as a sentence; whoever writes orders by hand may ask for anything."""
    try:
        changes.check(**{name: value})
    except ValueError as error:
        return f"{error}."
    return ""


_AT_WORK = ("queued", "running")


def _give(run: Run, order: Order, id: str = "") -> None:
    if run.status not in _AT_WORK:
        raise InvalidInput(f"run {run.id} is {run.status}; only a run at work can be steered.")
    with disk_errors(run.folder):
        jsonl.append(run.folder / CONTROL, {"id": id or secrets.token_hex(8), **order})
