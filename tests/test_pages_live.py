"""The train page while a run is in progress: what each tick brings, and what its buttons do."""

from __future__ import annotations

import base64
import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest, local_script_runner
from streamlit.testing.v1.element_tree import Block
from visitor import copy_of, figure, said, sound, standing, usable, visit

from explorer.blocks.train import replay
from ked.recipe import Recipe
from ked.runs import steering
from ked.store import Run, create_run

AtWork = Callable[[Run], Run]


@pytest.fixture
def finished(small_run: Run, ked_home: Path) -> Run:
    """A finished run in this test's home, which may be changed and damaged."""
    return copy_of(small_run, ked_home)


def tick(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """What the browser asks for twice a second while a run is in progress: the page's fragments, and nothing else."""
    due = list(app._fragment_storage._fragments)
    assert due
    data = functools.partial(local_script_runner.RerunData, fragment_id_queue=due, is_auto_rerun=True)
    with monkeypatch.context() as patch:
        patch.setattr(local_script_runner, "RerunData", data)
        return app._run()


def tell(run: Run, *events: dict[str, Any]) -> None:
    for event in events:
        run.append({"time": 1.0} | event)


def epoch(stage: str, number: int, accuracy: list[float]) -> dict[str, Any]:
    loss = {"ce": [1.0 / number] * len(accuracy)}
    return {"kind": "epoch", "stage": stage, "epoch": number, "epochs": 3, "loss": loss, "validation": accuracy}


def stage(name: str) -> list[dict[str, Any]]:
    training = {"kind": "training", "stage": name, "epochs": 3, "weights": {"ce": 1.0}}
    return [{"kind": "stage", "stage": name, "cached": False}, training]


def points(app: AppTest, net: str) -> int:
    """How many epochs of a net the accuracy chart draws."""
    return next((len(_numbers(trace["x"])) for trace in figure(app, "accuracy")["data"] if trace.get("name") == net), 0)


def _numbers(array: Any) -> Any:
    return base64.b64decode(array["bdata"]) if isinstance(array, dict) else array


def test_curves_grow_at_each_tick_of_a_run_in_progress(
    small_run: Run, small_recipe: Recipe, at_work: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "_SHARE", 0.0)  # figures are made anew at every tick, however quickly it comes
    run = create_run(small_recipe)
    app = visit("train", run=run.id)
    sound(app, "train")
    assert "starting" in standing(app)
    at_work(run)
    tell(run, *stage("teacher"), epoch("teacher", 1, [0.5]))
    tick(app, monkeypatch)
    assert "teacher, epoch 1 of 3" in standing(app)
    assert points(app, "teacher") > 0
    tell(run, *stage("student-plain"), epoch("student-plain", 1, [0.25, 0.5]))
    seen = []
    for number in (2, 3):
        tick(app, monkeypatch)
        seen.append(points(app, "plain"))
        tell(run, epoch("student-plain", number, [0.5, 0.75]))
    tick(app, monkeypatch)
    seen.append(points(app, "plain"))
    assert 0 < seen[0] < seen[1] < seen[2]
    assert "plain, epoch 3 of 3" in standing(app)
    assert not app.exception
    assert not app.error
    assert "Stop" in [button.label for button in app.button]


def test_the_curve_of_a_later_student_grows_while_it_is_behind_the_first(
    small_run: Run, small_recipe: Recipe, at_work: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "_SHARE", 0.0)
    run = at_work(create_run(small_recipe))
    tell(run, *stage("student-plain"), *(epoch("student-plain", number, [0.5, 0.75]) for number in (1, 2, 3)))
    app = sound(visit("train", run=run.id), "train")
    tell(run, *stage("student-kd"))
    seen = [points(app, "KD")]
    for number in (1, 2):
        tell(run, epoch("student-kd", number, [0.25, 0.5]))
        tick(app, monkeypatch)
        seen.append(points(app, "KD"))
    assert 0 == seen[0] < seen[1] < seen[2]


def test_the_tick_after_the_end_brings_the_table(finished: Run, at_work: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    done = finished.info
    at_work(finished).update(summary={}, seconds={})
    app = sound(visit("train", run=finished.id), "train")
    assert not app.dataframe
    finished.update(status="done", summary=done["summary"], seconds=done["seconds"])
    tick(app, monkeypatch)
    sound(app, "train")
    assert len(app.dataframe) == 1
    assert "Stop" not in [button.label for button in app.button]


def test_stop_asks_the_job_to_stop(small_recipe: Recipe, at_work: AtWork) -> None:
    run = at_work(create_run(small_recipe))
    app = visit("train", run=run.id)
    app.button(key=f"stop.{run.id}").click().run()
    sound(app, "train")
    assert steering.asked(run).cancelled


def test_only_what_a_visitor_typed_is_changed(small_recipe: Recipe, at_work: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what the stage before, or somebody else, has changed since the fields were first shown."""
    run = at_work(create_run(small_recipe))
    tell(run, *stage("teacher"))
    app = sound(visit("train", run=run.id), "train")
    field(app, "Learning rate").set_value(0.005)
    tell(run, *stage("student-ked"), epoch("student-ked", 1, [0.5, 0.5]))
    run.update(recipe=run.recipe.changed(("student-ked", 2, 4), mu=0.25).model_dump())
    tick(app, monkeypatch)
    assert field(app, "Learning rate").value == small_recipe.lr
    assert field(app, "Explanations' share μ").value == 0.25
    field(app, "Temperature T").set_value(5.0)
    next(button for button in app.button if button.label == "From the next batch on").click().run()
    assert steering.asked(run).pending == {"temperature": 5.0}


def field(app: AppTest, label: str) -> Any:
    """The field of that name among those that change a run."""
    return next(number for number in app.number_input if number.label == label and "change" in number.key)


def test_a_run_that_is_deleted_while_it_is_watched_is_a_sentence(
    small_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_run(small_recipe)
    app = visit("train", run=run.id)
    shutil.rmtree(run.folder)
    tick(app, monkeypatch)
    assert not app.exception
    assert run.id in said(app)[0]
    usable(app.run(), "train")


@pytest.mark.parametrize("page", ["superfeatures", "explain"])
def test_the_other_pages_wait_for_a_run_in_progress(page: str, small_recipe: Recipe) -> None:
    app = sound(visit(page, run=create_run(small_recipe).id), page)
    assert "still training" in app.info[0].value


def test_the_blocks_around_a_figure_stand_in_the_same_places_whatever_the_run_has_told(
    finished: Run, small_recipe: Recipe, at_work: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message of a figure may reach the browser without those of its blocks: then they must be there already."""
    monkeypatch.setattr(replay, "_SHARE", 0.0)
    run = create_run(small_recipe)
    queued = blocks(visit("train", run=run.id))
    at_work(run)
    tell(run, *stage("teacher"), epoch("teacher", 1, [0.5]))
    tell(run, *stage("student-plain"), epoch("student-plain", 1, [0.25, 0.5]))
    running = visit("train", run=run.id)
    steering.pause(run)
    paused = visit("train", run=run.id)
    done = visit("train", run=finished.id)
    assert len(places(done)) > 4
    for app in (running, paused, done):
        assert places(app) <= queued


def blocks(app: AppTest) -> set[tuple[int, ...]]:
    """The places of the blocks in what moves by itself: the last block of the page."""
    return {place for place, node in _nodes(_last(app)) if isinstance(node, Block)}


def places(app: AppTest) -> set[tuple[int, ...]]:
    """The places of the blocks that hold a figure."""
    return {place[:-1] for place, node in _nodes(_last(app)) if node.type == "bidi_component"}


def _last(app: AppTest) -> Block:
    found = app.main.children[max(app.main.children)]
    assert isinstance(found, Block)
    return found


def _nodes(block: Block, at: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    for place, child in block.children.items():
        yield (*at, place), child
        if isinstance(child, Block):
            yield from _nodes(child, (*at, place))
