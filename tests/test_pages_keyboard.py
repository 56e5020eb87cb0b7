"""What a click on a picture does can be done without one, too: every such click has a menu, a row of buttons or a field."""

from __future__ import annotations

from pathlib import Path

import pytest
from visitor import address, buttons, control, figure, figures, sound, turn_to, visit

from ked.store import load_run


def owner(feature: int) -> int:
    """The preset's superfeature of a feature, from 1."""
    groups = load_run("digits-preset").superfeatures().groups
    return next(m for m, group in enumerate(groups, start=1) if feature in group)


# Superfeatures


def test_the_legend_lights_a_superfeature_up_on_every_picture_and_lets_it_go_again() -> None:
    app = sound(visit(), "superfeatures")
    before = {key: figure(app, key) for key in ("graph", "matrix", "mask")}
    sound(buttons(app, "widget.selected").set_value(1).run(), "superfeatures")
    assert address(app) == {"sf": "2"}
    assert all(figure(app, key) != plain for key, plain in before.items())
    sound(buttons(app, "widget.selected").set_value(None).run(), "superfeatures")
    assert address(app) == {}
    assert {key: figure(app, key) for key in before} == before


def test_the_menu_of_features_does_what_a_click_on_one_does() -> None:
    app = visit()
    menu = control(app, "widget.node")
    assert menu.options[:2] == ["none", "row 0, column 0"]
    sound(menu.set_value(20).run(), "superfeatures")
    assert address(app) == {"node": "20", "sf": str(owner(20))}
    assert "row" in figures(app)
    assert buttons(app, "widget.selected").value == owner(20) - 1
    sound(control(app, "widget.node").set_value(-1).run(), "superfeatures")
    assert address(app) == {}


def test_whoever_chooses_a_superfeature_lets_the_feature_of_another_go() -> None:
    app = visit(node="20", sf=str(owner(20)))
    other = owner(20) % 4
    sound(buttons(app, "widget.selected").set_value(other).run(), "superfeatures")
    assert address(app) == {"sf": str(other + 1)}


def test_channels_are_chosen_by_their_names() -> None:
    app = visit(run="digits-small-cnn-preset")
    assert control(app, "widget.node").label == "Channel"
    sound(control(app, "widget.node").set_value(3).run(), "superfeatures")
    assert address(app)["node"] == "3"


# Samples


def test_a_sample_that_is_entered_by_its_number_is_asked_about_its_own_class() -> None:
    app = visit("explain", c="3", vs="5")
    sound(control(app, "widget.sample").set_value(7).run(), "explain")
    assert address(app) == {"i": "7"}


def test_the_donors_of_a_chimera_stay_when_another_sample_is_entered() -> None:
    app = visit("chimeras", donors="self,5,mean,self")
    sound(control(app, "widget.sample").set_value(7).run(), "chimeras")
    assert address(app) == {"i": "7", "donors": "self,5,mean,self"}


# Data that are not there


def test_the_train_page_says_at_once_that_the_files_of_a_data_set_are_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KED_DATA", str(tmp_path))
    app = sound(visit("train", data="unicauca"), "train")
    (message,) = [info.value for info in app.info if "not on this machine" in info.value]
    assert message.startswith("Unicauca")
    folder = tmp_path / "unicauca"
    folder.mkdir()
    (folder / "Dataset-Unicauca-Version2-87Atts.csv").touch()
    sound(turn_to(app, "train"), "train")
    assert not [info for info in app.info if "not on this machine" in info.value]
