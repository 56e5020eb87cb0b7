"""The train page without a browser: what will be computed, what is said of a run, and its curves while it goes on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from visitor import address, caption, control, copy_of, row, said, sound, standing, turn_to, usable, visit

from explorer.state.settings import SETTINGS
from ked.recipe import Recipe
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
    control(app, "widget.mu").set_value(0.3).run()
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
        sound(control(app, "widget.teacher_hidden").set_value(wrong).run(), "train")
        assert control(app, "widget.teacher_hidden").value == "64,64"
        assert SETTINGS["teacher_hidden"].label in app.toast[0].value
        assert address(app) == {"th": "64,64"}
    sound(control(app, "widget.teacher_hidden").set_value("32").run(), "train")
    assert address(app) == {"th": "32"}


def test_the_last_method_cannot_be_taken_away() -> None:
    app = visit("train", methods="plain")
    sound(row(app, "Students").set_value([]).run(), "train")
    assert row(app, "Students").value == ["plain"]
    assert app.toast


def test_a_run_from_the_menu_brings_its_settings(finished: Run, small_recipe: Recipe) -> None:
    app = visit("train")
    sound(control(app, "widget.run").set_value(finished.id).run(), "train")
    assert address(app)["run"] == finished.id
    assert control(app, "widget.seeds").value == small_recipe.seeds
    assert control(app, "widget.student_hidden").value == "12,12"


def test_a_run_that_no_control_can_describe_is_still_shown(finished: Run) -> None:
    wild = {"epochs": 0, "teacher_epochs": 3000, "superfeatures": 40, "seeds": 50, "lr": 1e-7, "seed": 2**31 - 1, "tau": 99.0}
    finished.update(recipe=finished.info["recipe"] | wild)
    app = visit("train")
    sound(control(app, "widget.run").set_value(finished.id).run(), "train")


def test_a_run_of_another_version_is_refused_with_a_sentence(finished: Run) -> None:
    finished.update(recipe=finished.info["recipe"] | {"warp": 9})
    assert finished.id not in str(visit("train").selectbox(key="widget.run").options)
    app = visit("train", run=finished.id)
    usable(app, "train")
    (message,) = said(app)
    assert "warp" in message
    assert "run" not in address(app)


def test_a_label_that_the_browser_still_has_of_a_run_that_ended_meanwhile_does_no_harm(finished: Run) -> None:
    app = visit("train", run=finished.id)
    for label in (f"{finished.id} · teacher 32-32 · M 4 · in progress", "no such run"):
        states = app._tree.get_widget_states()
        (menu,) = [state for state in states.widgets if "widget.run" in state.id]
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
    run.update(status="running")
    app = visit("train", run=run.id)
    usable(app, "train")
    assert "ended without a word" in said(app)[0]
    assert load_run(run.id).status == "failed"


@pytest.mark.parametrize("query", [{"data": "fashion-mnist"}, {"run": "fashion-mnist-preset"}])
def test_an_address_that_names_only_data_or_a_run_means_that_runs_own_recipe(query: dict[str, str]) -> None:
    recipe = load_run("fashion-mnist-preset").recipe
    app = visit("train", **query)
    assert address(app)["th"] == ",".join(map(str, recipe.teacher_hidden))
    assert caption(app, "Everything")


def test_a_setting_in_the_address_is_kept_beside_a_run() -> None:
    app = visit("train", run="fashion-mnist-preset", mu="0.25")
    assert address(app)["mu"] == "0.25"


def test_an_address_that_asks_for_nets_that_no_machine_holds_is_a_sentence_and_the_run_stays_in_view() -> None:
    app = visit("train", th="99999,99999", run="digits-preset")
    usable(app, "train")
    (refusal,) = said(app)
    assert "9999800001 weights" in refusal
    assert "Train" not in {button.label for button in app.button}
    assert "finished" in standing(app)
