"""The overview and the lesson: the pair answers to its switches, and a step is left only after it is done or shown."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest
from visitor import ROOT, address, buttons, figure, figures, sound, turn_to, visit

from explorer.words.lesson import STEPS


def read(app: AppTest) -> str:
    return "\n".join(text.value for text in app.markdown)


def test_the_app_opens_with_a_pair_of_digits_that_answers() -> None:
    app = AppTest.from_file(ROOT / "explorer/app.py", default_timeout=180).run()
    assert [title.value for title in app.title] == ["Not only what, but why"]
    assert address(app) == {"m": "2", "scale": "std"}, "the settings are those of the run on screen"
    assert {"pair", "says-0", "says-1", "says-sum"} <= figures(app)
    assert re.search(r"Together they say \*\*(\d\d)\*\* \(\d+ %\), and that is right\.", read(app))
    both = figure(app, "says-sum")
    buttons(app, "widget.teams").set_value([0]).run()
    assert address(app)["on"] == "10"
    assert figure(app, "says-sum") != both
    assert "Without team 2 the net says" in read(app)
    app.button[[button.label for button in app.button].index("Another pair")].click().run()
    assert not app.exception
    assert address(app)["i"] == "61"


def test_a_drawn_pair_is_answered_too() -> None:
    app = sound_page(visit("overview", what="own", data="digit-pairs"))
    assert "ked_draw" in "".join(str(element.proto) for element in app.get("bidi_component"))
    assert "and that is right" not in read(app), "nobody knows what was to be drawn"


def sound_page(app: AppTest) -> AppTest:
    assert [error.message for error in app.exception] == []
    assert not app.error
    assert not app.warning
    return app


def press(app: AppTest, label: str) -> AppTest:
    (button,) = [button for button in app.button if button.label == label]
    assert not button.disabled, label
    return sound_page(button.click().run())


def test_the_lesson_goes_on_after_each_step_and_ends_with_a_sentence_of_ones_own() -> None:
    app = sound_page(visit("lesson", data="digit-pairs"))
    for number, step in enumerate(STEPS, 1):
        assert app.subheader[0].value == f"{number} of 5 · {step.title}"
        assert not app.success
        if number < len(STEPS):
            (forward,) = [button for button in app.button if button.label == "Next"]
            assert forward.disabled, "first the step is done"
        buttons(app, f"widget.guess.{number}").set_value(1).run()
        assert not app.success, "a guess alone tells nothing"
        press(app, "Show me")
        (told,) = app.success
        assert step.options[1] in told.value
        if number < len(STEPS):
            press(app, "Next")
    app.text_area[0].set_value("A team of pixels.").run()
    assert [info.value for info in app.info if info.value.startswith("A superfeature is a team")]
    assert address(app)["guess"] == "bbbbb"
    assert address(app)["done"] == "12345"


def test_progress_is_in_the_address() -> None:
    app = sound_page(visit("lesson", data="digit-pairs", lesson="3", guess="bcb--", done="123"))
    assert app.success
    assert app.subheader[0].value.startswith("3 of 5")
    press(app, "Back")
    assert app.subheader[0].value.startswith("2 of 5")


@pytest.mark.parametrize("lesson", ["0", "6", "x"])
def test_an_address_of_no_step_begins_the_lesson_and_says_so(lesson: str) -> None:
    app = visit("lesson", data="digit-pairs", lesson=lesson)
    assert len(app.warning) == 1
    assert app.subheader[0].value.startswith("1 of 5")


def test_explain_shows_the_grid_where_classes_are_pairs_and_nowhere_else() -> None:
    app = sound(visit("explain", run="digit-pairs-preset"), "explain")
    assert {"grid-teacher-0", "grid-teacher-1", "grid-teacher-sum", "grid-student-0"} <= figures(app)
    assert not any(name.startswith("grid-") for name in figures(turn_to(visit(), "explain")))
