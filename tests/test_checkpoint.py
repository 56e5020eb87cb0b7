"""A training that was interrupted goes on with the same numbers as one that was not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ked.nets.subnets import mlp
from ked.recipe import Recipe
from ked.runs import pipeline
from ked.store import Run, create_run
from ked.training.checkpoint import Checkpoint
from ked.training.optimisers import adam

RECIPE = Recipe(methods=("plain", "ked"), seeds=2, epochs=4, teacher_epochs=3, teacher_hidden=(24,), student_hidden=(8,))


def _finish(run: Run) -> Run:
    for _ in pipeline.run(run.recipe, into=run):
        pass
    return run


def _interrupt(run: Run, stage: str, epoch: int) -> Run:
    """Stop a run in the middle of the epoch that follows the given one."""
    events = pipeline.run(run.recipe, into=run)
    for event in events:
        if (event.get("stage"), event.get("kind"), event.get("epoch")) == (stage, "epoch", epoch):
            break
    for _ in range(5):
        next(events)
    events.close()
    return run


@pytest.mark.parametrize("stage", ["teacher", "explaining", "student-plain", "student-ked"])
def test_a_resumed_run_has_the_numbers_of_an_uninterrupted_one(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KED_HOME", str(tmp_path / "whole"))
    whole = _finish(create_run(RECIPE))
    monkeypatch.setenv("KED_HOME", str(tmp_path / "broken"))
    broken = _interrupt(create_run(RECIPE), stage, 2)
    assert broken.status == "cancelled"
    assert not broken.has(stage)
    resumed = _finish(broken)
    assert resumed.info["summary"] == whole.info["summary"]
    for name in ("plain", "ked"):
        for mine, theirs in zip(resumed.student(name).parameters(), whole.student(name).parameters(), strict=True):
            assert torch.equal(mine, theirs)


def test_a_resumed_stage_tells_all_its_epochs_once_more() -> None:
    run = _interrupt(create_run(RECIPE), "teacher", 2)
    before = len(run.events()[0])
    _finish(run)
    told = [e["epoch"] for e in run.events()[0][before:] if e["kind"] == "epoch" and e["stage"] == "teacher"]
    assert told == [1, 2, 3]


def test_a_finished_stage_leaves_no_checkpoint() -> None:
    run = _finish(create_run(RECIPE))
    assert not [stage for stage in run.info["stages"] if (run.folder / "checkpoints" / f"{stage}.safetensors").exists()]


@pytest.mark.parametrize("harm", ["other key", "cut in half", "other shape"])
def test_a_checkpoint_that_does_not_fit_changes_nothing(harm: str, tmp_path: Path) -> None:
    net = mlp(6, [4], 3)
    optimiser = adam(net, 1e-3)
    net(torch.rand(5, 6)).sum().backward()
    optimiser.step()
    path = tmp_path / "checkpoints" / "teacher.safetensors"
    Checkpoint(path, lambda epoch: "right", net, optimiser).write(1, ['{"epoch": 1}'])
    if harm == "cut in half":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    other = mlp(6, [5 if harm == "other shape" else 4], 3)
    before = [parameter.clone() for parameter in other.parameters()]
    fresh = Checkpoint(path, lambda epoch: "wrong" if harm == "other key" else "right", other, adam(other, 1e-3))
    assert fresh.restore() == (0, [])
    assert all(torch.equal(a, b) for a, b in zip(before, other.parameters(), strict=True))
