"""A setting is written once: command line, app and help take it from its field, and what cannot is found to be missing."""

from __future__ import annotations

import pydoc
from collections.abc import Callable, Iterable

import pytest
from command_line import Ked

from explorer.state.setting_types import Choice, Number
from explorer.state.settings import NOT_IN_THE_APP, RECIPE_SETTINGS, SETTINGS
from ked.changes import ADJUSTABLE
from ked.communities.louvain import ENGINES
from ked.nets.subnets import ACTIVATIONS
from ked.recipe import Recipe
from ked.runs.stage_keys import OF_NO_STAGE, depended_on
from ked.settings import ABOUT, Settings
from ked.training.augmentation import AUGMENTATIONS
from ked.training.optimisers import OPTIMISERS, SCHEDULES

TABLES = {
    "name it in ked/runs/stage_keys.py, among the settings of each stage that depends on it, or in OF_NO_STAGE": {
        *depended_on(),
        *OF_NO_STAGE,
    },
    "give it a control in explorer/state/settings.py, or name it in NOT_IN_THE_APP there": {*SETTINGS, *NOT_IN_THE_APP},
}


def forgotten(settings: Iterable[str]) -> list[str]:
    """What is still to be done about settings of a recipe."""
    return [f"{name}: {what}" for name in settings for what, known in TABLES.items() if name not in known]


def test_every_setting_of_a_recipe_is_in_the_tables_that_cannot_do_without_it() -> None:
    assert forgotten(Recipe.model_fields) == []


def test_a_setting_that_is_added_and_nowhere_else_is_found_with_the_tables_to_extend() -> None:
    found = forgotten(["superfeatures", "dropout"])
    assert [("stage_keys.py" in what, "state/settings.py" in what) for what in found] == [(True, False), (False, True)]
    assert all(what.startswith("dropout: ") for what in found)


def test_no_setting_is_in_two_places_of_a_table() -> None:
    assert not depended_on() & {*OF_NO_STAGE}
    assert depended_on() | {*OF_NO_STAGE} == {*Recipe.model_fields}
    assert {*RECIPE_SETTINGS} == {*Recipe.model_fields} - {*NOT_IN_THE_APP} <= {*SETTINGS}


def test_a_setting_says_what_it_means_in_one_sentence(one_sentence: Callable[[str], str]) -> None:
    for about in ABOUT.values():
        assert ("by default" in one_sentence(about.meaning)) == (about.default is None), "what nothing stands for, where it is no value"


def test_a_recipe_is_its_settings_and_the_changes_made_on_the_way() -> None:
    assert [*Recipe.model_fields] == [*Settings.model_fields, "changes"] == [*ABOUT, "changes"]
    assert {*ADJUSTABLE} <= {*ABOUT}


def test_the_help_of_a_recipe_lists_every_field_with_its_default_and_meaning() -> None:
    told = pydoc.plain(pydoc.render_doc(Recipe))
    for name, field in Recipe.model_fields.items():
        assert f"{name} = {field.default!r}: {field.description}" in told


def _flat(text: str) -> str:
    """The words of a help text, without frames and line breaks."""
    return " ".join(text.translate({ord(sign): " " for sign in "│╭╰╮╯─"}).split())


def test_the_command_line_has_an_option_for_every_setting_with_its_meaning_and_default(
    ked: Ked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    told = _flat(ked("run", "--help").out)
    for name, about in ABOUT.items():
        option = "--lambda" if name == "lam" else f"--{name.replace('_', '-')}"
        default = ",".join(map(str, about.default)) if about.several else about.default
        end = "" if default in (None, "") else f" [default: {default}]"
        of_option = told.partition(f" {option} ")[2].partition(" --")[0]
        assert about.meaning.removesuffix(".") in of_option
        assert end in of_option
        assert about.allowed in of_option
        assert all(choice in of_option.lower() for choice in about.choices)
        assert f" {about.group} " in told
    assert told.count("max(16, n // 20)") == 2


def test_the_help_of_a_run_is_legible_on_a_terminal_of_80_columns(ked: Ked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = ked("run", "--help").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line.replace(">,…", "") for line in lines), "nothing is cut"


NUMBERS = [setting for setting in SETTINGS.values() if isinstance(setting, Number) and setting.name in RECIPE_SETTINGS]


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda setting: setting.name)
def test_a_control_shows_no_more_of_a_number_than_the_recipe_allows(setting: Number) -> None:
    about = ABOUT[setting.name]
    for end in (setting.low, setting.high):
        value = about.kind(end)
        Recipe.make(**{setting.name: None if about.default is None and value == 0 else value})
    assert setting.whole == (about.kind is int)
    expected = about.meaning if about.default is not None else about.meaning.replace("by default", "by default (0)")
    assert setting.help == expected
    assert ("(0)" in setting.help) == (about.default is None), "what 0 stands for"


def test_a_control_offers_all_names_that_the_recipe_allows_and_says_what_the_setting_means() -> None:
    for setting in (SETTINGS[name] for name in RECIPE_SETTINGS if name in SETTINGS):
        about = ABOUT[setting.name]
        if isinstance(setting, Choice):
            assert not about.choices or {*setting.options} - {""} == {*about.choices}
            assert ("" in setting.options) == (about.default is None)
        assert isinstance(setting, Number) or setting.help == about.meaning


def test_names_that_a_recipe_allows_are_those_of_the_tables_that_know_what_they_stand_for() -> None:
    tables = {
        "engine": ENGINES, "activation": ACTIVATIONS, "optimiser": OPTIMISERS, "schedule": SCHEDULES, "augment": AUGMENTATIONS,
    }  # fmt: skip
    assert {name: ABOUT[name].choices for name in tables} == {name: tuple(table) for name, table in tables.items()}
