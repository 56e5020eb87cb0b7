"""Students of the true distribution: what the data tell, what is taught, and how good the Bayes rule itself is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from explorer.pictures import study_figures
from explorer.words import studies
from ked import data
from ked.data import planted
from ked.errors import InvalidInput
from ked.methods import METHODS
from ked.recipe import Recipe
from ked.runs.context import Context
from ked.runs.pipeline import run
from ked.runs.stage_keys import stage_keys
from ked.runs.steering import Steering
from ked.runs.targets import Targets, targets_of
from ked.store import Run, create_run
from ked.studies.cells import Settings, cells_of
from ked.studies.computing import measure
from ked.studies.outcome import cell_table, net_table
from ked.studies.report import Report
from ked.studies.study import BAYES_RULE, Comparison, Study

TRUTHFUL = tuple(name for name, method in METHODS.items() if method.prediction == "truth")
NAME = "planted:features=8,groups=2,classes=3,noise=0.2,samples=3000"
QUICK: dict[str, Any] = {"dataset": NAME, "superfeatures": 2, "teacher_hidden": (12,), "student_hidden": (12,)}
QUICK |= {"epochs": 1, "teacher_epochs": 1, "dependency_samples": 50, "methods": ("kd", *TRUTHFUL)}
STUDY = Study("told", "Is the rule told?", {"one level": {}}, QUICK["methods"], (Comparison("bayes", "kd"),), QUICK, datasets={})


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KED_HOME", str(tmp_path_factory.mktemp("truth")))
        (cell,) = cells_of(STUDY, Settings(seeds=2, teachers=1))
        made = create_run(cell.recipe)
        for _ in run(cell.recipe, into=made):
            pass
        return made


def _teaching(told: Run, name: str, **changes: Any) -> Targets:
    recipe = told.recipe.without(**changes)
    context = Context(recipe, data.load(NAME), told, Steering(told, recipe))
    return targets_of(context, METHODS[name], told.student(name))


def test_made_data_tell_the_distribution_that_their_labels_were_drawn_from() -> None:
    dataset, truth = planted.make(8, 2, 3, noise=0.2, n=300)
    assert dataset.conditional is not None
    torch.testing.assert_close(dataset.conditional, truth.probabilities(dataset.x))
    few = dataset.few(60, 0).to("cpu")
    torch.testing.assert_close(few.true_probabilities("train"), truth.probabilities(few.part("train")[0]))


@pytest.mark.parametrize("name", ["planted", "correlated", NAME, "digits", "wine", "breast-cancer"])
def test_whether_the_truth_is_known_is_known_by_name(name: str, one_sentence: Callable[[str], str]) -> None:
    dataset = data.load(name)
    assert data.knows_truth(name) == (dataset.conditional is not None)
    if dataset.conditional is None:
        with pytest.raises(InvalidInput, match="Nobody knows") as caught:
            dataset.true_probabilities("test")
        one_sentence(str(caught.value))


@pytest.mark.parametrize(
    "wrong", [lambda p: p[1:], lambda p: p[:, 1:], lambda p: 2 * p, lambda p: torch.stack([p[:, 0] - 1, p[:, 1] + 1, p[:, 2]], 1)]
)
def test_probabilities_that_are_none_are_refused(wrong: Callable[[torch.Tensor], torch.Tensor]) -> None:
    dataset, truth = planted.make(8, 2, 3, n=100)
    with pytest.raises(InvalidInput, match="true class probabilities"):
        replace(dataset, conditional=wrong(truth.probabilities(dataset.x)))


@pytest.mark.parametrize("name", TRUTHFUL)
def test_targets_are_the_truth_and_labels_come_as_often_as_they_say(told: Run, name: str) -> None:
    teachers = _teaching(told, name, temperature=1.0)
    target, y = teachers.whole().prediction, data.load(NAME).part("train")[1]
    assert target is not None
    p = target.probabilities[:, 0].double()
    torch.testing.assert_close(p, data.load(NAME).true_probabilities("train"), rtol=1e-5, atol=1e-6)
    hit = torch.nn.functional.one_hot(y, 3).double()
    for low in torch.arange(0, 1, 0.2):
        inside = (p >= low) & (p < low + 0.2)
        spread = (p * (1 - p))[inside].sum().sqrt()
        assert abs(hit[inside].sum() - p[inside].sum()) < 4.5 * spread


@pytest.mark.parametrize("name", TRUTHFUL)
def test_the_truth_is_softened_as_a_teachers_predictions_are_and_is_the_same_for_views(told: Run, name: str) -> None:
    teachers, p = _teaching(told, name, temperature=4.0), data.load(NAME).true_probabilities("train").float()
    whole, rows = teachers.whole(), torch.tensor([[3, 1], [0, 5]])
    view = teachers.view(data.load(NAME).part("train")[0][rows], rows)
    assert whole.prediction is not None
    assert view.prediction is not None
    torch.testing.assert_close(whole.prediction.probabilities[:, 0], p**0.25 / (p**0.25).sum(1, keepdim=True))
    torch.testing.assert_close(view.prediction.probabilities, whole.prediction.probabilities[rows.flatten()])
    assert whole.explanation is None


def test_the_plain_student_of_the_truth_depends_on_no_teacher() -> None:
    recipe = Recipe.make(**QUICK)
    keys = [stage_keys(r) for r in (recipe, recipe.without(teacher_epochs=2), recipe.without(dataset=f"{NAME},seed=1"))]
    assert keys[0]["student-bayes"] == keys[1]["student-bayes"] != keys[2]["student-bayes"]
    assert keys[0]["student-bayes-architecture"] != keys[1]["student-bayes-architecture"]  # its superfeatures and base are a teacher's


def test_the_bayes_rule_is_as_good_as_its_own_probabilities_say_and_stands_among_the_nets(told: Run) -> None:
    (cell,) = cells_of(STUDY, Settings(seeds=2, teachers=1))
    best = data.load(NAME).true_probabilities("test").max(1).values
    rule = told.info["summary"]["bayes_rule"]
    spread = float((best * (1 - best)).sum().sqrt()) / len(best)
    assert abs(rule - float(best.mean())) < 4.5 * spread
    record = measure(cell, told)
    assert record.nets[BAYES_RULE]["accuracy"] == [rule]
    rows = cell_table((cell,), {cell.key: record})
    report = Report(STUDY, Settings(seeds=2, teachers=1), rows, net_table(rows), [], ())
    assert report.bayes_rule == {"one level": pytest.approx(rule)}
    kd = rows[rows["net"] == "kd"]["accuracy"]
    assert report.headroom == ({"one level": pytest.approx(rule - kd.mean())} if len(kd) else {})
    shown = studies.net_table(report).set_index("net")
    assert shown.loc["Bayes rule", "test accuracy, %"] == f"{100 * rule:.2f}"
    figure = study_figures.by_level(report, "accuracy")
    assert figure is not None
    assert "Bayes rule" in figure.to_json()
