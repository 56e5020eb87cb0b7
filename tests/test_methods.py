"""Every way to train a student, in one table: nothing in it is special-cased."""

from __future__ import annotations

import math

import pytest
import torch

from ked import data, pipeline, stages
from ked.methods import METHODS
from ked.recipe import Recipe, stage_keys
from ked.store import Run, create_run

SETTINGS = {
    "superfeatures": 3,
    "seeds": 2,
    "epochs": 2,
    "teacher_epochs": 2,
    "teacher_hidden": (32,),
    "student_hidden": (12,),
    "chimeras": 400,
    "chimera_epochs": 2,
    "train_size": 400,
}
DATA = ("digits", "wine", "planted")


@pytest.fixture(scope="module", params=DATA)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of all methods on one kind of data: pictures, a table, made data with known groups."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KED_HOME", str(tmp_path_factory.mktemp("all-methods")))
        settings = SETTINGS | ({"train_size": 60} if request.param == "wine" else {})
        run = create_run(Recipe.make(dataset=request.param, methods=tuple(METHODS), **settings))
        for _ in pipeline.run(run.recipe, into=run):
            pass
        return run


@pytest.mark.parametrize("name", METHODS)
def test_the_loss_is_finite_and_falls(finished: Run, name: str) -> None:
    epochs = [e for e in finished.events()[0] if e["kind"] == "epoch" and e["stage"] == f"student-{name}"]
    weights = next(e for e in finished.events()[0] if e["kind"] == "training" and e["stage"] == f"student-{name}")["weights"]
    totals = [sum(weights[term] * sum(values) for term, values in epoch["loss"].items()) for epoch in epochs]
    assert len(totals) == 2
    assert all(math.isfinite(total) for total in totals)
    assert totals[1] < totals[0]


@pytest.mark.parametrize("name", METHODS)
def test_no_student_has_more_parameters_than_the_plain_one(finished: Run, name: str) -> None:
    assert finished.student(name).parameter_count <= finished.student("plain").parameter_count


@pytest.mark.parametrize("name", METHODS)
def test_every_subnet_learns(finished: Run, name: str) -> None:
    learnt, fresh = finished.student(name), stages.student_net(_context(finished), METHODS[name])
    fresh.reset(finished.recipe.seed_list)
    for mine, before in zip(learnt.parameters(), fresh.parameters(), strict=True):
        moved = (mine - before).abs().flatten(1).amax(1)
        assert bool((moved > 0).all())
    for weight, before in zip(learnt.deeper, fresh.deeper, strict=True):
        assert bool(((weight - before).abs().flatten(2).amax(2) > 0).all())  # each replica and each subnet


@pytest.mark.parametrize("name", ["kd+chimera", "kd+real", "ked+chimera", "ked+real"])
def test_a_student_that_goes_on_starts_where_its_method_ended(finished: Run, name: str) -> None:
    before, after = finished.student(METHODS[name].continues or ""), finished.student(name)
    assert before.hidden == after.hidden
    assert any(not torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True))


def test_the_same_recipe_gives_the_same_students(
    finished: Run, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KED_HOME", str(tmp_path_factory.mktemp("again")))
    again = create_run(finished.recipe)
    for _ in pipeline.run(again.recipe, into=again):
        pass
    assert again.info["summary"] == finished.info["summary"]
    for name in METHODS:
        pairs = zip(again.student(name).parameters(), finished.student(name).parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", ["kd+real", "ked+real"])
def test_the_control_takes_as_many_steps_as_the_chimeras_do(finished: Run, name: str) -> None:
    context, method = _context(finished), METHODS[name]
    sources = [
        stages.further_batches(context, METHODS[twin], finished.student(method.continues or ""))
        for twin in (name, name.replace("real", "chimera"))
    ]
    assert sources[0].steps == sources[1].steps
    assert [b.y.shape for b in sources[0](1)] == [b.y.shape for b in sources[1](1)]


def test_made_data_tell_how_well_their_groups_were_found(finished: Run) -> None:
    recovery = finished.info["summary"].get("recovery")
    assert (recovery is not None) == (finished.recipe.dataset == "planted")
    assert recovery is None or -1 <= recovery <= 1


def _context(run: Run) -> stages.Context:
    dataset = data.load(run.recipe.dataset).few(run.recipe.train_size or 1, run.recipe.seed)
    return stages.Context(run.recipe, dataset, run, stage_keys(run.recipe))
