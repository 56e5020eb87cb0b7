"""A run's events become curves, loss terms and stages, however they arrive: all at once, line by line, or torn."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from explorer.pictures import charts
from explorer.timeline.history import History
from ked.recipe import Recipe
from ked.runs.stage_keys import stage_names
from ked.store import Run, create_run


@pytest.fixture
def run(small_recipe: Recipe) -> Run:
    """An empty run folder."""
    return create_run(small_recipe)


def begin(stage: str, epochs: int = 3, cached: bool = False, **weights: float) -> list[dict[str, Any]]:
    head = {"stage": stage}
    return [
        head | {"kind": "stage", "cached": cached, "time": 0.1},
        head | {"kind": "training", "epochs": epochs, "weights": weights or {"ce": 1.0}, "parameters": 9, "hidden": [4]},
    ]


def epoch(stage: str, number: int, accuracy: list[float], **loss: list[float]) -> dict[str, Any]:
    return {
        "kind": "epoch", "stage": stage, "epoch": number, "epochs": 3, "loss": loss or {"ce": [1.0 / number] * len(accuracy)},
        "validation": accuracy, "time": float(number),
    }  # fmt: skip


STORY = [
    *begin("teacher"),
    epoch("teacher", 1, [0.5]),
    {"kind": "step", "stage": "teacher", "epoch": 2, "step": 3, "steps": 9, "loss": {"ce": [0.4]}, "time": 1.5},
    epoch("teacher", 2, [0.75]),
    {"kind": "stage", "stage": "dependency", "cached": False, "time": 2.0},
    {"kind": "dependency", "samples": 100, "time": 2.1},
    *begin("explaining", cached=True),
    epoch("explaining", 1, [0.625]),
    *begin("student-plain"),
    epoch("student-plain", 1, [0.25, 0.5]),
    epoch("student-plain", 2, [0.5, 0.75]),
    *begin("student-ked", ce=0.3, prediction=0.5),
    epoch("student-ked", 1, [0.125, 0.25], ce=[2.0, 3.0], prediction=[4.0, 5.0]),
    {"kind": "end", "status": "done", "message": "", "time": 7.25},
]


LOST = {9: {"explaining"}, 16: {"ked"}}  # a net whose only epoch was in the lost line


def write(run: Run, events: list[dict[str, Any]]) -> None:
    for event in events:
        run.append(event)


def as_told(history: History) -> dict[str, Any]:
    curves = {name: values.tolist() for name, values in history.curves().items()}
    losses = {name: {term: v.tolist() for term, v in terms.items()} for name, terms in history.losses()[0].items()}
    return {"curves": curves, "losses": losses, "order": history.order, "end": history.end, "time": history.time}


def test_curves_and_losses_are_those_of_the_events(run: Run) -> None:
    write(run, STORY)
    history = History(run).read()
    assert {name: values.tolist() for name, values in history.curves().items()} == {
        "plain": [[0.25, 0.5], [0.5, 0.75]],
        "ked": [[0.125, 0.25]],
    }
    losses, weights = history.losses()
    assert {term: values.tolist() for term, values in losses["ked"].items()} == {
        "ce": [[2.0, 3.0]],
        "prediction": [[4.0, 5.0]],
    }
    assert np.array_equal(losses["plain"]["ce"], [[1.0, 1.0], [0.5, 0.5]])
    assert weights == {"plain": {"ce": 1.0}, "ked": {"ce": 0.3, "prediction": 0.5}}
    assert history.teachers() == {"teacher": 0.75, "explaining": 0.625}
    assert {name: values.tolist() for name, values in history.teacher_curves().items()} == {
        "teacher": [[0.5], [0.75]],
        "explaining": [[0.625]],
    }


def test_stages_come_in_their_order_with_what_was_cached(run: Run) -> None:
    write(run, STORY)
    history = History(run).read()
    assert history.order == ["teacher", "dependency", "explaining", "student-plain", "student-ked"]
    assert [name for name, stage in history.stages.items() if stage["cached"]] == ["explaining"]
    assert (history.stages["teacher"]["epoch"], history.stages["teacher"]["epochs"]) == (2, 3)
    assert history.end is not None
    assert history.end["status"] == "done"
    assert history.time == 7.25


def test_reading_line_by_line_tells_the_same_as_reading_at_once(run: Run) -> None:
    growing = History(run)
    for event in STORY:
        run.append(event)
        growing.read()
        growing.read()  # nothing new: nothing happens
    assert as_told(growing) == as_told(History(run).read())


def test_before_the_first_event_there_is_nothing_and_no_error(run: Run) -> None:
    history = History(run).read()
    assert as_told(history) == {"curves": {}, "losses": {}, "order": [], "end": None, "time": 0.0}
    assert history.teachers() == {}


@pytest.mark.parametrize("cut", [1, 20, -2])
def test_half_a_line_is_left_until_it_is_whole(run: Run, cut: int) -> None:
    write(run, STORY[:-2])
    line = json.dumps(STORY[-2]) + "\n"
    history = History(run)
    with open(run.folder / "events.jsonl", "a") as file:
        file.write(line[:cut])
        file.flush()
        assert "ked" not in history.read().curves()
        file.write(line[cut:])
        file.flush()
        assert history.read().curves()["ked"].tolist() == [[0.125, 0.25]]
    assert len(history.curves()["plain"]) == 2


def test_what_a_crash_left_of_a_line_costs_only_that_line(run: Run) -> None:
    write(run, STORY[:-2])
    with open(run.folder / "events.jsonl", "a") as file:
        file.write('{"kind":"epoch","stage":"student-k')
    run.append(STORY[-1])
    history = History(run).read()
    assert history.end is not None
    assert list(history.curves()) == ["plain"]


@pytest.mark.parametrize("lost", range(len(STORY) - 1))
def test_a_lost_line_leaves_the_rest_readable(run: Run, lost: int) -> None:
    write(run, [event for n, event in enumerate(STORY) if n != lost])
    history = History(run).read()
    assert as_told(history)["end"] == STORY[-1]
    assert set(history.curves()) | set(history.teachers()) == {"plain", "ked", "teacher", "explaining"} - LOST.get(lost, set())


def test_a_finished_runs_history_has_every_stage_and_every_epoch(small_run: Run, small_recipe: Recipe) -> None:
    history = History(small_run).read()
    assert history.order == list(stage_names(small_recipe))
    assert {name: values.shape for name, values in history.curves().items()} == dict.fromkeys(("plain", "kd", "ked"), (2, 2))
    losses, weights = history.losses()
    assert {name: set(terms) for name, terms in losses.items()} == {name: set(terms) for name, terms in weights.items()}
    assert not any(stage["cached"] for stage in history.stages.values())
    assert history.time > 0


def _steered(kind: str, **values: Any) -> dict[str, Any]:
    return {"kind": kind, "stage": "student-ked", "epoch": 2, "step": 4, "time": 9.0, **values}


STEP = {"kind": "step", "stage": "student-ked", "epoch": 2, "step": 3, "steps": 9, "loss": {"ce": [0.4]}, "time": 8.0}


def test_a_run_that_rests_shows_where_and_for_how_long(run: Run) -> None:
    write(run, [*begin("student-ked", ce=0.3), epoch("student-ked", 1, [0.5]), STEP])
    history = History(run).read()
    story = [("paused", True, 3), ("adjusted", True, 3), ("refused", True, 3), ("resumed", False, 3), ("paused", True, 3)]
    for kind, paused, step in story:
        run.append(_steered(kind, weights={"ce": 0.5}, changes={"mu": 0.5}, reason="mu means nothing."))
        assert (history.read().paused, history.live["step"]) == (paused, step)
    run.append(STEP | {"step": 4})
    assert not history.read().paused
    assert history.live["step"] == 4
    run.append(epoch("student-ked", 2, [0.5]))
    assert history.read().live == {}


def test_weights_that_changed_belong_to_the_epochs_that_they_were_in_force(run: Run) -> None:
    write(run, [*begin("student-ked", ce=0.3, prediction=0.5), epoch("student-ked", 1, [0.5], ce=[1.0], prediction=[2.0])])
    assert History(run).read().losses()[1] == {"ked": {"ce": 0.3, "prediction": 0.5}}
    run.append(_steered("adjusted", weights={"ce": 0.6, "prediction": 0.0}, changes={}))
    write(run, [epoch("student-ked", number, [0.5], ce=[1.0], prediction=[2.0]) for number in (2, 3)])
    losses, weights = History(run).read().losses()
    assert {term: values.tolist() for term, values in weights["ked"].items()} == {  # type: ignore[union-attr]
        "ce": [0.3, 0.6, 0.6],
        "prediction": [0.5, 0.0, 0.0],
    }
    drawn = {trace.name: list(trace.y) for trace in charts.loss_terms(losses, weights).data if trace.name}
    assert any(np.allclose(np.diff(values), [0.3, 0.0]) or np.allclose(values, [0.3, 0.6, 0.6]) for values in drawn.values())


def test_a_run_that_goes_on_has_each_stage_and_epoch_once(run: Run) -> None:
    write(run, STORY)
    once = as_told(History(run).read())
    history = History(run).read()
    write(run, STORY[:3])
    assert history.read().end is None, "it is at work again"
    write(run, STORY)
    assert as_told(history.read()) == as_told(History(run).read()) == once
