"""The menu of students: four in view, the rest a click away, one setting in the address whatever row was clicked."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest
from visitor import address, control, said, sound, visit

from explorer.blocks.train.student_menu import GROUPS, USUAL, group
from explorer.state.settings import allowed_methods
from ked.methods import METHODS


def pills(app: AppTest, key: str) -> list[str]:
    return list(control(app, key).value)


def offered(app: AppTest) -> list[list[str]]:
    rows = [row for row in app.get("button_group") if str(row.key).startswith("widget.methods.")]
    return [list(row.options) for row in rows]


@pytest.mark.parametrize(("net", "dataset"), [("mlp", "digits"), ("small-cnn", "digits"), ("mlp", "planted")])
def test_every_student_is_offered_and_the_usual_ones_come_first(net: str, dataset: str) -> None:
    first, *others = offered(visit("train", net=net, methods="plain", data=dataset))
    assert any(METHODS["bayes"].label in row for row in others) == (dataset == "planted")
    assert first == [METHODS[name].label for name in USUAL]
    assert sorted(sum(others, first)) == sorted(METHODS[name].label for name in allowed_methods(net, dataset))


def test_every_student_that_is_not_usual_belongs_to_a_group_of_the_menu() -> None:
    assert {group(METHODS[name]) for name in METHODS if name not in USUAL} == set(GROUPS)


def test_a_student_chosen_behind_the_button_comes_into_view_and_into_the_address() -> None:
    app = visit("train", methods="plain,ked")
    row = control(app, "widget.methods.Controls")
    sound(row.set_value(["mu0"]).run(), "train")
    assert address(app)["methods"] == "plain,ked,mu0"
    assert pills(app, "widget.methods.shown") == ["plain", "ked", "mu0"]
    assert METHODS["mu0"].label in offered(app)[0]


def test_a_student_let_go_in_view_is_let_go_behind_the_button_too() -> None:
    app = visit("train", methods="plain,ked,mu0")
    row = control(app, "widget.methods.shown")
    sound(row.set_value(["plain"]).run(), "train")
    assert address(app)["methods"] == "plain"
    assert pills(app, "widget.methods.Controls") == []


def test_the_last_student_stays_whichever_row_lets_it_go() -> None:
    app = visit("train", methods="mu0")
    row = control(app, "widget.methods.Controls")
    app = row.set_value([]).run()
    assert said(app) == []
    assert pills(app, "widget.methods.shown") == ["mu0"]
