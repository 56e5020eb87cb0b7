"""The agreement page as a visitor without a browser meets it: what it shows is what the nets say, for every kind of run."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from visitor import address, caption, control, copy_of, figure, figures, sound, visit

from ked import data
from ked.agreements import MEASURES, Survey, survey
from ked.matching import match
from ked.recipe import Recipe
from ked.store import Run, load_run

ALL = {"agreement", "fidelity", "accuracy", "cells", "scatter", "spread", "worst", "best"}


def words(app: AppTest) -> str:
    return " ".join(found.value for found in [*app.markdown, *app.info, *app.caption])


def numbers(values: Any) -> np.ndarray:
    """A list, or plotly's packed array."""
    if isinstance(values, dict):
        flat = np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
        return flat.reshape([int(side) for side in str(values.get("shape", len(flat))).split(",")])
    return np.asarray(values, dtype=float)


def drawn(app: AppTest, key: str, name: str) -> dict[str, Any]:
    (trace,) = [trace for trace in figure(app, key)["data"] if trace.get("name") == name]
    return trace


def direct(run: Run, method: str) -> Survey:
    x, y = data.load(run.recipe.dataset).part("test")
    student, teacher = run.student(method), run.explaining()
    return survey(student, teacher, x, y, pairs=match(student.groups, teacher.groups), tau=run.recipe.tau)


def test_every_dot_is_a_seeds_mean_over_the_test_set() -> None:
    app, found = sound(visit("agreement"), "agreement"), direct(load_run("digits-preset"), "ked")
    assert numbers(drawn(app, "agreement", "KED, seeds")["x"]) == pytest.approx(found.mean("cosine"), rel=1e-5)
    assert numbers(drawn(app, "fidelity", "KED, seeds")["x"]) == pytest.approx(100 * found.mean("answer"))
    assert numbers(drawn(app, "accuracy", "KED, seeds")["x"]) == pytest.approx(100 * found.correct.mean(1))
    cells = numbers(figure(app, "cells")["data"][0]["z"])
    assert cells == pytest.approx(np.vstack([found.cells["cosine"].mean(0), found.by_class("cosine").mean(0)]), rel=1e-5)
    assert len(app.dataframe[1].value) == len(MEASURES) + 3


def test_black_boxes_have_answers_and_are_said_to_have_no_explanation() -> None:
    app = visit("agreement")
    names = {trace.get("name") for trace in figure(app, "agreement")["data"]}
    assert "KED, seeds" in names
    assert "KD, seeds" not in names
    assert "KD, seeds" in {trace.get("name") for trace in figure(app, "fidelity")["data"]}
    notes = [note["text"] for note in figure(app, "agreement")["layout"]["annotations"]]
    assert notes.count("a black box: no explanation") == 3


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_can_be_looked_at(name: str) -> None:
    app = sound(visit("agreement"), "agreement")
    sound(control(app, "widget.measure").set_value(name).run(), "agreement")
    assert figures(app) == ALL
    assert address(app) == ({"agree": name} if name != "cosine" else {})
    assert MEASURES[name].description in caption(app, MEASURES[name].description)
    rows = 5 if name in ("cosine", "spearman", "jensen-shannon", "kullback-leibler", "sign", "beyond") else 1
    assert len(figure(app, "cells")["layout"]["yaxis"]["ticktext"]) == rows


def test_a_case_opens_on_the_explain_page() -> None:
    app, found = visit("agreement", student="architecture", rep="2"), direct(load_run("digits-preset"), "architecture")
    sound(app.menu_button(key="worst-menu").click_index(1).run(), "explain")
    assert address(app)["i"] == str(found.samples["cosine"][2].argsort()[1])
    assert address(app)["student"] == "architecture"


def test_gradient_maps_are_compared_of_black_boxes_too_and_own_maps_of_those_that_explain_themselves() -> None:
    run = load_run("digits-preset")
    x, y = data.load("digits").part("test")
    plain = survey(run.student("plain"), run.explaining(), x, y, pairs=None, tau=1.0, shape=(8, 8), maps=("gradient",))
    app = sound(visit("agreement", agree="gradient-structure"), "agreement")
    assert figures(app) == ALL
    assert numbers(drawn(app, "agreement", "plain, seeds")["x"]) == pytest.approx(plain.mean("gradient-structure"), rel=1e-4)
    assert len(app.dataframe[1].value) == len(MEASURES) + 3 + 3
    of_ked = numbers(drawn(app, "agreement", "KED, seeds")["x"]).mean()
    assert figure(app, "cells")["layout"]["yaxis"]["ticktext"] == [f"all ({of_ked:.2f})"]
    assert "whole maps" in words(app)
    own = sound(control(app, "widget.measure").set_value("own-top").run(), "agreement")
    names = {trace.get("name") for trace in figure(own, "agreement")["data"]}
    assert "KED, seeds" in names
    assert "plain, seeds" not in names
    assert address(own)["agree"] == "own-top"


def test_convolutional_students_are_compared_branch_by_branch() -> None:
    app = sound(visit("agreement", run="digits-small-cnn-preset"), "agreement")
    assert figures(app) == ALL
    assert "Compared with *architecture only*" in words(app)


# Other runs

TINY: dict[str, Any] = {"teacher_hidden": (12,), "student_hidden": (8,), "epochs": 1, "teacher_epochs": 1, "dependency_samples": 20}


def test_a_table_lists_its_cases_as_buttons_that_open_them(finish: Callable[[Recipe], Run]) -> None:
    run = finish(Recipe.make(dataset="wine", methods=("ked", "shuffled", "noise"), superfeatures=3, seeds=2, **TINY))
    app = sound(visit("agreement", run=run.id), "agreement")
    assert figures(app) == ALL - {"worst", "best"}
    assert not [name for name in control(app, "widget.measure").options if "SSIM" in name]
    assert "Compared with *shuffled explanations*" in words(app)
    (first, *_) = [button for button in app.button if str(button.key).startswith("best-")]
    sound(first.click().run(), "explain")
    assert address(app).get("i", "0") == first.key.removeprefix("best-")


def test_students_of_random_groups_stand_beside_those_of_the_run(finish: Callable[[Recipe], Run]) -> None:
    recipe = Recipe.make(methods=("ked", "mu0"), train_size=200, seeds=2, **TINY)
    run, other = finish(recipe), finish(recipe.without(grouping="random"))
    elsewhere = finish(recipe.without(seed=7))  # other seeds: nothing to pair
    app = sound(visit("agreement", run=run.id), "agreement")
    assert not any("groups" in trace.get("name", "") for trace in figure(app, "agreement")["data"])
    offered = control(app, "widget.beside").options
    assert len(offered) == 2
    assert other.id in offered[1]
    assert elsewhere.id not in offered[1]
    sound(control(app, "widget.beside").set_value(other.id).run(), "agreement")
    found = direct(other, "ked")  # with its own teacher
    assert numbers(drawn(app, "agreement", "KED, random groups, seeds")["x"]) == pytest.approx(found.mean("cosine"), rel=1e-5)
    assert "*KED, random groups* (another run, which differs in grouping)" in words(app)
    assert app.dataframe[0].value["which is"].tolist()[-1] == "another run, which differs in grouping"
    assert control(app, "widget.student").options == ["KED", "KED without explanations"]
    assert address(app)["beside"] == other.id


def test_one_seed_and_unequal_superfeatures_are_said(finish: Callable[[Recipe], Run]) -> None:
    counts = {"superfeatures": 3, "student_superfeatures": 2, "seeds": 1}
    run = finish(Recipe.make(methods=("ked", "mu0"), grouping="random", train_size=200, **counts, **TINY))
    app = sound(visit("agreement", run=run.id, rep="4"), "agreement")
    assert "One seed cannot tell" in words(app)
    assert "Agreement is over the matched pairs only." in words(app)
    assert len(figure(app, "cells")["layout"]["yaxis"]["ticktext"]) == 3  # two pairs, and all
    assert address(app)["run"] == run.id
    assert "rep" not in address(app)


def test_a_run_without_students_that_explain_themselves_shows_fidelity_alone(finish: Callable[[Recipe], Run]) -> None:
    run = finish(Recipe.make(methods=("plain", "kd-explaining"), train_size=200, seeds=2, **TINY))
    app = sound(visit("agreement", run=run.id), "agreement")
    assert figures(app) == {"fidelity", "accuracy"}
    assert "these are black boxes" in words(app)
    sound(control(app, "widget.measure").set_value("gradient-ranks").run(), "agreement")
    assert figures(app) == {"agreement", "fidelity", "accuracy"}


def test_a_run_without_explaining_teacher_or_without_students_is_a_sentence(
    finish: Callable[[Recipe], Run], small_run: Run, ked_home: Path
) -> None:
    run = finish(Recipe.make(methods=("plain", "kd"), train_size=200, seeds=1, **TINY))
    app = sound(visit("agreement", run=run.id), "agreement")
    assert figures(app) == set()
    assert "no explaining teacher" in words(app)
    copy = copy_of(small_run, ked_home)
    for file in copy.folder.glob("student-*.safetensors"):
        file.unlink()
    app = sound(visit("agreement", run=copy.id), "agreement")
    assert "No student of this run is finished" in words(app)


def test_the_students_of_the_page_before_stay_chosen_where_they_explain_themselves() -> None:
    app = visit("agreement", student="plain")
    assert "KED" in app.subheader[-1].value
    assert visit("agreement", student="mu0").selectbox(key="widget.student").value == "mu0"
