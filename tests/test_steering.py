"""Steering through the run folder: pauses and steps hold at once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import psutil
import pytest
from driver import RECIPE, Driver, told

from ked import jobs
from ked.errors import InvalidInput
from ked.runs import steering
from ked.runs.pipeline import run
from ked.store import Run, create_run

MOVES = ("tick", "step")


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
    assert len(told(driver.run, "paused")) == len(told(driver.run, "resumed")) == 1


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


def test_an_order_that_comes_twice_is_obeyed_once_and_each_of_fifty_counts() -> None:
    driver = Driver()
    driver.until("epoch", stage="student-kd", epoch=1)
    steering.pause(driver.run)
    driver.until("paused")
    for number in range(50):
        for _ in range(1 + number % 3):
            steering.step(driver.run, batches=1, id=f"press-{number}")
    steering.pause(driver.run, id="press-0")  # whatever it asks for now
    assert (steering.asked(driver.run).batches, steering.asked(driver.run).paused) == (50, True)
    driver.seen.clear()
    driver.until("paused")
    assert sum(event["kind"] == "step" for event in driver.seen) == 50


WRONG_ORDERS = [
    ({"do": "adjust", "settings": {"lr": "x"}}, "lr = 'x'"),
    ({"do": "adjust", "settings": {"lr": [0.1]}}, "lr = [0.1]"),
    ({"do": "adjust", "settings": {"mu": None}}, "mu = None"),
    ({"do": "adjust", "settings": {"epochs": 3}}, "'epochs'"),
    ({"do": "adjust", "settings": "lr"}, ""),
    ({"do": "slow", "seconds": float("nan")}, ""),
    ({"do": "slow", "seconds": 1e9}, ""),
    ({"do": "step", "batches": -5, "epochs": 0}, ""),
    ({"do": "pause", "id": "same"}, ""),
    ({"do": ["pause"], "id": {}}, ""),
]


def test_an_order_that_somebody_wrote_by_hand_is_refused_with_a_sentence_and_the_run_goes_on(one_sentence: Callable[[str], str]) -> None:
    driver = Driver()
    driver.until("epoch", stage="student-ked", epoch=1)
    steering.play(driver.run, id="same")
    named = [name for _, name in WRONG_ORDERS if name]
    with open(driver.run.folder / steering.CONTROL, "a") as file:
        file.writelines(f"{json.dumps(order)}\n" for order, _ in WRONG_ORDERS)
    assert driver.rest().status == "done"
    assert driver.run.recipe == RECIPE
    refused = {event["reason"] for event in told(driver.run, "refused")}
    assert sum(any(name in one_sentence(reason) for reason in refused) for name in named) == 3, "of several values of one setting the last"


def test_a_job_rests_without_work_and_goes_on_at_once(wait_for: Callable[..., None]) -> None:
    made = jobs.submit(RECIPE.without(epochs=100_000, methods=("ked",)))
    wait_for(lambda: [e for e in told(made, "epoch") if e["stage"] == "student-ked"])
    steering.pause(made)
    wait_for(lambda: told(made, "paused"))
    child = psutil.Process(made.info["pid"])
    before, size = sum(child.cpu_times()[:2]), (made.folder / "events.jsonl").stat().st_size
    time.sleep(0.5)
    assert sum(child.cpu_times()[:2]) - before < 0.1
    assert (made.folder / "events.jsonl").stat().st_size == size
    assert jobs.status(made) == "running"
    steering.adjust(made, temperature=3.0)
    wait_for(lambda: told(made, "adjusted"))
    assert made.recipe.changes[0].value == 3.0
    steering.play(made)
    wait_for(lambda: told(made, "resumed"))
    steering.cancel(made)
    wait_for(lambda: jobs.status(made) == "cancelled")
