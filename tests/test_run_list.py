"""The list of runs: what a row says, which rows are asked for, and in which order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from explorer.words.run_list import ORDERS, STATUSES, Entry, entry, ordered, table, wanted
from ked.data import SOURCES
from ked.library import rename, tag
from ked.methods import METHODS
from ked.recipe import Recipe
from ked.store import Run, create_run, load_run

ROWS = [
    Entry("digits-1", "Sharp teacher", "done", "digits", "Digits", "MLP 20-20", 4, ("plain", "KED"), ("KED", 0.9), 3.0, ("a",)),
    Entry("wine-2", "wine-2", "failed", "wine", "Wine", "MLP 8", 2, ("plain",), None, 2.0, ("a", "b")),
    Entry("digits-preset", "digits-preset", "preset", "digits", "Digits", "MLP 20-20", 4, ("KD",), ("KD", 0.95), 1.0),
    Entry("broken-3", "broken-3", "damaged"),
]


def ids(entries: list[Entry]) -> list[str]:
    return [found.id for found in entries]


def test_a_finished_run_is_described_by_its_recipe_and_its_best_students(warm: Run) -> None:
    rename(warm, "My run")
    tag(warm, ["x"])
    found = entry(warm, warm.info)
    accuracy = warm.info["summary"]["accuracy"]
    validation = warm.info["summary"]["validation"]
    best = max(("plain", "kd", "ked"), key=lambda name: np.mean(validation[name]))
    assert found.best == (METHODS[best].label, np.mean(accuracy[best]))
    assert (found.id, found.name, found.status, found.dataset) == (warm.id, "My run", "done", "digits")
    assert (found.title, found.form, found.M) == (SOURCES["digits"].title, "MLP 12-12", 4)
    assert (found.methods, found.tags) == (("plain", "KD", "KED"), ("x",))


def test_presets_are_marked_and_unfinished_runs_have_no_best_students() -> None:
    preset = load_run("digits-preset")
    assert entry(preset, preset.info).status == "preset"
    run = create_run(Recipe(net="small-cnn", dataset="fashion-mnist"))
    found = entry(run, run.info)
    assert (found.status, found.best, found.form) == ("active", None, "small-cnn")


@pytest.mark.parametrize("kept", [True, False], ids=["in run.json", "in its events"])
def test_validation_picks_the_best_students_and_test_data_say_what_they_are_worth(kept: bool) -> None:
    run, validation = load_run("digits-preset"), {"plain": [0.9, 0.8], "kd": [0.7, 0.7]}
    summary = {"accuracy": {"teacher": 0.99, "plain": [0.6, 0.7], "kd": [0.9, 0.9]}} | ({"validation": validation} if kept else {})
    found = entry(run, run.info | {"summary": summary}, lambda: validation)
    assert found.best == ("plain", pytest.approx(0.65))


@pytest.mark.parametrize("recipe", [None, {}, {"epochs": "many"}, 7])
def test_a_run_that_cannot_be_read_has_a_row_of_its_own(recipe: object) -> None:
    run = create_run(Recipe())
    facts = None if recipe is None else run.info | {"recipe": recipe} if recipe else {}
    assert entry(run, facts) == Entry(run.id, run.id, "damaged")


SEARCHES = {
    "": [0, 1, 2, 3], "sharp": [0], "SHARP digits": [0], "digits": [0, 2], "mlp 20": [0, 2], "ked plain": [0],
    "damaged": [3], "nothing like it": [],
}  # fmt: skip


@pytest.mark.parametrize("text", SEARCHES)
def test_a_search_finds_the_runs_that_hold_every_word(text: str) -> None:
    assert ids(wanted(ROWS, text)) == [ROWS[i].id for i in SEARCHES[text]]


def test_filters_narrow_together() -> None:
    for data_set, status, tagged in itertools.product(("", "digits", "wine"), ("", *STATUSES), ("", "a", "b")):
        expected = [
            row.id for row in ROWS
            if (not data_set or row.dataset == data_set) and (not status or row.status == status) and (not tagged or tagged in row.tags)
        ]  # fmt: skip
        assert ids(wanted(ROWS, "", data_set, status, tagged)) == expected


def test_orders_are_what_they_are_called() -> None:
    names = {order: ids(ordered(ROWS, order)) for order in ORDERS}
    assert names["new"] == ["digits-1", "wine-2", "digits-preset", "broken-3"] == names["old"][::-1]
    assert names["best"][:2] == ["digits-preset", "digits-1"]
    assert names["name"] == ["broken-3", "digits-preset", "digits-1", "wine-2"]
    assert names["data"] == ["broken-3", "digits-1", "digits-preset", "wine-2"]


def test_the_table_has_a_row_an_entry_in_their_order() -> None:
    found = table(ROWS)
    assert list(found["name"]) == [row.name for row in ROWS]
    assert list(found["best"].fillna(0)) == [90.0, 0.0, 95.0, 0.0]
    assert found["when"].isna().tolist() == [False, False, True, False]
    assert len(table([])) == 0
    assert list(table([]).columns) == list(found.columns)
