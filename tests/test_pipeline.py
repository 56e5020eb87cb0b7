"""Whole runs: what a second run takes from the cache, what a failure leaves behind, and what the test split is used for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from ked import data
from ked.data import Dataset
from ked.data import digits as digits_file
from ked.errors import InvalidInput, Unavailable
from ked.explanation import teacher_base
from ked.losses import Objective
from ked.methods import METHODS, method_named
from ked.nets.inference import predict
from ked.nets.subnets import mlp
from ked.recipe import Recipe
from ked.runs import pipeline, stages
from ked.runs.context import Context
from ked.runs.pipeline import run
from ked.runs.stage_keys import stage_names
from ked.runs.steering import Steering
from ked.runs.targets import targets_of
from ked.store import Run, create_run, home

Finish = Callable[[Recipe], Run]
OneSentence = Callable[[str], str]


def _cached(run: Run) -> dict[str, bool]:
    return {event["stage"]: event["cached"] for event in run.events()[0] if event["kind"] == "stage"}


def _failed(recipe: Recipe, error: type[Exception], words: str | None, **options: Any) -> Run:
    """The folder of a run that must end with this error."""
    run_folder = create_run(recipe)
    with pytest.raises(error, match=words):
        list(run(recipe, into=run_folder, **options))
    return run_folder


def test_a_run_leaves_everything_that_its_folder_promises(small_run: Run, small_recipe: Recipe) -> None:
    info = small_run.info
    assert info["status"] == "done"
    assert info["message"] == ""
    assert small_run.recipe == small_recipe
    assert info["seeds"] == [0, 1]
    assert set(info["seconds"]) == set(info["stages"]) == set(stage_names(small_recipe))
    assert info["versions"]["torch"]
    assert info["device"]
    W, found = small_run.dependency(), small_run.superfeatures()
    assert torch.equal(W, W.T)
    assert sorted(i for group in found.groups for i in group) == list(range(64))
    assert small_run.explaining().groups == small_run.student("ked").groups == found.groups
    assert not (home() / "cache").exists(), "the session's run must not touch this test's home"


def test_the_summary_is_the_test_accuracy_of_the_stored_nets(small_run: Run) -> None:
    x, y = data.load("digits").part("test")
    nets = {"teacher": small_run.teacher(), "explaining": small_run.explaining()}
    nets |= {name: small_run.student(name) for name in ("plain", "kd", "ked")}
    told = small_run.info["summary"]["accuracy"]
    assert list(told) == list(nets)
    for name, stack in nets.items():
        expected = [float((logits.argmax(1) == y).double().mean()) for logits in stack(x)]
        assert told[name] == pytest.approx(expected if name in METHODS else expected[0])


def test_explaining_nets_have_no_more_parameters_than_their_black_boxes(small_run: Run) -> None:
    parameters = small_run.info["summary"]["parameters"]
    assert parameters["explaining"] <= parameters["teacher"]
    assert parameters["ked"] <= parameters["plain"] == parameters["kd"] == mlp(64, (12, 12), 10).parameter_count


def test_teacher_and_student_share_the_base_of_the_black_box(small_run: Run) -> None:
    x = data.load("digits").part("train")[0]
    base = teacher_base(predict(small_run.teacher(), x)[0])
    for stack in (small_run.explaining(), small_run.student("ked")):
        torch.testing.assert_close(stack.base, base)
    assert float(base.exp().sum()) == pytest.approx(1, abs=1e-5)


def test_events_tell_the_whole_story_in_order(small_run: Run, small_recipe: Recipe) -> None:
    events = small_run.events()[0]
    assert [e["stage"] for e in events if e["kind"] == "stage"] == list(stage_names(small_recipe))
    assert [e["kind"] for e in events[-2:]] == ["result", "end"]
    assert events[-1]["status"] == "done"
    assert "tick" not in {e["kind"] for e in events}
    times = [e["time"] for e in events]
    assert times == sorted(times)
    epochs = [e for e in events if e["kind"] == "epoch" and e["stage"] == "student-ked"]
    assert [(e["epoch"], e["epochs"]) for e in epochs] == [(1, 2), (2, 2)]
    for event in epochs:
        assert list(event["loss"]) == ["ce", "prediction", "explanation"]
        assert all(len(values) == 2 and all(map(math.isfinite, values)) for values in event["loss"].values())
        assert len(event["validation"]) == 2
    weights = next(e["weights"] for e in events if e["kind"] == "training" and e["stage"] == "student-ked")
    assert weights == pytest.approx({"ce": 0.3, "prediction": 21, "explanation": 49})


def _aim(run: Run, name: str) -> Objective:
    context = Context(run.recipe, data.load("digits"), run, Steering(run, run.recipe))
    return targets_of(context, method_named(name), run.student("ked")).whole()


def test_shuffled_explanations_are_anothers_and_noise_is_nobodys(small_run: Run) -> None:
    true, shuffled, noise = (_aim(small_run, name).explanation for name in ("ked", "shuffled", "noise"))
    assert true is not None
    assert shuffled is not None
    assert noise is not None
    assert torch.equal(true.probabilities.flatten(1).sort(0).values, shuffled.probabilities.flatten(1).sort(0).values)
    own = (true.probabilities == shuffled.probabilities).flatten(1).all(1)
    assert not bool(own.any())
    assert noise.probabilities.shape == true.probabilities.shape
    torch.testing.assert_close(noise.probabilities.sum(-1), torch.ones_like(noise.negentropy))
    assert not torch.isclose(noise.probabilities, true.probabilities).flatten(1).all(1).any()


@pytest.mark.parametrize(("name", "net"), [("kd", "teacher"), ("kd-explaining", "explaining"), ("mu0", "explaining")])
def test_students_are_taught_by_the_teacher_that_their_method_names(small_run: Run, name: str, net: str) -> None:
    aim = _aim(small_run, name)
    stack = small_run.teacher() if net == "teacher" else small_run.explaining()
    x = data.load("digits").part("train")[0]
    assert aim.prediction is not None
    assert aim.explanation is None
    expected = (stack(x)[0].detach() / small_run.recipe.temperature).softmax(-1)
    torch.testing.assert_close(aim.prediction.probabilities[:, 0], expected)


def test_the_test_split_is_read_once_after_all_training(
    monkeypatch: pytest.MonkeyPatch, finish: Finish, small_recipe: Recipe
) -> None:
    read: list[str] = []
    part = Dataset.part
    monkeypatch.setattr(Dataset, "part", lambda self, name: (read.append(name), part(self, name))[1])
    finish(small_recipe.without(epochs=1, teacher_epochs=1))
    assert read.count("test") == 1
    assert read[-1] == "test"


def test_no_net_depends_on_the_test_split(
    monkeypatch: pytest.MonkeyPatch, small_run: Run, small_recipe: Recipe, finish: Finish
) -> None:
    digits = data.load("digits")
    x, y = digits.x.clone(), digits.y.clone()
    x[digits.test], y[digits.test] = 7.0, 0
    monkeypatch.setattr(digits_file, "load", lambda name: replace(digits, x=x, y=y))
    other = finish(small_recipe)
    torch.testing.assert_close(other.dependency(), small_run.dependency())
    for name in small_recipe.methods:
        pairs = zip(other.student(name).parameters(), small_run.student(name).parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


def test_a_damaged_file_of_a_run_is_refused_in_one_sentence(warm: Run, one_sentence: OneSentence) -> None:
    path = warm.folder / "student-ked.safetensors"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1])
    with pytest.raises(Unavailable, match=r"student-ked\.safetensors") as caught:
        warm.student("ked")
    one_sentence(str(caught.value))
    warm.student("kd")


def _after(kind: str, count: int, recipe: Recipe, folder: Run) -> list[dict[str, Any]]:
    """The events of a run that is asked to stop after so many events of a kind."""
    seen: list[dict[str, Any]] = []
    stop = lambda: sum(event["kind"] in kind.split("|") for event in seen) >= count  # noqa: E731
    for event in run(recipe, into=folder, should_stop=stop):
        seen.append(event)
    return seen


def test_a_cancelled_run_stops_at_the_next_batch_and_keeps_what_is_finished(small_recipe: Recipe, finish: Finish) -> None:
    long = small_recipe.without(epochs=100_000)
    folder = create_run(long)
    ticks = len([e for e in run(small_recipe.without(methods=("plain",), epochs=0)) if e["kind"] in ("tick", "step")])
    seen = _after("tick|step", ticks + 5, long, folder)
    assert sum(event["kind"] in ("tick", "step") for event in seen) <= ticks + 6
    assert (folder.status, folder.info["message"]) == ("cancelled", "")
    assert folder.events()[0][-1]["kind"] == "end"
    assert folder.events()[0][-1]["status"] == "cancelled"
    assert folder.has("teacher")
    assert folder.teacher().parameter_count
    assert not list((home() / "cache").glob(".*")), "no draft stays behind"
    assert _cached(finish(small_recipe))["teacher"]


def test_closing_the_generator_cancels_the_run(small_recipe: Recipe) -> None:
    folder = create_run(small_recipe)
    events = run(small_recipe, into=folder)
    while next(events)["kind"] != "epoch":
        pass
    events.close()  # type: ignore[attr-defined]
    assert folder.status == "cancelled"
    assert not list((home() / "cache").glob(".*"))


def test_a_stage_that_raises_leaves_the_reason_in_run_json(warm: Run, monkeypatch: pytest.MonkeyPatch, finish: Finish) -> None:
    def broken(*_: object) -> Iterator[dict[str, Any]]:
        yield {"kind": "training", "stage": "explaining", "epochs": 1, "weights": {}, "parameters": 0, "hidden": []}
        raise ZeroDivisionError("by nothing at all")

    recipe = warm.recipe.without(superfeatures=3)
    with monkeypatch.context() as patch:
        patch.setitem(stages.STAGES, "explaining", broken)
        failed = _failed(recipe, ZeroDivisionError, "by nothing")
    info = failed.info
    assert info["status"] == "failed"
    assert "ZeroDivisionError" in info["message"]
    assert "by nothing at all" in info["message"]
    assert "broken" in info["traceback"]
    assert failed.events()[0][-1] | {"time": 0} == {"kind": "end", "status": "failed", "message": info["message"], "time": 0}
    assert failed.superfeatures().sizes
    assert [s for s, cached in _cached(finish(recipe)).items() if cached][:3] == ["teacher", "dependency", "superfeatures"]


def test_running_out_of_memory_is_said_in_words(small_recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object) -> Iterator[dict[str, Any]]:
        raise MemoryError
        yield

    monkeypatch.setitem(stages.STAGES, "teacher", greedy)
    assert "ran out of memory" in _failed(small_recipe, MemoryError, None).info["message"]


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "more superfeatures than features": ({"superfeatures": 65}, InvalidInput, "superfeatures = 65 .* 64 features"),
    "no room for so many superfeatures": (
        {"superfeatures": 64, "student_hidden": (1,)},
        InvalidInput,
        "64 superfeatures do not fit",
    ),
    "no such device": ({"device": "cuda:99"}, InvalidInput, "cuda:99"),
    "a learning rate that diverges": ({"lr": 1e30}, Unavailable, "not finite .* learning rate below"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_fails_with_one_sentence(case: str, small_recipe: Recipe, one_sentence: OneSentence) -> None:
    change, error, words = REFUSED[case]
    failed = _failed(small_recipe.without(**change), error, words)
    assert failed.status == "failed"
    one_sentence(failed.info["message"])


def test_no_epochs_give_untrained_nets_and_no_error(small_recipe: Recipe, finish: Finish) -> None:
    run = finish(small_recipe.without(epochs=0, teacher_epochs=0, methods=("plain", "ked")))
    fresh = mlp(64, (12, 12), 10, replicas=2)
    assert all(torch.equal(a, b) for a, b in zip(run.student("plain").parameters(), fresh.parameters(), strict=True))


@pytest.mark.parametrize("grouping", ["random", "grid", "correlation", "kmeans", "spectral"])
def test_every_grouping_gives_a_run(warm: Run, finish: Finish, grouping: str) -> None:
    again = finish(warm.recipe.without(grouping=grouping, methods=("ked",), epochs=1))
    assert sum(again.info["summary"]["superfeature_sizes"]) == 64
    assert len(again.superfeatures().groups) == 4


def test_a_device_is_resolved_by_name() -> None:
    assert pipeline.resolve_device("cpu") == torch.device("cpu")
    assert pipeline.resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
