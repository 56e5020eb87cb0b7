"""What teachers say of a view against what they say of the sample itself, and students with other superfeatures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from ked import data
from ked.context import Context
from ked.methods import METHODS
from ked.recipe import Recipe
from ked.recipe import run as run_recipe
from ked.steering import Steering
from ked.store import Run, create_run
from ked.teaching import Teaching, teaching

SMALL: dict[str, Any] = {"train_size": 120, "seeds": 2, "epochs": 1, "teacher_epochs": 1, "dependency_samples": 30}
FORMS: dict[str, dict[str, Any]] = {
    "mlp": {"teacher_hidden": (16,), "student_hidden": (12,), "superfeatures": 3},
    "cnn": {"net": "small-cnn", "superfeatures": 3},
    "fewer": {"teacher_hidden": (16,), "student_hidden": (12,), "superfeatures": 3, "student_superfeatures": 2},
    "more branches": {"net": "small-cnn", "superfeatures": 2, "student_superfeatures": 3},
}


@pytest.fixture(scope="module", params=FORMS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KED_HOME", str(tmp_path_factory.mktemp("teaching")))
        run = create_run(Recipe.make(methods=("kd", "ked"), **SMALL, **FORMS[request.param]))
        for _ in run_recipe(run.recipe, into=run):
            pass
        return run


def _teaching(run: Run, name: str, net: str) -> tuple[Teaching, torch.Tensor]:
    dataset = data.load("digits").few(SMALL["train_size"], 0)
    context = Context(run.recipe, dataset, run, Steering(run, run.recipe))
    return teaching(context, METHODS[name], run.student(net)), dataset.part("train")[0]


@pytest.mark.parametrize(
    ("name", "net"), [("plain", "kd"), ("kd", "kd"), ("kd-explaining", "kd"), ("ked", "ked"), ("mu0", "ked")]
)
def test_of_the_samples_themselves_a_view_says_the_same_as_the_whole(made: Run, name: str, net: str) -> None:
    teachers, x = _teaching(made, name, net)
    rows = torch.stack([torch.randperm(len(x))[:20] for _ in range(2)])
    whole, view = teachers.whole(), teachers.view(x[rows], rows)
    assert view.weights == whole.weights
    assert view.columns == whole.columns
    for target, seen in ((whole.prediction, view.prediction), (whole.explanation, view.explanation)):
        assert (target is None) == (seen is None)
        if target is not None and seen is not None:
            torch.testing.assert_close(seen.probabilities, target.probabilities[rows.flatten()], rtol=1e-4, atol=1e-6)
            torch.testing.assert_close(seen.negentropy, target.negentropy[rows.flatten()], rtol=1e-4, atol=1e-5)


def test_shuffled_views_carry_anothers_explanations(made: Run) -> None:
    (true, x), (shuffled, _) = _teaching(made, "ked", "ked"), _teaching(made, "shuffled", "ked")
    rows = torch.stack([torch.randperm(len(x))[:20] for _ in range(2)])
    mine, others = true.view(x[rows], rows).explanation, shuffled.view(x[rows], rows).explanation
    assert mine is not None
    assert others is not None
    by_replica = mine.probabilities.unflatten(0, rows.shape)
    torch.testing.assert_close(others.probabilities.unflatten(0, rows.shape), by_replica.roll(1, 1))


def test_a_student_with_other_superfeatures_learns_from_those_that_match(made: Run) -> None:
    notes = [event["note"] for event in made.events()[0] if event["kind"] == "matching"]
    recipe = made.recipe
    pairs = min(recipe.superfeatures_of("student"), recipe.superfeatures)
    objective = _teaching(made, "ked", "ked")[0].whole()
    assert objective.explanation is not None
    assert objective.explanation.probabilities.shape[1] == pairs
    assert len(made.student("ked").groups) == recipe.superfeatures_of("student")
    if recipe.student_superfeatures is None:
        assert notes == []
        assert "matching" not in made.info["summary"]
    else:
        assert len(notes) == 1
        assert made.info["summary"]["matching"] == notes[0]
        assert objective.columns is not None
        assert len(objective.columns) == pairs


def test_a_students_own_superfeatures_are_stored_beside_the_teachers(tmp_path: Path, made: Run) -> None:
    apart = made.recipe.student_superfeatures is not None and not made.recipe.convolutional
    assert made.has("superfeatures-student") == apart
    if apart:
        assert made.superfeatures("student").groups == made.student("ked").groups
        assert made.superfeatures().groups == made.explaining().groups
