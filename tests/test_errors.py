"""What a message repeats of input: little, on one line, and nothing that cannot be seen."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.state.settings import SETTINGS
from ked import data
from ked.errors import REPEATED, InvalidInput, quoted, shortened
from ked.files.home import whole_number
from ked.library import clean_name, clean_tags
from ked.recipe import Recipe
from ked.store import load_run
from ked.studies.catalogue import study_named

LONG = "ab\ncd\u202e\0" * 1000
Sentence = Callable[[str], str]


@given(st.text(max_size=200), st.integers(3, 80))
def test_input_is_repeated_on_one_line_and_no_further_than_allowed(text: str, most: int) -> None:
    assert shortened(text, most).isprintable()
    kept = ast.literal_eval(quoted(text, most))
    assert kept == (text if len(text) <= most else f"{text[: most // 2]}…{text[-((most - 1) // 2) :]}")
    assert len(kept) == min(len(text), most)
    if kept.isprintable():
        assert shortened(text, most) == kept


def test_both_ends_of_a_long_input_are_told() -> None:
    path = f"/home/somebody/{'deep/' * 100}flowers.csv"
    assert shortened(path).startswith("/home/somebody/")
    assert shortened(path).endswith("/flowers.csv")
    assert shortened("0123456789", 5) == "01…89"
    assert quoted(12.5) == "'12.5'"
    assert (quoted("a\nb"), shortened("a\nb")) == ("'a\\nb'", "a\\nb")


REFUSALS: dict[str, Callable[[], object]] = {
    "a data set": lambda: data.check(LONG),
    "a data set on the shelf": lambda: data.check(f"own:{LONG}"),
    "made data": lambda: data.check(f"planted:{LONG}=1"),
    "made data's value": lambda: data.check(f"planted:features={LONG}"),
    "a recipe's data set": lambda: Recipe.make(dataset=LONG),
    "a recipe's unknown setting": lambda: Recipe.make(**{LONG: 1}),
    "a recipe's choice": lambda: Recipe.make(activation=LONG),
    "a recipe's method": lambda: Recipe.make(methods=(LONG,)),
    "a recipe's net": lambda: Recipe.make(net=LONG),
    "a recipe's grouping": lambda: Recipe.make(grouping=LONG),
    "a recipe's number": lambda: Recipe.make(epochs=LONG),
    "a recipe's widths": lambda: Recipe.make(teacher_hidden=(0,) * 1000),
    "a recipe's list": lambda: Recipe.make(epochs=[LONG] * 100),
    "a recipe's change": lambda: Recipe.make(changes=[{"stage": "teacher", "epoch": 1, "step": 1, "setting": LONG, "value": 1}]),
    "a recipe's device": lambda: Recipe.make(device=LONG),
    "a run": lambda: load_run(LONG),
    "a name": lambda: clean_name(LONG),
    "a short name": lambda: clean_name("a\u202eb"),
    "a tag": lambda: clean_tags([LONG]),
    "a study": lambda: study_named(LONG),
    "a split": lambda: data.load("digits").part(LONG),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_repeats_little_of_what_it_refuses(what: str, one_sentence: Sentence) -> None:
    with pytest.raises(InvalidInput) as refusal:
        REFUSALS[what]()
    said = one_sentence(str(refusal.value))
    assert said.isprintable()
    assert said.count("ab") <= REPEATED / 4


def test_a_setting_in_an_address_is_refused_without_repeating_much_of_it() -> None:
    for setting in SETTINGS.values():
        with pytest.raises(InvalidInput) as refusal:
            setting.parse(LONG)
        assert str(refusal.value).isprintable()
        assert str(refusal.value).count("ab") <= REPEATED / 4


def test_a_variable_of_the_environment_is_repeated_as_little(monkeypatch: pytest.MonkeyPatch, one_sentence: Sentence) -> None:
    monkeypatch.setenv("KED_JOBS", "ab\ncd" * 100)
    with pytest.raises(InvalidInput) as refusal:
        whole_number("KED_JOBS", 1)
    assert len(one_sentence(str(refusal.value))) < 200
