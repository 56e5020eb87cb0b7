"""What teachers say of a view against what they say of the sample itself, and students with other superfeatures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ked import data
from ked.methods import METHODS
from ked.recipe import Recipe
from ked.runs.context import Context
from ked.runs.pipeline import run as run_recipe
from ked.runs.steering import Steering
from ked.runs.targets import LiveTargets, Targets, targets_of
from ked.store import Run, create_run
from ked.training import teacher_outputs

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


def _teaching(run: Run, name: str, net: str, **changes: Any) -> tuple[Targets, torch.Tensor]:
    dataset, recipe = data.load("digits").few(SMALL["train_size"], 0), run.recipe.without(**changes)
    context = Context(recipe, dataset, run, Steering(run, recipe))
    return targets_of(context, METHODS[name], run.student(net)), dataset.part("train")[0]


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


def test_attributions_of_views_that_are_the_samples_are_those_of_the_samples(made: Run) -> None:
    form = "cnn" if made.recipe.convolutional else "mlp"
    for row in (row for row in METHODS.values() if row.attribution and row.only == form):
        teachers, x = _teaching(made, row.name, "ked")
        rows = torch.stack([torch.randperm(len(x))[:20] for _ in range(2)])
        whole, view = teachers.whole().explanation, teachers.view(x[rows], rows).explanation
        assert whole is not None
        assert view is not None
        torch.testing.assert_close(view.probabilities, whole.probabilities[rows.flatten()], rtol=1e-4, atol=1e-6)
        assert len(whole.probabilities[0]) == len(_teaching(made, row.name, "ked")[0].whole().columns or made.student("ked").groups)


def test_attributions_are_worked_out_once_whatever_temperatures_come(made: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "ked-gradcam" if made.recipe.convolutional else "ked-ig"
    lesson = LiveTargets(_teaching(made, name, "ked")[0])
    first = lesson.whole().explanation
    assert lesson.teachers.attributed is not None
    monkeypatch.setattr(lesson.teachers.attributed, "sums", lambda x: pytest.fail("worked out again"))
    lesson.change(lesson.teachers.context.recipe.without(tau=2.0))
    second = lesson.whole().explanation
    assert first is not None
    assert second is not None
    assert second.temperature == 2.0
    assert not torch.allclose(first.probabilities, second.probabilities)


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


# What is remembered of the teachers


def _nets_of(name: str) -> str:
    return "ked" if METHODS[name].net == "ked" else "kd"


def _taught(run: Run, name: str) -> Iterator[dict[str, torch.Tensor]]:
    """The loss terms of three batches of a student, between which the temperatures change."""
    (teachers, x), net = _teaching(run, name, _nets_of(name)), run.student(_nets_of(name))
    y, generator = data.load("digits").few(SMALL["train_size"], 0).part("train")[1], torch.Generator().manual_seed(5)
    lesson = LiveTargets(teachers)
    for temperature, tau in ((10.0, 10.0), (3.0, 10.0), (3.0, 2.0)):
        lesson.change(lesson.teachers.context.recipe.without(temperature=temperature, tau=tau))
        rows = torch.stack([torch.randperm(len(x), generator=generator)[:20] for _ in range(2)])
        arranged, numbers = net.arrange(x[rows]), torch.arange(40).view(2, 20)
        log_y, maps = net.features(arranged) if run.recipe.convolutional else (net.subnet_log_probabilities(arranged), None)
        yield lesson.view(x[rows], rows).terms(log_y, net.total(log_y), y[rows], numbers, maps)


def test_what_teachers_said_once_teaches_the_same_as_what_they_say_when_asked_anew(
    made: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row for row in METHODS.values() if row.prediction in ("teacher", "explaining") and not row.further]
    names = [row.name for row in rows if row.only in (None, "cnn" if made.recipe.convolutional else "mlp")]
    once = {name: list(_taught(made, name)) for name in names}
    monkeypatch.setattr(teacher_outputs, "KEPT", 0)
    for name in names:
        for mine, theirs in zip(once[name], _taught(made, name), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)
            assert ("hint" in mine) == bool(METHODS[name].hint)


def _asked_about(run: Run, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[int]:
    """How many samples the black box is asked about in each of four batches of 2 x 20."""
    teachers, x = _teaching(run, "kd", "kd", **changes)
    assert teachers.black_box is not None
    sizes, ask = list[int](), teachers.black_box.subnet_log_probabilities
    monkeypatch.setattr(teachers.black_box, "subnet_log_probabilities", lambda x: sizes.append(len(x)) or ask(x))
    counts = list[int]()
    for batch in range(4):
        before = sum(sizes)
        rows = torch.arange(40).view(2, 20) + batch
        teachers.view(x[rows], rows)
        counts.append(sum(sizes) - before)
    return counts


def test_teachers_are_asked_once_about_each_sample_as_long_as_the_answers_fit(made: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    N, taken = SMALL["train_size"], SMALL["train_size"] * 10 * 4  # bytes of ten classes
    count = len(data.load("digits").few(N, 0).train)
    assert count == N
    monkeypatch.setattr(teacher_outputs, "KEPT", taken)
    assert _asked_about(made, monkeypatch) == [N, 0, 0, 0]
    monkeypatch.setattr(teacher_outputs, "KEPT", taken - 1)
    assert _asked_about(made, monkeypatch)[1:] == [40, 40, 40]


def test_of_pictures_that_move_nothing_is_remembered(made: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _asked_about(made, monkeypatch, augment="crop") == [40, 40, 40, 40]
    teachers, x = _teaching(made, "kd", "kd", augment="crop")
    rows = torch.arange(40).view(2, 20)
    seen, moved = (teachers.view(view, rows).prediction for view in (x[rows], x[rows].roll(1, dims=2)))
    assert seen is not None
    assert moved is not None
    assert (seen.probabilities - moved.probabilities).abs().max() > 1e-5
