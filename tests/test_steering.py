"""Steering through the run folder: pauses and steps hold at once, and what was changed on the way can be computed again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ked import jobs, steering
from ked.changes import Change
from ked.errors import InvalidInput
from ked.recipe import Recipe, run
from ked.stage_keys import adjustable, stage_keys
from ked.store import Run, create_run, home
from ked.weights import load_stack

RECIPE = Recipe(
    methods=("kd", "ked"), seeds=2, epochs=3, teacher_epochs=2, teacher_hidden=(24,), student_hidden=(8,), train_size=200
)
MOVES = ("tick", "step")
Event = dict[str, Any]


class Driver:
    """A run in this process, taken event by event."""

    def __init__(self, recipe: Recipe = RECIPE, **options: Any) -> None:
        self.run = create_run(recipe)
        self.seen: list[Event] = []
        self.events: Iterator[Event] = run(recipe, into=self.run, **options)

    def until(self, kind: str, **values: Any) -> Event:
        """Go on to the first event like this."""
        for event in self.events:
            self.seen.append(event)
            if event["kind"] == kind and all(event.get(name) == value for name, value in values.items()):
                return event
        raise AssertionError(f"no event {kind} {values}")

    def ticks(self, count: int) -> list[Event]:
        """So many events further."""
        return [next(self.events) for _ in range(count)]

    def rest(self) -> Run:
        """Go on to the end."""
        self.seen += list(self.events)
        return self.run


def _told(run: Run, *kinds: str) -> list[Event]:
    return [event for event in run.events()[0] if event["kind"] in kinds]


def _nets(run: Run) -> dict[str, list[torch.Tensor]]:
    return {path.name: list(load_stack(path).parameters()) for path in run.folder.glob("*.safetensors") if path.stem != "dependency"}


def _same(one: Run, other: Run) -> bool:
    mine, theirs = _nets(one), _nets(other)
    assert mine.keys() == theirs.keys()
    return all(torch.equal(a, b) for name in mine for a, b in zip(mine[name], theirs[name], strict=True))


def test_a_pause_holds_before_the_next_batch_and_is_told_once() -> None:
    driver = Driver()
    epoch = driver.until("epoch", stage="student-ked", epoch=1)
    steering.pause(driver.run)
    paused = next(driver.events)
    assert (paused["kind"], paused["stage"], paused["epoch"], paused["step"]) == ("paused", "student-ked", 2, 1)
    assert {event["kind"] for event in driver.ticks(5)} == {"tick"}
    assert driver.run.events()[0][-2:] == [epoch, paused], "a tick at rest is no batch"
    steering.play(driver.run)
    assert driver.until("resumed")["step"] == 1
    assert driver.rest().status == "done"
    assert len(_told(driver.run, "paused")) == len(_told(driver.run, "resumed")) == 1


def test_one_batch_and_one_epoch_are_taken_and_no_more() -> None:
    driver = Driver()
    driver.until("epoch", stage="student-kd", epoch=1)
    steering.pause(driver.run)
    driver.until("paused")
    steering.step(driver.run)
    assert driver.until("step")["step"] == 1
    assert driver.until("paused")["step"] == 2
    steering.step(driver.run, batches=1)
    steering.step(driver.run, batches=2)
    driver.seen.clear()
    assert driver.until("paused")["step"] == 5, "presses add up"
    assert [event["step"] for event in driver.seen if event["kind"] == "step"] == [2, 3, 4]
    steering.step(driver.run, epochs=1)
    driver.seen.clear()
    at_rest = driver.until("paused")
    assert (at_rest["epoch"], at_rest["step"]) == (3, 1)
    steps = [event for event in driver.seen if event["kind"] == "step"]
    assert [event["step"] for event in steps] == list(range(5, steps[0]["steps"] + 1)), "at rest, each batch is told"
    assert [event["epoch"] for event in driver.seen if event["kind"] == "epoch"] == [2]


def test_steps_tell_every_term_a_replica_and_the_weights_in_force() -> None:
    driver = Driver()
    driver.until("epoch", stage="student-ked", epoch=1)
    steering.pause(driver.run)
    driver.until("paused")
    steering.adjust(driver.run, mu=0.0)
    steering.step(driver.run)
    step = driver.until("step")
    assert step["weights"] == pytest.approx({"ce": 0.3, "prediction": 70.0, "explanation": 0.0})
    assert {name: len(values) for name, values in step["loss"].items()} == {"ce": 2, "prediction": 2, "explanation": 2}


def test_slow_motion_tells_each_batch_and_takes_its_time() -> None:
    driver = Driver()
    driver.until("epoch", stage="student-ked", epoch=1)
    steering.slow(driver.run, 0.05)
    driver.until("step")
    began = time.monotonic()
    steps = [driver.until("step")["step"] for _ in range(3)]
    assert steps == list(range(steps[0], steps[0] + 3))
    assert time.monotonic() - began >= 3 * 0.05 - 0.02
    steering.slow(driver.run, 0)
    assert driver.rest().info["seconds"]["student-ked"] < time.monotonic() - began, "seconds are those of training"


@pytest.mark.parametrize("at_rest", [False, True])
def test_a_cancelled_run_takes_no_further_batch(at_rest: bool) -> None:
    driver = Driver()
    driver.until("epoch", stage="student-ked", epoch=1)
    if at_rest:
        steering.pause(driver.run)
        driver.until("paused")
    steering.cancel(driver.run)
    assert [event["kind"] for event in driver.events if event["kind"] in (*MOVES, "epoch")] == []
    assert driver.run.status == "cancelled"
    events = run(driver.run.recipe, into=driver.run)
    assert any(event["kind"] == "epoch" for event in events), "started again, it plays"
    events.close()  # type: ignore[attr-defined]


def test_rest_comes_to_a_stage_without_batches_too() -> None:
    driver = Driver()
    driver.until("stage", stage="dependency")
    steering.pause(driver.run)
    assert driver.until("paused") | {"time": 0} == {"kind": "paused", "stage": "dependency", "epoch": 0, "step": 0, "time": 0}
    steering.play(driver.run)
    assert driver.rest().status == "done"


def test_a_run_that_rests_gives_its_slot_back_and_waits_for_it() -> None:
    said: list[str] = []
    free = iter([False, False, True])

    def ask() -> bool:
        said.append("ask")
        return next(free)

    driver = Driver(on_pause=lambda: said.append("give back"), on_play=ask)
    steering.pause(driver.run)
    driver.until("paused")
    driver.ticks(2)
    assert said == ["give back"]
    steering.play(driver.run)
    driver.until("resumed")
    assert said == ["give back", "ask", "ask", "ask"]


SETTINGS = [("student-ked", {"temperature": 4.0, "tau": 5.0}), ("student-ked", {"lam": 0.2, "mu": 0.1}), ("teacher", {"lr": 0.01})]


def _steered(stage: str, settings: dict[str, float]) -> Driver:
    """A run whose settings changed, in one stage, before batch 6 of epoch 2."""
    driver = Driver()
    driver.until("epoch", stage=stage, epoch=1)
    steering.pause(driver.run)
    driver.until("paused", step=1)
    steering.step(driver.run, batches=5)
    driver.until("paused", step=6)
    steering.adjust(driver.run, **settings)
    return driver


@pytest.mark.parametrize(("stage", "settings"), SETTINGS)
def test_a_steered_run_can_be_computed_again_bit_by_bit(
    stage: str, settings: dict[str, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = _steered(stage, settings)
    adjusted = driver.until("adjusted")
    assert (adjusted["stage"], adjusted["epoch"], adjusted["step"], adjusted["changes"]) == (stage, 2, 6, settings)
    steering.play(driver.run)
    steered = driver.rest()
    assert steered.recipe.changes == tuple(
        Change(stage=stage, epoch=2, step=6, setting=name, value=value) for name, value in sorted(settings.items())
    )
    monkeypatch.setenv("KED_HOME", str(tmp_path / "again"))
    again, plain = create_run(steered.recipe), create_run(RECIPE)
    for made in (again, plain):
        list(run(made.recipe, into=made))
    assert _same(steered, again)
    assert not _same(steered, plain)
    for kind in ("adjusted", "epoch"):
        told = [[event | {"time": 0} for event in _told(made, kind)] for made in (steered, again)]
        assert told[0] == told[1]


def test_a_steered_stage_is_cached_under_its_changes_and_never_under_the_plain_key() -> None:
    driver = _steered("teacher", {"lr": 0.01})
    steering.play(driver.run)
    steered = driver.rest()
    plain, changed = stage_keys(RECIPE), stage_keys(steered.recipe)
    assert not plain.items() & changed.items(), "all here descends from the teacher"
    assert steered.info["stages"] == changed
    kept = {path.name for path in (home() / "cache").iterdir()}
    assert kept == set(changed.values())


def test_a_change_of_one_student_leaves_the_other_stages_keys() -> None:
    change = Change(stage="student-ked", epoch=1, step=2, setting="mu", value=0.1)
    plain, changed = stage_keys(RECIPE), stage_keys(RECIPE.without(changes=[change]))
    assert {stage for stage in plain if plain[stage] != changed[stage]} == {"student-ked"}


def test_a_run_that_broke_off_after_a_change_goes_on_with_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off twice: in the epoch of the change, which is lost but for the change, and in the one after."""
    driver = _steered("student-ked", {"temperature": 4.0, "lr": 0.003})
    driver.until("adjusted")
    steering.step(driver.run, batches=2)
    driver.until("step", step=7)
    driver.events.close()  # type: ignore[attr-defined]
    broken = driver.run
    assert broken.recipe.changes
    for epoch in (2, None):
        steering.clear(broken)
        for event in (events := run(broken.recipe, into=broken)):
            if epoch and (event["kind"], event.get("stage"), event.get("epoch")) == ("epoch", "student-ked", epoch):
                [next(events) for _ in range(3)]
                events.close()  # type: ignore[attr-defined]
    monkeypatch.setenv("KED_HOME", str(tmp_path / "again"))
    again = create_run(broken.recipe)
    list(run(again.recipe, into=again))
    assert _same(broken, again)
    last = [index for index, event in enumerate(broken.events()[0]) if event["kind"] == "stage" and event["stage"] == "student-ked"]
    told = [(e["kind"], e["epoch"]) for e in broken.events()[0][last[-1] :] if e["kind"] in ("epoch", "adjusted")]
    assert told == [("epoch", 1), ("adjusted", 2), ("epoch", 2), ("epoch", 3)]


def test_a_value_that_is_set_back_before_its_first_batch_was_never_changed() -> None:
    driver = _steered("student-ked", {"mu": 0.1})
    driver.until("adjusted")
    steering.adjust(driver.run, mu=RECIPE.mu)
    assert driver.until("adjusted")["changes"] == {"mu": RECIPE.mu}
    steering.play(driver.run)
    assert driver.rest().recipe == RECIPE


def test_whoever_steers_has_the_last_word_over_recorded_changes() -> None:
    recorded = [Change(stage="student-ked", epoch=e, step=1, setting="mu", value=e / 10) for e in (1, 3)]
    driver = Driver(RECIPE.without(changes=recorded))
    driver.until("epoch", stage="student-ked", epoch=1)
    steering.adjust(driver.run, mu=0.9)
    driver.until("adjusted")
    assert [(c.epoch, c.value) for c in driver.rest().recipe.changes] == [(1, 0.1), (2, 0.9)]


def test_a_setting_that_means_nothing_to_the_stage_is_refused_with_a_sentence(one_sentence: Callable[[str], str]) -> None:
    driver = Driver()
    driver.until("epoch", stage="teacher", epoch=1)
    steering.adjust(driver.run, mu=0.1, lr=0.01)
    refused = driver.until("refused")
    assert refused["changes"] == {"mu": 0.1}
    assert "teacher" in one_sentence(refused["reason"])
    assert driver.until("adjusted")["changes"] == {"lr": 0.01}


def test_each_stage_knows_what_may_change() -> None:
    assert adjustable("teacher") == adjustable("student-plain") == ("lr",)
    assert adjustable("dependency") == ()
    assert set(adjustable("student-kd")) == {"lr", "temperature", "lam"}
    assert set(adjustable("student-ked")) == {"lr", "temperature", "lam", "tau", "mu"}
    assert set(adjustable("student-ked+at")) == {"lr", "temperature", "lam", "tau", "mu", "rho"}


WRONG: list[tuple[Callable[[Run], None], str]] = [
    (lambda made: steering.adjust(made, mu=7.0), "mu = 7.0"),
    (lambda made: steering.adjust(made, lr=float("nan")), "lr = nan"),
    (lambda made: steering.adjust(made, epochs=3), "'epochs'"),
    (lambda made: steering.slow(made, -1), "-1"),
    (lambda made: steering.step(made, batches=-2), "-2"),
]


@pytest.mark.parametrize(("order", "named"), WRONG)
def test_a_wrong_order_is_refused_with_a_sentence(
    order: Callable[[Run], None], named: str, one_sentence: Callable[[str], str]
) -> None:
    made = create_run(RECIPE)
    with pytest.raises(InvalidInput) as caught:
        order(made)
    assert named in one_sentence(str(caught.value))
    assert not (made.folder / steering.CONTROL).exists()


def test_a_run_that_has_ended_takes_no_orders_and_a_late_cancel_is_no_error(one_sentence: Callable[[str], str]) -> None:
    made = create_run(RECIPE)
    made.update(status="done")
    steering.cancel(made)
    with pytest.raises(InvalidInput, match="is done") as caught:
        steering.pause(made)
    one_sentence(str(caught.value))


def test_orders_that_are_damaged_or_unknown_change_nothing() -> None:
    driver = Driver()
    with open(driver.run.folder / steering.CONTROL, "a") as file:
        file.write('{"do": "jump"}\n{"do": "slow", "seconds": "fast"}\n{"do\n[1]\n{"do": "step", "batches": 1.5, "epochs": null}\n')
    assert steering.asked(driver.run) == steering.Control()
    assert driver.rest().status == "done"


def test_a_job_rests_without_work_and_goes_on_at_once(wait_for: Callable[..., None]) -> None:
    made = jobs.submit(RECIPE.without(epochs=100_000, methods=("ked",)))
    wait_for(lambda: [e for e in _told(made, "epoch") if e["stage"] == "student-ked"])
    steering.pause(made)
    wait_for(lambda: _told(made, "paused"), 5)
    child = jobs.psutil.Process(made.info["pid"])
    before, size = sum(child.cpu_times()[:2]), (made.folder / "events.jsonl").stat().st_size
    time.sleep(0.5)
    assert sum(child.cpu_times()[:2]) - before < 0.1
    assert (made.folder / "events.jsonl").stat().st_size == size
    assert jobs.status(made) == "running"
    steering.adjust(made, temperature=3.0)
    wait_for(lambda: _told(made, "adjusted"), 5)
    assert made.recipe.changes[0].value == 3.0
    asked = time.monotonic()
    steering.play(made)
    wait_for(lambda: _told(made, "resumed"), 5)
    assert time.monotonic() - asked < 2
    steering.cancel(made)
    wait_for(lambda: jobs.status(made) == "cancelled", 5)
