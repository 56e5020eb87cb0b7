"""One sample, and agreement, over the epochs: each point is what the net of that epoch says."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ked import data
from ked.errors import InvalidInput, Unavailable
from ked.nets.weights import load_stack
from ked.recipe import Recipe
from ked.runs.trajectory import agreement, trajectory
from ked.store import SNAPSHOTS, Run, create_run

X = data.load("digits").part("validation")[0][:40]


@pytest.mark.parametrize("stage", ["teacher", "explaining", "student-plain", "student-ked"])
def test_each_epoch_is_what_its_own_net_says(small_run: Run, stage: str) -> None:
    found = trajectory(small_run, stage, X[3])
    assert found.epochs == tuple(small_run.snapshots(stage))
    for e, path in enumerate(small_run.snapshots(stage).values()):
        net = load_stack(path)
        torch.testing.assert_close(found.log_y[e], net.explanations(X)[:, :, 3].detach())
        torch.testing.assert_close(found.log_p[e], net(X)[:, 3].log_softmax(-1).detach())


def test_contributions_add_up_to_the_prediction_at_every_epoch(small_run: Run) -> None:
    found = trajectory(small_run, "student-ked", X[0])
    assert found.phi.shape == (2, 2, 4, 10)
    torch.testing.assert_close((found.base + found.phi.sum(dim=2)).log_softmax(-1), found.log_p)


def test_agreement_is_that_of_each_epochs_net_with_the_finished_teacher(small_run: Run) -> None:
    found, teacher = agreement(small_run, "ked", X), small_run.explaining()
    assert found.superfeatures == (0, 1, 2, 3)
    theirs = (teacher.explanations(X).detach() - teacher.base)[0]
    for e, path in enumerate(small_run.snapshots("student-ked").values()):
        net = load_stack(path)
        mine = net.explanations(X).detach() - net.base
        for k in range(2):
            one, other = (phi - phi.mean(-1, keepdim=True) for phi in (mine[k], theirs))
            norms = one.square().sum((0, 2)).sqrt() * other.square().sum((0, 2)).sqrt()
            assert float(found.cosine[e, k]) == pytest.approx(float(((one * other).sum((0, 2)) / norms).mean()), abs=1e-5)
    assert found.divergence.shape == (2, 2, 4)
    assert float(found.divergence[1].mean()) < float(found.divergence[0].mean()), "the student learns to explain as its teacher"


def test_a_run_without_snapshots_has_its_finished_net(small_run: Run, tmp_path: Path) -> None:
    shutil.copytree(small_run.folder, tmp_path / "run", ignore=shutil.ignore_patterns(SNAPSHOTS))
    found = trajectory(Run(tmp_path / "run"), "student-ked", X[0])
    assert found.epochs == (2,)
    torch.testing.assert_close(found.log_p[-1], trajectory(small_run, "student-ked", X[0]).log_p[-1])


def test_what_is_not_there_yet_is_said_in_one_sentence(small_run: Run, one_sentence: Callable[[str], str]) -> None:
    empty = create_run(Recipe())
    for ask in (lambda: trajectory(empty, "teacher", X[0]), lambda: agreement(empty, "ked", X)):
        with pytest.raises(Unavailable) as missing:
            ask()
        one_sentence(str(missing.value))
    with pytest.raises(InvalidInput, match="'plain'") as meaningless:
        agreement(small_run, "plain", X)
    one_sentence(str(meaningless.value))


def test_a_snapshot_that_vanishes_while_it_is_read_is_passed_over(small_run: Run, tmp_path: Path) -> None:
    shutil.copytree(small_run.folder, tmp_path / "run")
    (tmp_path / "run" / SNAPSHOTS / "teacher-2.safetensors").write_bytes(b"")
    assert trajectory(Run(tmp_path / "run"), "teacher", X[0]).epochs == (1, 3)
