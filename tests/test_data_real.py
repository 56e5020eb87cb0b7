"""MNIST as it was published, where its four files are: in $KED_DATA, or in a folder shared/data beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from ked import data
from ked.data import fashion_mnist, mnist
from ked.recipe import Recipe
from ked.runs.pipeline import run
from ked.store import create_run

TRAINING = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]  # of each digit, as published
TEST = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.fixture(autouse=True)
def real_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """$KED_DATA, or a folder that stands in for it; skipped with a line where MNIST is in neither."""
    beside = [folder / "shared" / "data" for folder in Path(__file__).resolve().parents]
    folders = [os.environ.get("KED_DATA", ""), *(str(folder) for folder in beside if (folder / "mnist").is_dir())]
    for folder in filter(None, folders):
        monkeypatch.setenv("KED_DATA", folder)
        if mnist.find() is not None:
            return
    pytest.skip("MNIST's four files are not here: put them below $KED_DATA/mnist")


def test_mnist_has_the_pictures_and_the_test_split_that_were_published() -> None:
    digits = data.load("mnist")
    counts = {part: digits.part(part)[1].bincount() for part in data.PARTS}
    assert (counts["train"] + counts["validation"]).tolist() == TRAINING
    assert counts["test"].tolist() == TEST
    assert digits.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert float(digits.x[:60_000].mean()) == pytest.approx(0.1307, abs=1e-4)  # as everybody standardises it
    assert float(digits.x[:60_000].std()) == pytest.approx(0.3081, abs=1e-4)


def test_a_short_training_on_mnist_reads_most_digits() -> None:
    recipe = Recipe.make(
        dataset="mnist", train_size=2000, methods=("kd",), seeds=1, epochs=3, teacher_epochs=3, teacher_hidden=(48,), student_hidden=(24,),
        superfeatures=2, dependency_samples=20, batch_size=40,
    )  # fmt: skip
    result = next(event for event in run(recipe, into=create_run(recipe)) if event["kind"] == "result")
    assert result["accuracy"]["teacher"] > 0.75
    assert result["accuracy"]["kd"][0] > 0.75


@pytest.mark.skipif(fashion_mnist.find() is None, reason="Fashion-MNIST's four files are not here")
def test_pairs_of_a_digit_and_a_garment_are_made_of_the_real_pictures() -> None:
    pairs, digits = data.load("mnist+fashion-mnist"), data.load("mnist")
    assert [len(getattr(pairs, part)) for part in data.PARTS] == [54_999, 5_000, 10_000]  # all that have a partner
    x, y = pairs.part("test")
    halves = x.reshape(-1, 28, 56)[:, :, :28].flatten(1)
    assert (y // 10).bincount().tolist() == TEST
    known = {one.numpy().tobytes() for one in digits.part("test")[0]}
    assert all(one.numpy().tobytes() in known for one in halves[:500])
    assert torch.equal(torch.tensor(pairs.truth[0]) % 56 < 28, torch.ones(784, dtype=torch.bool))
