"""The attributions page: its maps and numbers are those of the library, whatever the run is made of."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from visitor import address, control, copy_of, figure, figures, row, sound, visit

from explorer.words.attributions import (
    maps_csv,
    share,
)
from ked.attribution import Question, Reference, attribute
from ked.attribution.likeness import likeness
from ked.attribution.quality import measure
from ked.attribution.shapley import exact_shapley
from ked.data import load
from ked.recipe import Recipe
from ked.store import Run, load_run

PIXELS, CHANNELS = "digits-preset", "digits-small-cnn-preset"
TINY: dict[str, Any] = {"teacher_hidden": (12,), "student_hidden": (12,), "seeds": 1, "epochs": 1, "teacher_epochs": 1}


def asked(run: Run, which: str, sample: int, label: int, k: int = 0) -> Question:
    dataset = load(run.recipe.dataset)
    stack = run.explaining() if which == "explaining" else run.teacher() if which == "teacher" else run.student(which)
    x, parts = dataset.part("test")[0][sample : sample + 1], run.superfeatures().groups
    return Question(stack, k, x, torch.tensor([label]), Reference.of(dataset), parts, dataset.shape)


def tints(app: AppTest, method: str) -> list[np.ndarray]:
    """The maps of a column, net under net."""
    found = []
    for trace in figure(app, f"map-{method}")["data"]:
        if "hovertemplate" in trace:
            rows, columns = map(int, trace["z"]["shape"].split(","))
            found.append(np.frombuffer(base64.b64decode(trace["z"]["bdata"]), "f4").reshape(rows, columns))
    return found


def texts(app: AppTest, method: str) -> str:
    return " ".join(note["text"] for note in figure(app, f"map-{method}")["layout"]["annotations"])


def numbers(app: AppTest) -> Any:
    return app.dataframe[-1].value


def test_every_net_is_a_row_and_each_map_is_the_librarys_on_one_scale() -> None:
    app, run = sound(visit("attributions", i="7", c="3", rep="1"), "attributions"), load_run(PIXELS)
    for method in ("integrated-gradients", "occlusion", "shapley-sampling"):
        nets = (("teacher", 0), ("explaining", 0), ("ked", 1), ("kd", 1))
        for shown, (which, k) in zip(tints(app, method), nets, strict=True):
            values = attribute(method, asked(run, which, 7, 3, k))[0].numpy().reshape(8, 8)
            assert shown == pytest.approx(values / np.abs(values).max(), abs=1e-5)
        scales = {(trace["zmin"], trace["zmax"]) for trace in figure(app, f"map-{method}")["data"] if "hovertemplate" in trace}
        assert scales == {(-1, 1)}
    assert len(tints(app, "own")) == 2
    assert texts(app, "own").count("does not explain itself") == 2


def test_figures_are_drawn_anew_for_another_sample_and_kept_for_the_same() -> None:
    app, drawn = visit("attributions", i="7", c="3"), []
    for sample in (7, 7, 8, 7):
        control(app, "widget.sample").set_value(sample).run()
        drawn.append({key: figure(app, key) for key in ("map-saliency", "deletion-1", "agreement-1")})
    assert drawn[0] == drawn[1] == drawn[3]
    assert all(drawn[2][key] != drawn[0][key] for key in drawn[0])
    values = attribute("saliency", asked(load_run(PIXELS), "teacher", 7, 3))[0].numpy().reshape(8, 8)
    assert tints(app, "saliency")[0] == pytest.approx(values / np.abs(values).max(), abs=1e-5)


def test_the_numbers_under_a_map_are_those_of_the_table_and_of_the_library() -> None:
    app, run = sound(visit("attributions", i="7", c="3"), "attributions"), load_run(PIXELS)
    rows = numbers(app)
    row = rows[(rows["net"] == "KED student") & (rows["method"] == "DeepLIFT")].iloc[0]
    question = asked(run, "ked", 7, 3)
    found, own = measure("deep-lift", question), attribute("own", question)[0].numpy()
    alike = likeness(found.values, own, question.parts)
    expected = [found.deletion, found.insertion, found.infidelity, alike.spearman, alike.overlap, alike.cosine]
    columns = ["deletion", "insertion", "infidelity", "agreement: ranks", "agreement: strongest tenth", "agreement: sums"]
    assert row[columns].tolist() == pytest.approx(expected, rel=1e-4, abs=1e-5)
    said = texts(app, "deep-lift")
    assert f"del {share(found.deletion)} · ins {share(found.insertion)}" in said
    assert f"agr {share(alike.spearman)} · " in said
    assert len(rows) == 4 * 9 - 2  # two black boxes have no explanation of their own


def test_deletion_and_insertion_are_drawn_for_teacher_and_student_from_the_numbers_of_the_table() -> None:
    app, run = sound(visit("attributions", i="7", c="3"), "attributions"), load_run(PIXELS)
    for place, which in enumerate(("explaining", "ked"), start=1):
        found = measure("occlusion", asked(run, which, 7, 3))
        for key, curve in ((f"deletion-{place}", found.deleted), (f"insertion-{place}", found.inserted)):
            drawing = figure(app, key)
            (line,) = [trace for trace in drawing["data"] if trace["name"] == "occlusion"]
            assert packed(line["x"]) == pytest.approx(100 * curve.shares, abs=1e-4)
            assert packed(line["y"]) == pytest.approx(curve.heights, abs=1e-5)
            assert f"area {curve.area:.3f}" in line["hovertemplate"]
            assert drawing["layout"]["yaxis"]["range"] == [-0.01, 1.01]
            assert len(drawing["data"]) == 9
    rows = numbers(app)
    row = rows[(rows["net"] == "KED student")].sort_values("deletion").iloc[0]
    (said,) = [text.value for text in app.markdown if text.value.startswith("The KED student loses")]
    assert f"in the order of **{row['method']}** (area {row['deletion']:.2f}, halfway after" in said


def packed(values: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])


def test_agreement_is_measured_as_the_visitor_chooses() -> None:
    app = sound(visit("attributions", i="7"), "attributions")
    before = figure(app, "agreement-1"), figure(app, "between")
    sound(row(app, "Agreement by").set_value("cosine").run(), "attributions")
    assert address(app) == {"i": "7", "like": "cosine"}
    assert figure(app, "agreement-1") != before[0]
    assert figure(app, "between") != before[1]


def test_every_likeness_is_in_a_table() -> None:
    app, run = sound(visit("attributions", i="7", c="3"), "attributions"), load_run(PIXELS)
    rows = app.dataframe[0].value
    assert len(rows) == 2 * 36 + 9 + 8  # every two of nine methods for two nets; both pairs of nets, black boxes without their own
    maps = [attribute("occlusion", asked(run, which, 7, 3))[0].numpy() for which in ("teacher", "kd")]
    alike = likeness(*maps, run.superfeatures().groups, shape=(8, 8))
    row = rows[(rows["whose"] == "occlusion") & (rows["map"] == "black-box teacher")].iloc[0]
    found = row[["ranks", "strongest tenth", "sums", "structure"]].tolist()
    assert found == pytest.approx([alike.spearman, alike.overlap, alike.cosine, alike.structure], abs=1e-4)


def test_maps_can_be_had_as_csv_in_their_own_units() -> None:
    app = sound(visit("attributions"), "attributions")
    assert [button.proto.label for button in app.get("download_button")] == ["Maps as CSV"]
    text = maps_csv({"net, a": np.array([0.5, -2.0]), "net, b": np.array([1.0, 0.0])}, ("ash", "hue, of wine"))
    assert text.splitlines() == ['feature,"net, a","net, b"', "ash,0.5,1.0", '"hue, of wine",-2.0,0.0']


def test_exact_shapley_values_stand_beside_the_own_ones() -> None:
    app, run = sound(visit("attributions", i="7", c="3"), "attributions"), load_run(PIXELS)
    found = exact_shapley(asked(run, "explaining", 7, 3))
    shown = app.dataframe[1].value
    assert shown["own"].tolist() == pytest.approx(found.own.tolist(), rel=1e-4, abs=1e-5)
    assert shown["Captum (switches)"].tolist() == pytest.approx(shown["own"].tolist(), rel=1e-4, abs=1e-5)
    assert found.blanked is not None
    assert shown["Captum (blanked)"].tolist() == pytest.approx(found.blanked.tolist(), rel=1e-4, abs=1e-5)
    assert any("all 24 orders" in text.value for text in app.markdown)


def test_the_checks_that_take_longer_come_when_they_are_asked_for(finish: Callable[[Recipe], Run]) -> None:
    run = finish(Recipe.make(dataset="wine", methods=("plain",), superfeatures=2, **TINY))
    app = sound(visit("attributions", run=run.id, student="plain"), "attributions")
    assert "sanity" not in numbers(app)
    sound(row(app, "Checks").set_value("all").run(), "attributions")
    assert address(app)["checks"] == "all"
    rows = numbers(app)
    assert set(rows["sanity"]) <= {"passes", "fails"}
    assert ((rows["what survives"] < 0.5) == (rows["sanity"] == "passes")).all()
    assert (rows["max-sensitivity"] >= 0).all()
    assert any("weights are re-initialised is below 0.5" in text.value for text in app.markdown)


def test_a_convolutional_run_has_grad_cam_and_squares_in_place_of_superfeatures() -> None:
    app = sound(visit("attributions", run=CHANNELS), "attributions")
    assert "map-grad-cam" in figures(app)
    assert len(tints(app, "grad-cam")) == 3
    assert any("16 squares" in text.value for text in app.caption)
    assert "Captum (blanked)" not in app.dataframe[1].value


def test_an_mlp_is_told_why_grad_cam_is_missing_and_what_is_there_instead() -> None:
    app = sound(visit("attributions"), "attributions")
    (why,) = [text.value for text in app.caption if text.value.startswith("**Grad-CAM**")]
    assert "integrated gradients" in why


def test_a_table_is_shown_as_bars_by_the_names_of_its_features(finish: Callable[[Recipe], Run]) -> None:
    run = finish(Recipe.make(dataset="wine", methods=("ked",), superfeatures=3, **TINY))
    app = sound(visit("attributions", run=run.id), "attributions")
    assert "agreement: structure" not in numbers(app)
    assert "structure (SSIM)" not in [option.content for option in row(app, "Agreement by").proto.options]
    drawing = figure(app, "map-occlusion")
    assert [trace["name"] for trace in drawing["data"]] == ["black box", "explaining", "KED student"]
    assert any("alcohol" in text for text in drawing["layout"]["yaxis"]["ticktext"])
    values = attribute("occlusion", asked(run, "ked", 0, int(control(app, "widget.label").value)))[0].numpy()
    order = [feature for group in run.superfeatures().groups for feature in group]
    shown = drawing["data"][2]["x"]
    assert shown == pytest.approx([values[d] / np.abs(values).max() for d in order], rel=1e-3, abs=1e-3)


def test_a_run_without_explaining_nets_has_everything_but_the_own_explanation(finish: Callable[[Recipe], Run]) -> None:
    run = finish(Recipe.make(methods=("kd",), train_size=200, dependency_samples=20, **TINY))
    app = sound(visit("attributions", run=run.id, student="kd"), "attributions")
    assert "map-own" not in figures(app)
    assert "map-deep-lift" in figures(app)
    assert "agreement: ranks" not in numbers(app)
    assert not [name for name in figures(app) if name.startswith("shapley")]


def test_a_run_that_ended_before_its_students_or_its_teachers_says_what_there_is(small_run: Run, ked_home: Any) -> None:
    run = copy_of(small_run, ked_home)
    for file in run.folder.glob("student-*.safetensors"):
        file.unlink()
    app = sound(visit("attributions", run=run.id), "attributions")
    assert len(tints(app, "saliency")) == 2
    assert "between" not in figures(app)
    assert {name for name in figures(app) if name.startswith("deletion")} == {"deletion-1"}
    for name in ("teacher", "explaining"):
        (run.folder / f"{name}.safetensors").unlink()
    app = sound(visit("attributions", run=run.id), "attributions")
    assert any("no finished teacher" in info.value for info in app.info)


def test_too_many_superfeatures_for_all_orders_are_a_sentence(finish: Callable[[Recipe], Run]) -> None:
    run = finish(Recipe.make(dataset="wine", methods=("ked",), superfeatures=8, **TINY))
    app = sound(visit("attributions", run=run.id), "attributions")
    assert any("40,320 orders of 8" in info.value for info in app.info)


# Words
