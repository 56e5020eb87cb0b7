"""The examples do what they say: nets that have learnt, a student that explains as its teacher does, a run that the explorer shows."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import pytest
import torch
from visitor import sound, visit

from ked.store import Run

FOLDER = Path(__file__).resolve().parents[1] / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda script: script.stem)
def test_an_example_ends_with_a_run_to_look_at(script: Path, ked_home: Path) -> None:
    assert os.environ["KED_HOME"] == str(ked_home)
    made = runpy.run_path(str(script))
    run, y = made["run"], made["y_test"]
    assert isinstance(run, Run)
    most = float(torch.bincount(y).max() / len(y))
    for net, value in run.results().groupby("net").test_accuracy.mean().items():
        assert value > most + 0.1, f"{net} has learnt"
    told = made["student"].explain(made["x_test"])
    assert torch.allclose(told.logsumexp(-1), torch.zeros(told.shape[:2]), atol=1e-4)
    sound(visit("explain", run=run.id), "explain")
