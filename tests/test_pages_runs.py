"""The runs page as a visitor meets it: the list, one run closely, several side by side, and what may be done with them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from visitor import address, caption, control, copy_of, figure, figures, said, sound, turn_to, usable, visit

from explorer.pictures import theme
from explorer.words.numbers import signed
from ked.library import rename
from ked.library.archive import export_run
from ked.recipe import Recipe
from ked.store import PRESETS, Run, create_run, list_presets, list_runs


def listed(app: AppTest) -> list[str]:
    """The names in the list."""
    return list(app.dataframe[0].value["name"])


def button(app: AppTest, label: str) -> AppTest:
    (found,) = [button for button in app.button if button.label == label]
    return found.click().run()


@pytest.fixture
def finished(small_run: Run, ked_home: Path) -> Run:
    """A finished run in this test's home, which may be changed."""
    return copy_of(small_run, ked_home)


@pytest.fixture
def other(finish: Callable[[Recipe], Run], small_recipe: Recipe) -> Run:
    """A run with other students' seeds, of which it shares two of three with the first one, and another mu."""
    return finish(small_recipe.without(mu=0.2, seeds=3))


def test_the_page_opens_with_the_presets_and_one_of_them_closely() -> None:
    app = sound(visit("runs"), "runs")
    assert set(listed(app)) == {run.id for run in list_presets()}
    assert app.subheader[0].value == r"digits\-preset"
    assert figures(app) == {"curves"}
    assert address(app) == {}


def test_a_marked_run_is_shown_closely_and_an_address_restores_it(finished: Run) -> None:
    rename(finished, "The *first* :red[run]")
    app = sound(visit("runs", compare=finished.id), "runs")
    assert app.subheader[0].value == r"The \*first\* \:red\[run\]"
    assert app.session_state["table.compare"]["selection"]["rows"] == [0]
    assert listed(app)[0] == "The *first* :red[run]"
    assert len(app.dataframe[1].value) == 5
    assert address(app) == {"compare": finished.id}


def test_the_runs_of_an_address_that_are_gone_are_a_sentence(finished: Run) -> None:
    app = visit("runs", compare=f"digits-0a1b2c3d,{finished.id}")
    usable(app, "runs")
    (message,) = said(app)
    assert "digits-0a1b2c3d" in message
    assert address(app) == {"compare": finished.id}
    app = visit("runs", compare="../../etc")
    assert "compare=../../etc was ignored" in said(app)[0]


def test_runs_that_share_seeds_are_paired_by_them(finished: Run, other: Run) -> None:
    app = sound(visit("runs", compare=f"{finished.id},{other.id}"), "runs")
    assert figures(app) == {"overlay", "compared"}
    differ, differences = app.dataframe[1].value, app.dataframe[2].value
    assert list(differ.iloc[:, 0]) == ["run", "line", "Seeds", "Explanations' share μ"]
    row = differences.set_index("net").loc["KED"]
    both = (run.info["summary"]["accuracy"]["ked"][:2] for run in (finished, other))
    first, second = (np.array(values) for values in both)
    assert row["B − A"].startswith(signed(100 * float((second - first).mean())))
    assert row["B − A"].endswith("(2 seeds)")
    lines = [trace for trace in figure(app, "overlay")["data"] if "fill" not in trace]
    assert {(trace["line"]["color"], trace["line"]["dash"]) for trace in lines} == {
        (theme.method_colour(method), dash) for method in ("plain", "kd", "ked") for dash in ("solid", "dash")
    }


def test_runs_without_shared_seeds_or_data_are_not_paired(finished: Run, other: Run) -> None:
    other.update(seeds=[7, 8, 9])
    app = sound(visit("runs", compare=f"{finished.id},{other.id},fashion-mnist-preset"), "runs")
    row = app.dataframe[2].value.set_index("net").loc["plain"]
    assert (row["B − A"], row["C − A"]) == ("not paired: no shared seeds", "not paired: other data")
    assert "different data" in app.info[0].value


def test_students_can_be_left_out_of_the_comparison(finished: Run) -> None:
    app = visit("runs", compare=f"{finished.id},digits-preset", only="ked")
    assert len(figure(app, "compared")["layout"]["yaxis"]["ticktext"]) == 2
    assert address(sound(app, "runs")) == {"compare": f"{finished.id},digits-preset", "only": "ked"}
    assert address(button(app, "Unmark all")) == {"only": "ked"}


def test_marks_outlive_filters_that_hide_them(finished: Run) -> None:
    app = sound(visit("runs", compare=finished.id, q="fashion"), "runs")
    assert listed(app) == ["fashion-mnist-preset"]
    assert "1 marked, but hidden" in caption(app, "1 run.")
    app = sound(control(app, "widget.search").set_value("no such thing").run(), "runs")
    assert listed(app) == []
    assert address(app) == {"compare": finished.id, "q": "no such thing"}
    sound(control(app, "widget.of_status").set_value("preset").run(), "runs")


def test_a_run_is_renamed_and_tagged_and_the_menu_calls_it_so(finished: Run) -> None:
    app = visit("runs", compare=finished.id)
    app.text_input[1].set_value("Low  λ")
    app.text_input[2].set_value("paper, to do")
    sound(button(app, "Save"), "runs")
    assert (finished.info["name"], finished.info["tags"]) == ("Low λ", ["paper", "to do"])
    assert listed(app)[0] == "Low λ"
    sound(control(app, "widget.of_tag").set_value("paper").run(), "runs")
    assert listed(app) == ["Low λ"]
    sound(turn_to(app, "train"), "train")
    (option,) = [text for text in control(app, "widget.run").options if text.startswith("Low λ · ")]
    assert option.endswith(f" · {finished.id}")
    assert control(app, "widget.run").set_value(finished.id).run().session_state["ked.values"]["run"] == finished.id


def test_a_tag_that_is_none_is_a_sentence_and_changes_nothing(finished: Run) -> None:
    before = finished.info
    app = visit("runs", compare=finished.id)
    app.text_input[1].set_value("Another name")
    app.text_input[2].set_value("<script>")
    button(app, "Save")
    assert "'<script>' is not allowed" in said(app)[0]
    assert finished.info == before


def test_a_run_is_deleted_after_a_second_look(finished: Run) -> None:
    app = visit("runs", compare=finished.id, run=finished.id)
    assert finished.folder.exists()
    sound(button(app, "Delete for good"), "runs")
    assert not finished.folder.exists()
    assert finished.id not in listed(app)
    assert {"run", "compare"}.isdisjoint(address(app))


def test_presets_cannot_be_changed_and_runs_in_progress_not_deleted() -> None:
    app = visit("runs", compare="digits-preset")
    assert {"Save", "Delete for good"}.isdisjoint(button.label for button in app.button)
    assert caption(app, "Ships with the app")
    run = create_run(Recipe())
    app = sound(visit("runs", compare=run.id), "runs")
    app = button(app, "Delete for good")  # the popover that holds it is closed to visitors
    assert "still in progress" in said(app)[0]
    assert run.folder.exists()


def test_a_damaged_run_is_listed_and_can_only_be_deleted(finished: Run) -> None:
    (finished.folder / "run.json").write_text("{")
    app = visit("runs", compare=finished.id)
    usable(app, "runs")
    assert "damaged" in said(app)[0]
    assert list(app.dataframe[0].value["status"]).count("damaged") == 1
    usable(visit("runs", compare=f"{finished.id},digits-preset"), "runs")
    sound(button(app, "Delete for good"), "runs")


@pytest.mark.parametrize("page", ["Superfeatures", "Train", "Explain"])
def test_a_run_is_opened_in_another_page_with_its_settings(page: str, finished: Run) -> None:
    app = button(visit("runs", compare=finished.id), page)
    sound(app, page.lower())
    assert app.session_state["ked.values"]["run"] == finished.id
    assert app.session_state["ked.values"]["teacher_hidden"] == "32,32"


def test_an_uploaded_run_is_taken_in_and_anything_else_is_a_sentence(small_run: Run) -> None:
    file = io.BytesIO()
    export_run(small_run, file)
    app = visit("runs")
    app.file_uploader[0].set_value(("run.zip", file.getvalue(), "application/zip")).run()
    sound(app, "runs")
    assert address(app) == {"compare": small_run.id}
    assert small_run.id in listed(app)
    assert "computed elsewhere" in caption(app, small_run.id)
    app.file_uploader[0].set_value(("run.zip", b"no zip", "application/zip")).run()
    assert "not a zip file" in said(app)[0]
    assert [run.id for run in list_runs()].count(small_run.id) == 1


def test_looking_at_presets_leaves_them_alone() -> None:
    before = {path: path.stat().st_mtime_ns for path in PRESETS.rglob("*")}
    visit("runs", compare="digits-preset,fashion-mnist-preset")
    assert {path: path.stat().st_mtime_ns for path in PRESETS.rglob("*")} == before
