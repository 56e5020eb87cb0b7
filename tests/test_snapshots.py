"""Nets as they were during training: few, evenly spread, the last among them, shared with the cache and not shipped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ked.nets.subnets import mlp
from ked.nets.weights import load_stack
from ked.recipe import Recipe
from ked.runs import presets, snapshots
from ked.runs.pipeline import run
from ked.runs.snapshots import Snapshots, spread
from ked.store import SNAPSHOTS, Run, create_run, home

Finish = Callable[[Recipe], Run]


@given(st.integers(1, 5000), st.integers(1, 24))
def test_the_epochs_that_are_kept_are_spread_evenly_and_end_with_the_last(epochs: int, count: int) -> None:
    kept = sorted(spread(epochs, count))
    assert len(kept) == min(count, epochs)
    assert kept[-1] == epochs
    gaps = [b - a for a, b in zip([0, *kept], kept, strict=False)]
    assert max(gaps) - min(gaps) <= 1


def test_a_finished_run_has_its_nets_after_each_epoch_and_the_last_is_the_result(small_run: Run) -> None:
    for stage, epochs in (("teacher", 3), ("explaining", 3), ("student-plain", 2), ("student-ked", 2)):
        found = small_run.snapshots(stage)
        assert list(found) == list(range(1, epochs + 1))
        nets = [load_stack(path) for path in (*found.values(), small_run.folder / f"{stage}.safetensors")]
        first, *_, last, result = [torch.cat([p.detach().flatten() for p in net.parameters()]) for net in nets]
        assert torch.equal(last, result)
        assert not torch.equal(first, last)
        assert first.dtype == torch.float32
    assert small_run.snapshots("dependency") == small_run.snapshots("student") == small_run.snapshots("student-k") == {}


def test_a_stage_is_not_taken_for_another_whose_name_begins_alike(small_run: Run, tmp_path: Path) -> None:
    (tmp_path / SNAPSHOTS).mkdir()
    for name in ("student-kd-2", "student-kd-explaining-3", "student-kd", "student-kd+real-4", "student-kd-5.draft"):
        (tmp_path / SNAPSHOTS / f"{name}.safetensors").touch()
    assert list(Run(tmp_path).snapshots("student-kd")) == [2]


def test_many_epochs_leave_few_snapshots_and_the_latest_is_always_there(
    finish: Finish, small_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "COUNT", 4)
    made = create_run(small_recipe.without(methods=("plain",), epochs=10))
    for event in run(made.recipe, into=made):
        if event["kind"] == "epoch" and event["stage"] == "student-plain":
            assert max(made.snapshots("student-plain")) == event["epoch"]
    assert list(made.snapshots("student-plain")) == sorted(spread(10, 4)) == [3, 5, 8, 10]


@pytest.mark.parametrize(("room", "kept"), [(1, 0), (2, 2), (3, 3), (50, 24)])
def test_large_nets_leave_fewer(room: int, kept: int, small_recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    net, made = mlp(8, (6,), 3), create_run(small_recipe)
    size = sum(tensor.nbytes for tensor in net.state_dict().values())
    monkeypatch.setattr(snapshots, "BYTES", room * size)
    kept_by = Snapshots(made, "teacher", net, 100)
    assert len(kept_by.kept) == kept
    for epoch in range(1, 101):
        kept_by.write(epoch)
    assert len(made.snapshots("teacher")) == kept


def test_a_cached_stage_brings_its_snapshots_along_at_the_price_of_a_link(warm: Run, finish: Finish) -> None:
    again = finish(warm.recipe)
    for stage in ("teacher", "student-ked"):
        entry = Run(home() / "cache" / again.info["stages"][stage])
        assert again.snapshots(stage).keys() == entry.snapshots(stage).keys() == warm.snapshots(stage).keys()
        for epoch, path in again.snapshots(stage).items():
            assert os.path.samefile(path, entry.snapshots(stage)[epoch])


def test_a_damaged_snapshot_does_not_spoil_the_cached_stage(warm: Run, finish: Finish) -> None:
    entry = Run(home() / "cache" / warm.info["stages"]["student-ked"])
    entry.snapshots("student-ked")[1].write_bytes(b"no net")
    assert all(event["cached"] for event in finish(warm.recipe).events()[0] if event["kind"] == "stage")


def test_a_training_that_starts_anew_forgets_the_snapshots_of_the_one_that_broke_off(small_recipe: Recipe) -> None:
    made = create_run(small_recipe)
    events = run(made.recipe, into=made)
    next(event for event in events if (event["kind"], event.get("epoch")) == ("epoch", 2))
    events.close()  # type: ignore[attr-defined]
    assert list(made.snapshots("teacher")) == [1, 2]
    (made.folder / SNAPSHOTS / "teacher.safetensors").unlink()
    first = next(event for event in run(made.recipe, into=made) if event["kind"] == "epoch")
    assert first["epoch"] == 1
    assert list(made.snapshots("teacher")) == [1]


def test_presets_ship_without_snapshots_but_for_those_that_the_lesson_looks_back_at(small_run: Run, tmp_path: Path) -> None:
    shutil.copytree(small_run.folder, tmp_path / "made")
    presets._ship(Run(tmp_path / "made"), tmp_path / "shipped", ())
    assert (tmp_path / "shipped" / "teacher.safetensors").is_file()
    assert not (tmp_path / "shipped" / SNAPSHOTS).exists()
