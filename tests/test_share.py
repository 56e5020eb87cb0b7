"""Sharing: what a link hides, and a class that sees its lecturer's moves and guesses with them."""

from __future__ import annotations

import os
from pathlib import Path

from visitor import address, buttons, figures, row, sound, turn_to, visit

from explorer.state import following


def style(app: object) -> str:
    return "".join(str(element.proto) for element in app.get("html"))  # type: ignore[attr-defined]


def test_a_link_hides_what_it_was_asked_to_and_nothing_else(ked_home: Path) -> None:
    assert ".st-key-controls, .st-key-choose-sample, .st-key-phone-settings, .st-key-share { display: none" in style(
        visit("explain", data="digits", m="5", hide="controls")
    )
    plain = style(visit("explain", data="digits", m="5", hide="everything"))
    assert "display: none !important" not in plain
    assert "font-size: 150%" not in plain
    assert "font-size: 150%" in style(visit("explain", data="digits", m="5", present="1"))


def test_a_class_sees_the_lecturers_moves_on_every_page(ked_home: Path) -> None:
    lecturer = sound(visit("superfeatures", data="digits", m="5"), "superfeatures")
    lecturer.toggle(key="ked.share.lead").set_value(True).run()
    token = lecturer.session_state["ked.leads"]
    first = following.view(token)
    assert first is not None
    assert (first.page, first.query["m"]) == ("superfeatures", "5")
    follower = sound(visit("superfeatures", data="digits", m="7", follow=token), "superfeatures")
    assert address(follower)["m"] == "5"
    lecturer.slider(key="widget.superfeatures").set_value(6).run()
    turn_to(lecturer, "explain")
    moved = following.view(token)
    assert moved is not None
    assert (moved.page, moved.query["m"]) == ("explain", "6")
    waiting = follower.run()
    assert waiting.session_state["ked.page"] == "superfeatures", "until the browser has said that no tick of this page is to come"
    waiting.session_state["ked.follows.ready"] = {"word": str(moved.stamp)}
    sound(waiting.run(), "explain")
    assert address(follower)["m"] == "6"
    assert address(follower)["follow"] == token, "the next move is seen as well"


def test_the_lecturer_sees_what_the_class_guesses(ked_home: Path) -> None:
    lecturer = visit("lesson", data="digit-pairs")
    lecturer.toggle(key="ked.share.lead").set_value(True).run()
    token = lecturer.session_state["ked.leads"]
    for option in (1, 1, 2):
        buttons(visit("lesson", data="digit-pairs", follow=token), "widget.guess.1").set_value(option).run()
    student = visit("lesson", data="digit-pairs", follow=token, guess="c----")
    assert address(student)["guess"] == "c----", "whoever follows keeps their own guess"
    (told,) = [text.value for text in lecturer.run().markdown if "The class has guessed" in text.value]
    assert told.endswith("Nothing at all: **0** · The first digit: **2** · The second digit: **1**")


def test_a_file_that_is_none_shows_nothing(ked_home: Path) -> None:
    assert following.view("aaaaaaaa") is None
    (ked_home / "follow").mkdir(parents=True)
    (ked_home / "follow" / "aaaaaaaa.json").write_text("null")
    assert following.view("aaaaaaaa") is None
    assert not following.tally("aaaaaaaa", 1)


def test_results_are_hidden_until_somebody_has_guessed(ked_home: Path) -> None:
    app = visit("agreement", hide="results")
    assert not figures(app)
    row(app, "**Guess first:** Does learning from explanations buy agreement, accuracy, both or neither?").set_value("Both").run()
    assert "agreement" in figures(app)
    assert not any(button.label == "Show me" for button in visit("lesson", data="digit-pairs", hide="results").button)


def test_classes_of_days_ago_are_swept(ked_home: Path) -> None:
    following.lead("aaaaaaaa", "explain", {})
    file = ked_home / "follow" / "aaaaaaaa.json"
    os.utime(file, (0, 0))
    following.lead("aaaaaaaa", "explain", {})
    assert file.exists(), "a class that looks at the same view goes on"
    following.lead("bbbbbbbb", "explain", {})
    assert [path.name for path in file.parent.iterdir()] == ["bbbbbbbb.json"]
