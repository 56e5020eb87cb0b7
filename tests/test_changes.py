"""Settings that change while a net trains: what was changed on the way can be computed again."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driver import RECIPE, Driver, same, told

from ked.changes import Change, check
from ked.errors import InvalidInput
from ked.recipe import Recipe
from ked.runs import steering
from ked.runs.pipeline import run
from ked.runs.stage_keys import adjustable, stage_keys
from ked.store import create_run, home

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
    assert same(steered, again)
    assert not same(steered, plain)
    for kind in ("adjusted", "epoch"):
        events = [[event | {"time": 0} for event in told(made, kind)] for made in (steered, again)]
        assert events[0] == events[1]


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


@pytest.mark.parametrize("other", [{"epoch": 2}, {"step": 3}, {"setting": "lam"}, {"value": 0.2}])
def test_each_part_of_a_change_moves_the_key(other: dict[str, Any]) -> None:
    change = {"stage": "student-ked", "epoch": 1, "step": 2, "setting": "mu", "value": 0.1}
    first, second = (stage_keys(RECIPE.without(changes=[Change(**found)])) for found in (change, change | other))
    assert first["student-ked"] != second["student-ked"]


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
    assert same(broken, again)
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


@pytest.mark.parametrize("setting", ["temperature", "tau"])
def test_temperatures_go_as_far_as_float32_can_tell_the_loss(setting: str, one_sentence: Callable[[str], str]) -> None:
    for value in (1e-3, 1e4):
        assert Recipe.make(**{setting: value}).model_dump()[setting] == value
        check(**{setting: value})
    for value in (1e-4, 2e4, math.inf, math.nan):
        with pytest.raises(InvalidInput, match=f"^{setting} = .* is not allowed: .*(0.001|10000|finite)") as caught:
            Recipe.make(**{setting: value})
        one_sentence(str(caught.value))
        with pytest.raises(ValueError, match=f"^{setting} = .* is not allowed: .*(0.001|10000|finite)"):
            check(**{setting: value})
