"""The train page without a browser: what will be computed, what is said of a run, and its curves while it goes on."""

from __future__ import annotations

import base64
import functools
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest, local_script_runner
from visitor import address, caption, copy_of, figure, said, sound, turn_to, usable, visit

from explorer.blocks import lab
from explorer.settings import SETTINGS
from ked.recipe import Recipe
from ked.runs import steering
from ked.store import Run, create_run, load_run


@pytest.fixture
def finished(small_run: Run, ked_home: Path) -> Run:
    """A finished run in this test's home, which may be changed and damaged."""
    return copy_of(small_run, ked_home)


# Train


def plan(app: AppTest) -> tuple[set[str], set[str]]:
    """What the train page says is to be computed, and what is reused."""
    found = re.fullmatch(r"To compute: (.+?)\.(?: Reused: (.+)\.)?", caption(app, "To compute"))
    assert found
    return tuple(set((part or "").split(", ")) for part in found.groups())  # type: ignore[return-value]


def test_with_the_presets_recipe_nothing_is_to_compute() -> None:
    assert "already computed" in caption(visit("train"), "Everything in this recipe")


def test_with_mu_changed_only_ked_is_to_compute() -> None:
    app = visit("train")
    app.slider(key="widget.mu").set_value(0.3).run()
    todo, reused = plan(sound(app, "train"))
    assert todo == {"KED"}
    assert reused == {
        "teacher",
        "dependency matrix",
        "superfeatures",
        "explaining teacher",
        "plain",
        "KD",
        "architecture only",
    }


PLANS = {
    "T": ("5", {"KD", "KED"}),
    "tau": ("5", {"KED"}),
    "sh": ("10", {"plain", "KD", "KED", "architecture only"}),
    "m": ("5", {"superfeatures", "explaining teacher", "KED", "architecture only"}),
    "scale": ("std", {"dependency matrix", "superfeatures", "explaining teacher", "KED", "architecture only"}),
}


@pytest.mark.parametrize("key", PLANS)
def test_a_changed_setting_makes_only_what_depends_on_it_anew(key: str) -> None:
    text, expected = PLANS[key]
    assert plan(visit("train", **{key: text}))[0] == expected


def test_with_another_seed_everything_is_to_compute() -> None:
    assert caption(visit("train", seed="9"), "To compute") == (
        "To compute: teacher, dependency matrix, superfeatures, explaining teacher, plain, KD, KED, architecture only."
    )


def test_a_text_that_is_refused_leaves_the_old_value() -> None:
    app = visit("train", th="64,64")
    for wrong in ("wide", "0", "64;64", ""):
        sound(app.text_input(key="widget.teacher_hidden").set_value(wrong).run(), "train")
        assert app.text_input(key="widget.teacher_hidden").value == "64,64"
        assert SETTINGS["teacher_hidden"].label in app.toast[0].value
        assert address(app) == {"th": "64,64"}
    sound(app.text_input(key="widget.teacher_hidden").set_value("32").run(), "train")
    assert address(app) == {"th": "32"}


def test_the_last_method_cannot_be_taken_away() -> None:
    app = visit("train", methods="plain")
    sound(app.get("button_group")[0].set_value([]).run(), "train")
    assert app.get("button_group")[0].value == ["plain"]
    assert app.toast


def test_a_run_from_the_menu_brings_its_settings(finished: Run, small_recipe: Recipe) -> None:
    app = visit("train")
    sound(app.selectbox(key="widget.run").set_value(finished.id).run(), "train")
    assert address(app)["run"] == finished.id
    assert app.slider(key="widget.seeds").value == small_recipe.seeds
    assert app.text_input(key="widget.student_hidden").value == "12,12"


def test_a_run_that_no_control_can_describe_is_still_shown(finished: Run) -> None:
    wild = {"epochs": 0, "teacher_epochs": 3000, "superfeatures": 40, "seeds": 50, "lr": 1e-7, "seed": 2**31 - 1, "tau": 99.0}
    finished.update(recipe=finished.info["recipe"] | wild)
    app = visit("train")
    sound(app.selectbox(key="widget.run").set_value(finished.id).run(), "train")


def test_a_run_of_another_version_is_refused_with_a_sentence(finished: Run) -> None:
    finished.update(recipe=finished.info["recipe"] | {"warp": 9})
    app = visit("train")
    app.selectbox(key="widget.run").set_value(finished.id).run()
    usable(app, "train")
    (message,) = said(app)
    assert "warp" in message
    assert address(app) == {}


def test_a_label_that_the_browser_still_has_of_a_run_that_ended_meanwhile_does_no_harm(finished: Run) -> None:
    app = visit("train", run=finished.id)
    for label in (f"{finished.id} · teacher 32-32 · M 4 · in progress", "no such run"):
        states = app._tree.get_widget_states()
        (menu,) = [state for state in states.widgets if state.id.endswith("widget.run")]
        menu.string_value = label
        sound(app._run(states), "train")
        assert address(app)["run"] == finished.id


def test_the_table_has_a_row_a_net(finished: Run) -> None:
    app = sound(visit("train", run=finished.id), "train")
    table = app.dataframe[0].value
    assert list(table["net"]) == ["teacher", "explaining teacher", "plain", "KD", "KED"]
    assert list(table["seeds"]) == [1, 1, 2, 2, 2]
    assert list(table["against plain"] == "") == [True, True, True, False, False]
    assert all(table["parameters"] > 0)


def test_a_failed_run_shows_its_message(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    message = "the machine ran out of memory; use a smaller net, a smaller batch or fewer seeds."
    run.update(status="failed", message=message)
    run.append({"kind": "end", "status": "failed", "message": message, "time": 1.0})
    app = visit("train", run=run.id)
    usable(app, "train")
    sentence = message[0].upper() + message[1:]
    assert said(app) == [sentence]
    turn_to(app, "superfeatures")
    usable(app, "superfeatures")
    (warning,) = said(app)
    assert sentence in warning
    sound(turn_to(app, "explain"), "explain")


def test_a_job_that_died_without_a_word_is_said_to_have_failed(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    run.update(status="running", pid=2**22 + 1, pid_started=0.0)
    app = visit("train", run=run.id)
    usable(app, "train")
    assert "ended without a word" in said(app)[0]
    assert load_run(run.id).status == "failed"


# A run in progress


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
    small_run: Run, small_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "_SHARE", 0.0)  # figures are made anew at every tick, however quickly it comes
    run = create_run(small_recipe)
    app = visit("train", run=run.id)
    sound(app, "train")
    assert "starting" in app.markdown[-1].value
    run.update(status="running")
    tell(run, *stage("teacher"), epoch("teacher", 1, [0.5]))
    tick(app, monkeypatch)
    assert "teacher, epoch 1 of 3" in app.markdown[-1].value
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
    assert "plain, epoch 3 of 3" in app.markdown[-1].value
    assert not app.exception
    assert not app.error
    assert any(button.key == "stop" for button in app.button)


def test_the_curve_of_a_later_student_grows_while_it_is_behind_the_first(
    small_run: Run, small_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "_SHARE", 0.0)
    run = create_run(small_recipe)
    run.update(status="running")
    tell(run, *stage("student-plain"), *(epoch("student-plain", number, [0.5, 0.75]) for number in (1, 2, 3)))
    app = sound(visit("train", run=run.id), "train")
    tell(run, *stage("student-kd"))
    seen = [points(app, "KD")]
    for number in (1, 2):
        tell(run, epoch("student-kd", number, [0.25, 0.5]))
        tick(app, monkeypatch)
        seen.append(points(app, "KD"))
    assert 0 == seen[0] < seen[1] < seen[2]


def test_the_tick_after_the_end_brings_the_table(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    done = finished.info
    finished.update(status="running", summary={}, seconds={})
    app = sound(visit("train", run=finished.id), "train")
    assert not app.dataframe
    finished.update(status="done", summary=done["summary"], seconds=done["seconds"])
    tick(app, monkeypatch)
    sound(app, "train")
    assert len(app.dataframe) == 1
    assert not any(button.key == "stop" for button in app.button)


def test_stop_asks_the_job_to_stop(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    run.update(status="running")
    app = visit("train", run=run.id)
    app.button(key="stop").click().run()
    sound(app, "train")
    assert steering.asked(run).cancelled


def test_only_what_a_visitor_typed_is_changed(small_recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what the stage before, or somebody else, has changed since the fields were first shown."""
    run = create_run(small_recipe)
    run.update(status="running")
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


@pytest.mark.parametrize("query", [{"data": "fashion-mnist"}, {"run": "fashion-mnist-preset"}])
def test_an_address_that_names_only_data_or_a_run_means_that_runs_own_recipe(query: dict[str, str]) -> None:
    recipe = load_run("fashion-mnist-preset").recipe
    app = visit("train", **query)
    assert address(app)["th"] == ",".join(map(str, recipe.teacher_hidden))
    assert caption(app, "Everything")


def test_a_setting_in_the_address_is_kept_beside_a_run() -> None:
    app = visit("train", run="fashion-mnist-preset", mu="0.25")
    assert address(app)["mu"] == "0.25"
