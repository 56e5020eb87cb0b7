"""The pages of a convolutional run, as a visitor without a browser meets them: channels are not pixels."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from visitor import address, buttons, caption, control, figure, figures, sound, turn_to, visit

from explorer.blocks import frame
from ked.data import load
from ked.explanation import centre
from ked.nets.cnn.gradcam import grad_cam
from ked.recipe import Recipe
from ked.runs.presets import RECIPES
from ked.store import PRESETS, Run, list_presets, load_run

RUN = "digits-small-cnn-preset"
MEANINGLESS = {"widget.superfeatures", "widget.grouping", "widget.scale", "widget.engine"}


def cnn(page: str = "superfeatures", **address: str) -> AppTest:
    return sound(visit(page, run=RUN, **address), page)


def controls(app: AppTest) -> set[str]:
    return {widget.key for kind in ("selectbox", "slider", "number_input", "text_input") for widget in app.get(kind)}


def tint(drawing: dict[str, Any], row: int) -> dict[str, Any]:
    """The map over the picture in a row of a column of pictures."""
    return [trace for trace in drawing["data"] if "hovertemplate" in trace][row]


def values(trace: dict[str, Any]) -> np.ndarray:
    rows, columns = map(int, trace["z"]["shape"].split(","))
    return np.frombuffer(base64.b64decode(trace["z"]["bdata"]), "f4").reshape(rows, columns)


# The shipped run


def test_presets_stay_under_fifteen_megabytes() -> None:
    assert sum(path.stat().st_size for path in PRESETS.rglob("*") if path.is_file()) < 15_000_000


def test_the_shipped_runs_are_those_of_the_recipes() -> None:
    assert {run.id: run.recipe for run in list_presets()} == {f"{name}-preset": recipe for name, recipe in RECIPES.items()}


def test_a_visitor_of_digits_sees_the_mlp_first_and_can_tell_it_from_the_convolutional_run() -> None:
    first = frame.default_run("digits")
    assert first is not None
    assert first.id == "digits-preset"
    assert "teacher 200-200 " in frame.describe(first)
    assert "teacher small-cnnx2 " in frame.describe(load_run(RUN))


# Superfeatures


def test_the_superfeatures_page_speaks_of_channels() -> None:
    app = cnn()
    assert figures(app) == {"graph", "matrix", "groups", *(f"looks-{m}" for m in range(1, 5))}
    sizes = [option.content for option in buttons(app, "widget.selected").proto.options]
    assert [size.rpartition("**")[2] for size in sizes] == [" 46 channels"] * 4
    assert caption(app, "These nets are convolutional")
    assert any(text.value.startswith("Are the 4 groups independent?") for text in app.markdown)
    assert "channel 1" in str(figure(app, "graph")["data"][-1]["customdata"])


def test_controls_that_mean_nothing_for_channels_are_away_and_come_back_with_an_mlp() -> None:
    app = cnn()
    assert not controls(app) & MEANINGLESS
    sound(control(app, "widget.run").set_value("digits-preset").run(), "superfeatures")
    assert controls(app) >= MEANINGLESS
    assert "mask" in figures(app)


def test_settings_of_pixels_in_the_address_do_no_harm() -> None:
    app = cnn(m="7", group="grid", scale="std", node="183", engine="scikit-network")
    assert "channel 184" in str(app.dataframe[0].value["from"].tolist())


def test_the_average_can_be_taken_otherwise() -> None:
    app = cnn()
    before = figure(app, "matrix")
    sound(control(app, "widget.reduce").set_value("mean_abs").run(), "superfeatures")
    assert figure(app, "matrix") != before


# Explain


def test_the_explain_page_shows_a_map_for_each_branch_of_teacher_and_student() -> None:
    app = cnn("explain", i="7", c="3", rep="1")
    assert figures(app) == {
        "strip", "sample", "block", "waterfall-teacher", "waterfall-student", "answers", *(f"branch-{m}" for m in range(1, 5)),
    }  # fmt: skip
    run, x = load_run(RUN), load("digits").part("test")[0][7:8]
    nets = [run.explaining(), run.student("ked").replica(1)]
    maps = [grad_cam(net, x, classes=[3], density=True)[0, :, 0].numpy() for net in nets]  # type: ignore[arg-type]
    for m in range(4):
        drawing = figure(app, f"branch-{m + 1}")
        for row, net in enumerate(nets):
            shown = tint(drawing, row)
            assert values(shown) == pytest.approx(maps[row][m], rel=1e-4, abs=1e-5)
            assert shown["zmax"] == pytest.approx(max(float(one.max()) for one in maps))  # one scale for both
            phi = centre(net.explanations(x) - net.base)[0, m, 0, 3]
            texts = [note["text"] for note in drawing["layout"]["annotations"]]
            assert f"{phi:+.2f}".replace("-", "−") in texts[1 + 2 * row]
            group = net.groups[m]
            assert texts[2 + 2 * row] == f"channels {group[0] + 1}–{group[-1] + 1}"


def test_that_convolutional_nets_keep_the_base_is_said_where_there_are_some() -> None:
    for run, told in (("digits-small-cnn-preset", True), ("digits-preset", False)):
        app = visit("explain", run=run)
        assert any("leave the base out" in text.value for text in app.caption) is told


def test_maps_and_numbers_follow_the_contrast_of_two_classes() -> None:
    app = cnn("explain", i="7", c="3", vs="8", ev="against")
    run, x = load_run(RUN), load("digits").part("test")[0][7:8]
    for row, net in enumerate([run.explaining(), run.student("ked").replica(0)]):
        maps = grad_cam(net, x, classes=[3], against=8, evidence="against", density=True)[0, :, 0].numpy()  # type: ignore[arg-type]
        phi = (net.explanations(x) - net.base)[0, :, 0].detach()
        for m in range(4):
            drawing = figure(app, f"branch-{m + 1}")
            assert values(tint(drawing, row)) == pytest.approx(maps[m], rel=1e-4, abs=1e-5)
            said = f"{float(phi[m, 3] - phi[m, 8]):+.2f}".replace("-", "−")
            assert said in drawing["layout"]["annotations"][1 + 2 * row]["text"]
    assert "3 rather than 8" in caption(app, "Grad-CAM")


def test_a_branch_that_is_switched_off_has_no_map() -> None:
    drawing = figure(cnn("explain", on="1011"), "branch-2")
    assert not [trace for trace in drawing["data"] if "hovertemplate" in trace]
    assert "teacher <b>off</b>" in [note["text"] for note in drawing["layout"]["annotations"]]


def test_maps_of_what_speaks_against_a_class_are_others_and_have_an_address() -> None:
    app = cnn("explain")
    before = figure(app, "branch-1")
    sound(buttons(app, "widget.evidence").set_value("against").run(), "explain")
    assert address(app)["ev"] == "against"
    assert figure(app, "branch-1") != before
    assert "speak against" in caption(app, "Grad-CAM")


def test_beside_a_black_box_the_teachers_maps_stand_alone() -> None:
    app = cnn("explain", student="plain")
    notes = [note["text"] for note in figure(app, "branch-1")["layout"]["annotations"]]
    assert len(notes) == 3  # head, teacher, channels
    assert any("does not explain itself" in header.value for header in app.subheader)


@pytest.mark.parametrize("net", ["small-cnn", "mlp"])
def test_a_student_with_superfeatures_of_its_own_is_shown_beside_its_teacher(net: str, finish: Callable[[Recipe], Run]) -> None:
    form = {} if net == "mlp" else {"net": net, "teacher_net": net}
    sizes = {"teacher_hidden": (12,), "student_hidden": (12,), "train_size": 200, "dependency_samples": 20}
    counts = {"superfeatures": 3, "student_superfeatures": 2, "seeds": 1, "epochs": 1, "teacher_epochs": 1}
    run = finish(Recipe.make(methods=("ked",), **form, **sizes, **counts))
    app = sound(visit("explain", run=run.id, on="011"), "explain")
    assert any("The student has 2 superfeatures of its own and its teacher 3" in text.value for text in app.markdown)
    bars = figure(app, "waterfall-student")["data"][0]["text"]
    assert "off" not in bars
    assert "off" in figure(app, "waterfall-teacher")["data"][0]["text"]
    if net == "mlp":
        shown = figure(app, "overlay-student")["layout"]["annotations"]
        assert len(shown) == 2
    else:
        assert {"branch-1", "branch-2", "branch-3"} <= figures(app)
    sound(turn_to(app, "superfeatures"), "superfeatures")
