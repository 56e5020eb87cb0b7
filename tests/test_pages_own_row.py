"""Tables on the explain page: samples are listed with what the nets answer, and a row of the visitor's own is explained as it is typed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from flowers import RNG, SPECIES, N, frame
from streamlit.testing.v1 import AppTest
from test_pages_chimeras import numbers
from visitor import address, figure, said, sound, visit

from ked import data
from ked.data import user_files
from ked.explanation import centre
from ked.recipe import Recipe
from ked.store import Run

COLOUR = np.array(["red", "white", None], dtype=object)[RNG.permutation(N) % 3]
FLOWERS = frame(colour=COLOUR, nr=range(N)).to_csv(index=False).encode()


@pytest.fixture
def run(small_recipe: Recipe, finish: Callable[[Recipe], Run]) -> Run:
    key = user_files.add("flowers.csv", FLOWERS, "species")
    return finish(small_recipe.without(dataset=key, superfeatures=3, epochs=2, teacher_epochs=2, methods=("plain", "ked")))


def own(run: Run) -> AppTest:
    return sound(visit("explain", run=run.id, what="own", i="3"), "explain")


def says(app: AppTest) -> np.ndarray:
    """The bars of the explaining teacher's sum: contributions between the base and the normaliser."""
    return numbers(figure(app, "waterfall-teacher")["data"][0])[1:-2]


def expected(run: Run, x: torch.Tensor, app: AppTest) -> np.ndarray:
    net, c = run.explaining(), app.selectbox(key="widget.label").value
    with torch.no_grad():
        return centre(net.explanations(x[None]) - net.base)[0, :, 0, c].numpy()


def test_test_samples_are_listed_as_they_stood_in_the_table_with_what_nets_answer(run: Run) -> None:
    app = sound(visit("explain", run=run.id, i="5"), "explain")
    listed = app.dataframe[0].value
    found = data.load(run.recipe.dataset)
    rows = found.test[listed["sample"].to_list()]
    assert [*listed.columns] == ["sample", "class", "explaining teacher says", "KED says", "length", "width", "colour"]
    assert listed["class"].tolist() == [SPECIES[row] for row in rows.tolist()]
    assert [colour or None for colour in listed["colour"]] == [COLOUR[row] for row in rows.tolist()]
    answers = run.explaining()(found.x[rows])[0].argmax(1)
    assert listed["explaining teacher says"].tolist() == [found.classes[c] for c in answers]
    assert app.session_state["table.samples"]["selection"]["rows"] == [listed["sample"].tolist().index(5)]


def test_a_row_is_explained_at_every_change_of_its_form(run: Run) -> None:
    found, app = data.load(run.recipe.dataset), own(run)
    row = found.row(found.x[found.test[3]])
    key = f"row.{run.recipe.dataset}"
    assert app.subheader[0].value == "Your row"
    assert says(app) == pytest.approx(expected(run, found.sample(row), app), abs=1e-3)
    for field, column, value in (
        (app.number_input, "length", 9.5),
        (app.selectbox, "colour", "white"),
        (app.selectbox, "colour", ""),
    ):
        start = next(one.start for one in found.columns if one.name == column)
        field(key=f"{key}.{start}").set_value(value).run()
        row[column] = str(value)
        assert says(app) == pytest.approx(expected(run, found.sample(row), app), abs=1e-3)
    texts = figure(app, "sample")["data"][0]["text"]
    assert "9.5" in texts
    assert sorted(text for text in texts if text in ("yes", "no")) == ["no", "no", "yes"]
    assert address(app)["what"] == "own"
    app.number_input(key=f"{key}.0").set_value(None).run()
    assert "'length' needs a value" in said(app)[0]


def test_the_form_begins_anew_with_another_test_sample(run: Run) -> None:
    found, app = data.load(run.recipe.dataset), own(run)
    field = app.number_input(key=f"row.{run.recipe.dataset}.0")
    assert field.value == pytest.approx(float(found.row(found.x[found.test[3]])["length"]), rel=1e-4)
    app.number_input(key="widget.sample").set_value(4).run()
    field = app.number_input(key=f"row.{run.recipe.dataset}.0")
    assert field.value == pytest.approx(float(found.row(found.x[found.test[4]])["length"]), rel=1e-4)


def test_a_shipped_table_has_a_form_too(small_recipe: Recipe, finish: Callable[[Recipe], Run]) -> None:
    run = finish(small_recipe.without(dataset="wine", superfeatures=3, epochs=1, teacher_epochs=1, methods=("ked",)))
    app, found = own(run), data.load("wine")
    assert app.number_input(key="row.wine.0").value == pytest.approx(found.original(found.test[3:4])[0, 0].item(), rel=1e-5)
    assert says(app) == pytest.approx(expected(run, found.x[found.test[3]], app), abs=1e-3)


def test_the_data_page_lists_test_samples_with_what_nets_answer_and_leads_to_explain(run: Run) -> None:
    app = sound(visit("data", data=run.recipe.dataset, run=run.id, i="2"), "data")
    listed = next(frame.value for frame in app.dataframe if "sample" in frame.value)
    assert listed["explaining teacher says"].isin(["rose", "tulip", "aster"]).all()
    rows = next(frame.value for frame in app.dataframe if [*frame.value.columns] == ["class", "length", "width", "colour"])
    assert set(rows["colour"]) <= {"red", "white", ""}
