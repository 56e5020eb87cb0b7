"""The stage cache: what a second run takes from it, what a change makes new, and what happens when it is damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ked.methods import METHODS
from ked.nets.weights import load_stack
from ked.recipe import Recipe
from ked.runs.stage_keys import stage_keys
from ked.store import Run, home

Finish = Callable[[Recipe], Run]


def _cached(run: Run) -> dict[str, bool]:
    return {event["stage"]: event["cached"] for event in run.events()[0] if event["kind"] == "stage"}


def _files(run: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.folder.iterdir() if path.suffix == ".safetensors"}


def test_a_second_run_takes_everything_from_the_cache_and_says_the_same(warm: Run, finish: Finish) -> None:
    again = finish(warm.recipe)
    assert set(_cached(warm).values()) == {False}
    assert set(_cached(again).values()) == {True}
    assert _files(again) == _files(warm)
    assert again.info["summary"] == warm.info["summary"]
    epochs = [[e for e in run.events()[0] if e["kind"] == "epoch"] for run in (warm, again)]
    assert [{**e, "time": 0} for e in epochs[0]] == [{**e, "time": 0} for e in epochs[1]]


def test_a_fresh_home_gives_bit_by_bit_the_same_nets(small_run: Run, finish: Finish) -> None:
    again = finish(small_run.recipe)
    assert set(_cached(again).values()) == {False}
    assert again.info["summary"] == small_run.info["summary"]
    for name in _files(again):
        if name != "dependency.safetensors":
            old, new = load_stack(small_run.folder / name), load_stack(again.folder / name)
            assert all(torch.equal(a, b) for a, b in zip(old.parameters(), new.parameters(), strict=True))


def test_changing_mu_trains_the_ked_student_alone(warm: Run, finish: Finish) -> None:
    again = finish(warm.recipe.without(mu=0.1))
    assert [stage for stage, cached in _cached(again).items() if not cached] == ["student-ked"]
    assert again.info["summary"]["accuracy"]["kd"] == warm.info["summary"]["accuracy"]["kd"]
    assert _files(again)["student-ked.safetensors"] != _files(warm)["student-ked.safetensors"]


def test_another_method_is_added_to_a_finished_run_by_its_training_alone(warm: Run, finish: Finish) -> None:
    methods = tuple(name for name, method in METHODS.items() if method.only != "cnn" and method.prediction != "truth")
    again = finish(warm.recipe.without(methods=methods))
    assert {stage for stage, cached in _cached(again).items() if cached} == set(_cached(warm))
    assert set(again.info["summary"]["accuracy"]) == {"teacher", "explaining", *methods}


def test_a_run_without_a_method_that_needs_it_trains_no_explaining_teacher(finish: Finish, small_recipe: Recipe) -> None:
    plain = finish(small_recipe.without(methods=("plain",), teacher_epochs=1, epochs=0))
    assert not plain.has("explaining")
    assert list(plain.info["summary"]["accuracy"]) == ["teacher", "plain"]


@pytest.mark.parametrize("stage", ["teacher", "dependency", "superfeatures", "explaining", "student-ked"])
def test_a_damaged_cache_entry_is_computed_again(warm: Run, finish: Finish, stage: str) -> None:
    entry = home() / "cache" / warm.info["stages"][stage]
    file = next(path for path in entry.iterdir() if path.is_file() and path.name != "events.jsonl")
    whole = file.read_bytes()
    file.unlink()
    file.write_bytes(whole[: len(whole) // 2])
    again = finish(warm.recipe)
    assert [name for name, cached in _cached(again).items() if not cached] == [stage]
    assert again.info["summary"] == warm.info["summary"]
    assert set(_cached(finish(warm.recipe)).values()) == {True}


def test_a_cache_entry_without_its_result_is_computed_again(warm: Run, finish: Finish) -> None:
    (home() / "cache" / warm.info["stages"]["teacher"] / "teacher.safetensors").unlink()
    assert not _cached(finish(warm.recipe))["teacher"]


def test_a_preset_serves_as_a_cache(small_run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, finish: Finish) -> None:
    shutil.copytree(small_run.folder, tmp_path / "presets" / "small-preset")
    monkeypatch.setattr("ked.store.PRESETS", tmp_path / "presets")
    again = finish(small_run.recipe)
    assert set(_cached(again).values()) == {True}
    assert again.info["summary"] == small_run.info["summary"]
    kept = ("training", "epoch", "dependency", "superfeatures")
    old, new = ([e | {"time": 0} for e in run.events()[0] if e["kind"] in kept] for run in (small_run, again))
    assert old == new


def test_stage_keys_in_run_json_are_those_of_the_recipe(small_run: Run) -> None:
    assert small_run.info["stages"] == stage_keys(small_run.recipe)
    assert json.loads((small_run.folder / "superfeatures.json").read_text())["adjusted"] == small_run.superfeatures().adjusted
