"""The data page as a visitor meets it: look, bring a file, be refused with a sentence, train, delete; without a browser."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from test_data_class_folders import PARTED, zipped
from test_data_shelf import arrays, pictures, table
from visitor import PAGES, address, control, copy_of, figure, figures, said, sound, turn_to, usable, visit

from explorer.state import settings
from explorer.state.adapt_to_data import fitting
from explorer.words.datasets import Titles
from ked.data import user_files
from ked.recipe import Recipe
from ked.store import Run

FIRST = settings.from_url({})[0]


def upload(app: AppTest, name: str, content: bytes) -> AppTest:
    app.file_uploader[0].set_value((name, content, "application/octet-stream"))
    return app.run()


def take(app: AppTest) -> AppTest:
    return app.button(key="use").click().run()


def text_of(app: AppTest) -> str:
    return " ".join(found.value for found in [*app.markdown, *app.caption])


def test_a_table_shows_its_rows_and_features_and_what_to_mind() -> None:
    app = sound(visit("data", data="wine"), "data")
    assert figures(app) == {"balance"}
    counts, rows, features = (frame.value for frame in app.dataframe)
    assert counts[["train", "validation", "test"]].to_numpy().sum() == 178
    assert list(rows.columns[:2]) == ["class", "alcohol"]
    assert 11 < rows["alcohol"].mean() < 15  # in its own units, not standardised
    assert features["tells the class"].is_monotonic_decreasing
    assert {metric.label: metric.value for metric in app.metric}["Samples"] == "178"
    assert "No sample appears twice." in text_of(app)


def test_one_class_can_be_looked_at_by_itself() -> None:
    app = visit("data")
    everything = figure(app, "samples")
    sound(control(app, "widget.kind").set_value(7).run(), "data")
    assert address(app) == {"k": "7"}
    assert {note["text"] for note in figure(app, "samples")["layout"]["annotations"]} == {"7"}
    assert figure(app, "samples") != everything


def test_data_that_are_not_on_this_machine_are_a_sentence_that_says_which_file_goes_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KED_DATA", str(tmp_path))
    app = visit("data", data="tiny-imagenet")
    usable(app, "data")
    assert said(app) == []
    assert "tiny-imagenet-200" in app.info[0].value
    assert "KED_DATA" in app.info[0].value


@pytest.mark.parametrize(
    ("name", "content", "classes"),
    [("Pets (2).csv", table(), 2), ("shades.zip", pictures(), 2), ("numbers.npz", arrays(), 2)],
)
def test_an_uploaded_file_is_chosen_everywhere(name: str, content: bytes, classes: int) -> None:
    app = sound(take(upload(visit("data"), name, content)), "data")
    (key,) = user_files.listed()
    assert address(app)["data"] == key
    assert {metric.label: metric.value for metric in app.metric}["Classes"] == str(classes)
    for page in PAGES:
        sound(turn_to(app, page), page)
        assert control(app, "widget.dataset").value == key
        assert name in control(app, "widget.dataset").options


def test_pictures_in_colour_keep_their_official_parts_and_are_shown_in_colour() -> None:
    app = sound(take(upload(visit("data"), "pets.zip", zipped(PARTED | {"README.md": b"x"}))), "data")
    assert "20 of 21 files are pictures in class folders" in text_of(app).replace("\\", "")
    assert {metric.label: metric.value for metric in app.metric}["Test"] == "10"
    (trace,) = figure(app, "samples")["data"]
    assert trace["type"] == "image"
    assert trace["source"].startswith("data:image/png;base64,")


def test_the_column_with_the_class_is_chosen_from_the_files_own_header() -> None:
    content = "\n".join(["a,kind,b", *(f"{i / 7:.3f},{i % 3},{-i}" for i in range(60))]).encode()
    app = upload(visit("data"), "t.csv", content)
    menu = app.selectbox(key="column.0")
    assert menu.options == ["a", "kind", "b"]
    assert menu.value == "kind"
    menu.set_value("b").run()
    assert "every class needs at least 5" in said(app)[0]
    app.selectbox(key="column.0").set_value("kind").run()
    sound(take(app), "data")
    (about,) = user_files.listed().values()
    assert about.label == "kind"
    assert not app.get("file_uploader")[0].value  # ready for another one


SHEET = "id;seen;len;sex;kind\n" + "".join(
    f"x{i};{i % 28 + 1}.03.2026;{i % 9},{i % 7};{('female', 'male', '')[i % 3]};{'ab'[i % 2]}\n" for i in range(60)
)


def test_what_would_be_done_with_a_table_is_said_before_it_is_kept_and_switches_overrule_it() -> None:
    app = upload(visit("data"), "t.csv", SHEET.encode())
    said_before = text_of(app).replace("\\", "")
    assert "3 of 4 columns used: 1 encoded, 1 read as days since 1970, 1 filled in 20 rows; left out: “id”, an id" in said_before
    assert "Values are separated by semicolons. Numbers have decimal commas" in said_before
    shown = app.dataframe[0].value.set_index("column")
    assert shown.loc["sex"].tolist() == ["one feature per value", "female, male, missing; 20 gaps filled"]
    assert shown.loc["id"].tolist() == ["left out", "an id: each row has its own"]
    assert user_files.listed() == {}
    app.multiselect(key="drop.0.4").set_value(["seen"]).run()
    app.multiselect(key="keep.0.4").set_value(["id"]).run()
    sound(take(app), "data")
    (about,) = user_files.listed().values()
    assert (about.label, about.drop, about.keep) == ("kind", ("seen",), ("id",))
    assert {metric.label: metric.value for metric in app.metric}["Features"] == str(60 + 1 + 3)
    assert "20 values are missing in `sex`" in text_of(app)
    assert "left out: “seen”, as asked" in text_of(app).replace("\\", "")


def test_a_table_of_pixels_is_pictures_unless_it_is_to_be_a_table() -> None:
    rows = "".join(f"{i % 3}," + ",".join(str((i * k) % 251) for k in range(16)) + "\n" for i in range(60))
    app = upload(visit("data"), "t.csv", ("label," + ",".join(f"pixel{k}" for k in range(16)) + f"\n{rows}").encode())
    assert "16 pixels of pictures of 4x4" in text_of(app).replace("\\", "")
    sound(take(app), "data")
    assert {metric.label: metric.value for metric in app.metric}["Pixels"] == "4 × 4"
    app = upload(visit("data"), "t.csv", ("label," + ",".join(f"pixel{k}" for k in range(16)) + f"\n{rows}").encode())
    app.toggle(key="plain.0.0").set_value(True).run()
    sound(take(app), "data")
    assert {metric.label: metric.value for metric in app.metric}["Features"] == "16"


def test_a_table_in_which_nothing_looks_like_classes_asks_for_the_column() -> None:
    app = upload(visit("data"), "t.csv", b"1,2,3\n4,5,6\n")
    assert "No column looks like classes: choose the one that holds them." in text_of(app)
    assert app.selectbox(key="column.0").value is None
    assert [button.key for button in app.button if button.key == "use"] == []


REFUSED = {
    "one class": ("t.csv", table().replace(b"dog", b"cat"), "has 1 class"),
    "empty": ("t.csv", b"", "has 0 bytes"),
    "no archive": ("t.zip", b"<script>alert(1)</script>", "not a zip archive"),
    "no arrays": ("t.npz", b"\x80\x04.", "cannot be unpacked"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_refused_is_a_sentence_and_nothing_is_kept(case: str, one_sentence: Callable[[str], str]) -> None:
    name, content, named = REFUSED[case]
    app = upload(visit("data"), name, content)
    if not app.error:
        take(app)
    usable(app, "data")
    (message,) = said(app)
    assert named in one_sentence(message)
    assert user_files.listed() == {}
    assert address(app) == {}


def test_a_name_full_of_markup_is_shown_as_plain_text() -> None:
    sound(take(upload(visit("data"), "<img src=x>[a](b)`$.csv", table())), "data")
    (about,) = user_files.listed().values()
    assert html.escape(about.file) == about.file
    assert not set(about.file) & set("[]`$<>")


def test_a_run_on_own_data_is_shown_on_every_page(small_recipe: Recipe, finish: Callable[[Recipe], Run]) -> None:
    key = user_files.add("pets.csv", table(60))
    run = finish(small_recipe.without(dataset=key, superfeatures=2))
    for page in PAGES:
        app = sound(visit(page, run=run.id), page)
        assert control(app, "widget.dataset").value == key
        assert control(app, "widget.run").value == run.id
    sound(visit("superfeatures", data=key), "superfeatures")


def test_own_data_are_deleted_after_a_second_click_and_their_run_says_what_is_missing(
    small_recipe: Recipe, finish: Callable[[Recipe], Run], one_sentence: Callable[[str], str]
) -> None:
    key = user_files.add("pets.csv", table())
    run = finish(small_recipe.without(dataset=key, superfeatures=2, methods=("plain",)))
    app = sound(visit("data", data=key), "data")
    other = sound(visit("data", data=key), "data")
    assert "Delete **pets.csv** from this server? 1 run" in text_of(app)
    sound(app.button(key="delete").click().run(), "data")
    assert user_files.listed() == {}
    assert control(app, "widget.dataset").value == FIRST["dataset"]
    usable(other.run(), "data")
    assert "has been deleted" in one_sentence(said(other)[0])
    late = visit("superfeatures", run=run.id)
    usable(late, "superfeatures")
    assert "add its file on the Data page" in said(late)[0]


def test_an_address_of_data_that_are_not_there_is_a_notice() -> None:
    app = visit(data="own:pets-0123456789")
    usable(app, "superfeatures")
    (message,) = said(app)
    assert "own:pets-0123456789 was ignored" in message
    assert "data" not in address(app)


def test_a_run_on_a_path_is_refused_and_the_path_is_never_opened(small_run: Run, ked_home: Path, tmp_path: Path) -> None:
    run = copy_of(small_run, ked_home)
    run.update(recipe=run.info["recipe"] | {"dataset": str(tmp_path / "secret.csv")})
    app = visit(run=run.id)
    usable(app, "superfeatures")
    assert "the file 'secret.csv' by its path" in said(app)[0]


def test_the_settings_fit_the_data_wherever_they_were_chosen() -> None:
    key = user_files.add("pets.csv", table(60))
    app = sound(visit("data", data="wine", m="16"), "data")
    sound(app.button(key="train").click().run(), "train")
    assert control(app, "widget.superfeatures").value == 13
    sound(control(turn_to(app, "train"), "widget.dataset").set_value(key).run(), "train")
    assert control(app, "widget.superfeatures").value == 2
    assert visit("train", data=key).slider(key="widget.superfeatures").value == 2


@pytest.mark.parametrize("shape", [(2,), (40,), (8, 8), (3, 32, 32)])
def test_fitting_settings_make_a_recipe_for_samples_of_that_shape(shape: tuple[int, ...]) -> None:
    wild = FIRST | {"superfeatures": 16, "student_superfeatures": 9, "net": "small-cnn", "augment": "crop"}
    fitted = wild | fitting(wild, shape)
    recipe = settings.to_recipe(fitted)
    assert max(recipe.superfeatures, recipe.student_superfeatures or 1) <= math.prod(shape)
    assert recipe.convolutional == (len(shape) > 1)
    assert fitting(fitted, shape) == {}


def test_no_two_titles_are_alike_and_all_data_have_one() -> None:
    first, second = user_files.add("pets.csv", table()), user_files.add("pets.csv", table(40))
    titles = dict(Titles())
    assert len(set(titles.values())) == len(titles) == len(Titles())
    assert titles[first] == "pets.csv"
    assert titles[second] == f"pets.csv ({second[-4:]})"
    with pytest.raises(KeyError):
        Titles()["own:none-0123456789"]
    assert "nothing" not in Titles()
