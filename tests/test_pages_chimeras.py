"""The chimeras page as a visitor without a browser meets it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from visitor import address, buttons, command, figure, figures, sound, turn_to, visit

from ked.data import load
from ked.explanation import centre
from ked.recipe import Recipe
from ked.store import Run, load_run
from ked.what_if import assemble

PICTURES = {"strip", "original", "chimera", "answers", "changes-teacher", "changes-student", "efficiency-study"}


def numbers(trace: dict[str, Any], name: str = "x") -> np.ndarray:
    values = trace[name]
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]) if isinstance(values, dict) else np.array(values)


def test_the_figures_show_what_the_nets_say_of_this_very_chimera() -> None:
    app = sound(visit("chimeras", donors="self,17,mean,blur", i="3", c="5", rep="2"), "chimeras")
    assert figures(app) == PICTURES
    run, data = load_run("digits-preset"), load("digits")
    x, groups = data.part("test")[0], run.superfeatures().groups
    chimera = assemble(x, 3, ("self", 17, "mean", "blur"), groups, mean=data.part("train")[0].mean(0), shape=data.shape)
    for key, net in (("teacher", run.explaining()), ("student", run.student("ked").replica(2))):
        with torch.no_grad():
            phi = centre(net.explanations(torch.stack([x[3], chimera])) - net.base)[0, :, :, 5]
        original, after = figure(app, f"changes-{key}")["data"]
        assert numbers(original) == pytest.approx(phi[:, 0].numpy(), abs=1e-4)
        assert numbers(after) == pytest.approx(phi[:, 1].numpy(), abs=1e-4)
        assert numbers(original)[0] == pytest.approx(numbers(after)[0], abs=1e-4)
    columns = [trace for trace in figure(app, "answers")["data"] if trace["type"] == "bar"]
    with torch.no_grad():
        said = run.teacher()(chimera[None])[0, 0].softmax(0)
    assert numbers(columns[1]) == pytest.approx(said.numpy(), abs=1e-4)
    table = app.dataframe[0].value
    assert len(table) == 2 + len(run.recipe.methods)


RESTORED = [
    ({"donors": "self,17,mean,blur"}, lambda app: app.number_input(key="widget.donor.1.sample").value == 17),
    ({"donors": "self,self,self,self"}, lambda app: any(text.value.startswith("Nothing is replaced yet") for text in app.markdown)),
    ({"sf": "3"}, lambda app: buttons(app, "widget.fills").value == 3),
    ({"student": "kd"}, lambda app: "does not explain itself" in app.subheader[4].value),
    ({"i": "7"}, lambda app: app.subheader[0].value.endswith("test sample 7")),
]  # fmt: skip


@pytest.mark.parametrize(("query", "shows"), RESTORED, ids=[next(iter(query)) for query, _ in RESTORED])
def test_an_address_restores_its_chimera(query: dict[str, str], shows: Callable[[AppTest], bool]) -> None:
    app = sound(visit("chimeras", **query), "chimeras")
    assert shows(app)
    assert address(app) == query


@pytest.mark.parametrize("donors", ["self", "self,99999999,self,self", "self,self,self,self,self"])
def test_donors_that_the_run_has_not_do_no_harm(donors: str) -> None:
    app = sound(visit("chimeras", donors=donors), "chimeras")
    assert figures(app) == PICTURES


def test_a_donor_is_chosen_by_kind_and_by_number() -> None:
    app = visit("chimeras")
    sound(app.selectbox(key="widget.donor.0").set_value("blur").run(), "chimeras")
    assert address(app)["donors"].startswith("blur,")
    sound(app.selectbox(key="widget.donor.3").set_value("another").run(), "chimeras")
    sound(app.number_input(key="widget.donor.3.sample").set_value(5).run(), "chimeras")
    assert address(app)["donors"].endswith(",5")


def test_surprises_follow_one_another_and_are_the_same_for_everyone() -> None:
    def surprises() -> list[str]:
        app = visit("chimeras")
        found = []
        for _ in range(2):
            next(button for button in app.button if button.label == "Surprise me").click().run()
            found.append(address(sound(app, "chimeras"))["donors"])
        return found

    first = surprises()
    assert len(set(first)) == 2
    assert surprises() == first


def test_all_donors_can_be_taken_back() -> None:
    app = visit("chimeras")
    next(button for button in app.button if button.label.startswith("All from")).click().run()
    assert address(sound(app, "chimeras"))["donors"] == "self,self,self,self"


def test_a_convolutional_run_says_why_not_and_leads_to_one_that_can() -> None:
    app = sound(visit("chimeras", run="digits-small-cnn-preset"), "chimeras")
    assert "groups of channels" in app.info[0].value
    next(button for button in app.button if button.label == "Show digits-preset").click().run()
    sound(app, "chimeras")
    assert figures(app) == PICTURES
    assert "run" not in address(app) or address(app)["run"] == "digits-preset"


def test_a_tables_row_is_shown_by_the_names_of_its_features(finish: Callable[[Recipe], Run], small_recipe: Recipe) -> None:
    run = finish(small_recipe.without(dataset="wine", superfeatures=3, epochs=1, teacher_epochs=1))
    app = sound(visit("chimeras", run=run.id, donors="self,2,mean"), "chimeras")
    assert figures(app) == {"answers", "changes-teacher", "changes-student"}
    table, data = next(frame.value for frame in app.dataframe if "feature" in frame.value), load("wine")
    groups = run.superfeatures().groups
    assert table["feature"].tolist() == [data.features[d] for group in groups for d in group]
    before = table.set_index("feature")["sample"]
    after = table.set_index("feature")["chimera"]
    rows = data.original(data.test[[0, 2]]).numpy()
    means = data.original(data.train).mean(0).numpy()
    for m, source in enumerate((rows[0], rows[1], means)):
        for d in groups[m]:
            assert before[data.features[d]] == pytest.approx(rows[0][d], rel=1e-4)
            assert after[data.features[d]] == pytest.approx(source[d], rel=1e-3, abs=1e-4)


def test_a_student_with_superfeatures_of_its_own_is_not_compared_part_by_part(
    finish: Callable[[Recipe], Run], small_recipe: Recipe
) -> None:
    run = finish(small_recipe.without(student_superfeatures=2, methods=("ked",)))
    app = sound(visit("chimeras", run=run.id), "chimeras")
    assert figures(app) == PICTURES - {"changes-student"}
    assert any("has other superfeatures" in heading.value for heading in app.subheader)


def test_accuracy_against_samples_comes_from_the_stored_runs_alone(finish: Callable[[Recipe], Run], small_recipe: Recipe) -> None:
    recipe = small_recipe.without(methods=("kd", "ked"))
    run = finish(recipe)
    app = sound(visit("chimeras", run=run.id), "chimeras")
    assert "efficiency" not in figures(app)
    study = figure(app, "efficiency-study")["data"]
    assert any(trace["name"] == "KED, then chimeras" for trace in study)
    assert "--train-size 50" in command(app)
    few = finish(recipe.without(train_size=50))
    app = sound(visit("chimeras", run=run.id), "chimeras")
    lines = {trace["name"]: numbers(trace, "y") for trace in figure(app, "efficiency")["data"]}
    for name, label in (("kd", "KD"), ("ked", "KED")):
        accuracies = [few.info["summary"]["accuracy"][name], run.info["summary"]["accuracy"][name]]
        assert lines[label] == pytest.approx([100 * np.mean(values) for values in accuracies])
    next(button for button in app.button if button.label == "Train with 50 samples").click().run()
    assert address(app)["n"] == "50"
    assert set(address(app)["methods"].split(",")) == {"kd", "ked", "ked+chimera", "ked+real"}
    sound(turn_to(app, "train"), "train")
