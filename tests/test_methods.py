"""Every way to train a student, with every form of net and kind of data, in one table: nothing in it is special-cased."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from ked import data
from ked.errors import InvalidInput
from ked.methods import METHODS
from ked.recipe import Recipe
from ked.runs import pipeline, stages
from ked.runs.build_nets import student_net
from ked.runs.context import Context
from ked.runs.steering import Steering
from ked.runs.targets import LiveTargets, targets_of
from ked.store import Run, create_run

SETTINGS: dict[str, Any] = {
    "superfeatures": 3,
    "epochs": 2,
    "teacher_epochs": 2,
    "teacher_hidden": (32,),
    "student_hidden": (12,),
    "chimeras": 400,
    "chimera_epochs": 2,
    "dependency_samples": 60,
    "lr": 2e-3,
}


class Case(NamedTuple):
    """A form of net on a kind of data: pictures, a table, made data with known groups; trained by these methods."""

    net: str
    dataset: str
    train_size: int
    augment: str = "none"
    seeds: int = 2
    methods: tuple[str, ...] = tuple(METHODS)


CASES = (
    Case("mlp", "digits", 400),
    Case("mlp", "wine", 60),
    Case("mlp", "planted", 400),
    Case("mlp", "digits", 400, "crop"),
    Case("small-cnn", "digits", 160, "crop+flip"),
    Case("resnet8", "digits", 96),
    Case("wrn-10-1", "digits", 96),
    Case("vgg8", "digits", 32, seeds=1, methods=("plain", "kd", "ked", "kd+fitnet")),  # ten times as many weights as the others
)
CONVOLUTIONAL: dict[str, Any] = {"chimeras": 60, "batch_size": 40}  # the further steps are on real samples: few are enough


def _recipe(case: Case, **more: Any) -> Recipe:
    form = {} if case.net == "mlp" else {"teacher_net": case.net, **CONVOLUTIONAL}
    return Recipe.make(**SETTINGS | case._asdict() | form | more)


def _trained(case: Case) -> tuple[str, ...]:
    """The methods that the case allows."""
    return tuple(name for name in METHODS if name in case.methods and not _refused(case, name))


def _refused(case: Case, name: str) -> bool:
    """Chimeras and gradients are of input features, hints and Grad-CAM of maps, AT of more than one pixel; truth is planted."""
    of_features = ("kd+chimera", "ked+chimera", "ked-ig", "ked-gradient")
    of_maps = ("ked-gradcam", *(method for method, row in METHODS.items() if row.hint))
    one_pixel = case.net == "vgg8"  # of pictures of 8 x 8
    unknown = METHODS[name].prediction == "truth" and case.dataset != "planted"
    return unknown or name in (of_maps if case.net == "mlp" else of_features) or (one_pixel and METHODS[name].hint == "at")


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case.net}-{case.dataset}-{case.augment}")
def case(request: pytest.FixtureRequest) -> Case:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def finished(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of all methods that the case allows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KED_HOME", str(tmp_path_factory.mktemp("all-methods")))
        run = create_run(_recipe(case, methods=_trained(case)))
        for _ in pipeline.run(run.recipe, into=run):
            pass
        return run


def test_a_method_that_means_nothing_here_is_refused_in_a_sentence(case: Case, one_sentence: Callable[[str], str]) -> None:
    for name in METHODS:
        if _refused(case, name):
            with pytest.raises(InvalidInput) as caught:
                list(pipeline.run(_recipe(case, methods=(name,))))
            one_sentence(str(caught.value))


def test_every_other_method_makes_its_loss_fall_and_keeps_it_finite(case: Case, finished: Run) -> None:
    assert finished.recipe.methods == _trained(case)
    for name in finished.recipe.methods:
        events = [event for event in finished.events()[0] if event.get("stage") == f"student-{name}"]
        weights = next(event["weights"] for event in events if event["kind"] == "training")
        epochs = [event["loss"] for event in events if event["kind"] == "epoch"]
        assert set(weights) == set(epochs[0]), name
        first, second = (sum(weights[term] * sum(values) for term, values in epoch.items()) for epoch in epochs)
        assert math.isfinite(first), name
        assert second < first, f"{name}: {first} to {second}"


def test_no_student_has_more_parameters_than_the_plain_one(finished: Run) -> None:
    counts = {name: finished.student(name).parameter_count for name in finished.recipe.methods}
    assert max(counts.values()) <= counts["plain"], counts


def test_every_subnet_of_every_student_learns(finished: Run) -> None:
    for name in finished.recipe.methods:
        learnt, fresh = finished.student(name), student_net(_context(finished), METHODS[name])
        fresh.reset(finished.recipe.seed_list)
        for k in range(len(finished.recipe.seed_list)):
            pairs = zip(learnt.replica(k).parameters(), fresh.replica(k).parameters(), strict=True)
            assert all(_moved(mine, before) for mine, before in pairs), f"{name}, seed {k}"


def _moved(mine: nn.Parameter, before: nn.Parameter) -> bool:
    """Whether something has changed in every subnet of the parameter of a net with one replica."""
    subnets = mine.shape[1] if mine.shape[0] == 1 and mine.dim() == 4 else 1  # (K, M, out, in) of MLPs
    branches = mine.shape[0] if mine.shape[0] == SETTINGS["superfeatures"] else subnets
    change = (mine - before).abs().reshape(branches, -1).amax(1)
    return bool((change > 0).all())


def test_a_student_that_goes_on_starts_where_its_method_ended(case: Case, finished: Run) -> None:
    further = [name for name in finished.recipe.methods if METHODS[name].continues]
    assert len(further) == (0 if case.net == "vgg8" else 2 if finished.recipe.convolutional else 4)
    for name in further:
        before, after = finished.student(METHODS[name].continues or ""), finished.student(name)
        assert before.hidden == after.hidden, name
        assert any(not torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True)), name


@pytest.mark.parametrize("case", [case for case in CASES if case.augment != "none"], indirect=True)  # they draw most at random
def test_the_same_recipe_gives_the_same_students(
    finished: Run, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KED_HOME", str(tmp_path_factory.mktemp("again")))
    again = create_run(finished.recipe)
    for _ in pipeline.run(again.recipe, into=again):
        pass
    assert again.info["summary"] == finished.info["summary"]
    for name in finished.recipe.methods:
        pairs = zip(again.student(name).parameters(), finished.student(name).parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs), name


def test_the_control_takes_as_many_steps_as_the_chimeras_do(case: Case, finished: Run) -> None:
    for name in ("kd+real", "ked+real") if case.net == "mlp" else ():
        context, method = _context(finished), METHODS[name]
        net = finished.student(method.continues or "")
        twins = (METHODS[name], METHODS[name.replace("real", "chimera")])
        sources = [stages.further_batches(LiveTargets(targets_of(context, twin, net)), net) for twin in twins]
        assert sources[0].steps == sources[1].steps, name
        assert [b.y.shape for b in sources[0](1)] == [b.y.shape for b in sources[1](1)], name


def test_made_data_tell_how_well_their_groups_were_found(finished: Run) -> None:
    recovery = finished.info["summary"].get("recovery")
    assert (recovery is not None) == (finished.recipe.dataset == "planted")
    assert recovery is None or -1 <= recovery <= 1


def _context(run: Run) -> Context:
    dataset = data.load(run.recipe.dataset).few(run.recipe.train_size or 1, run.recipe.seed)
    return Context(run.recipe, dataset, run, Steering(run, run.recipe))
